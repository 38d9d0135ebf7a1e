/* SPDX-License-Identifier: BSD-2-Clause */
/* What the steps that set keys of the response share. Functions return 0, or a negative errno with
 * a sentence in run->err. */
#ifndef STEPTRACE_RUNNER_RESPONSE_H
#define STEPTRACE_RUNNER_RESPONSE_H

#include "runner/run/step_run.h"

/* run->output becomes an object with the values of these keys that the step has. `keys` ends with
 * NULL. */
int response__collect(struct step_run *run, const char *const *keys);

/* The members of run->output replace those of the response. */
int response__set(struct step_run *run);

#endif
