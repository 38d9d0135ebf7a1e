/* SPDX-License-Identifier: BSD-2-Clause */
/* Conditions and filters: a template, or an expression that forgot its braces. */
#ifndef STEPTRACE_RUNNER_STEP_TRUTH_H
#define STEPTRACE_RUNNER_STEP_TRUTH_H

#include <stdbool.h>

#include "runner/param.h"
#include "runner/step_run.h"
#include "runner/template.h"

/* Whether what `param` renders to counts as true (value.h). Text without marks is an expression:
 * "ctx.body == 'list'" is {{ ctx.body == 'list' }}. */
int step_run__truth(struct step_run *run, const struct param *param, const struct scope *scope,
		    bool *truth);

/* An expression that is only known while the step runs. */
int step_run__evaluate(struct step_run *run, const char *expression, const struct scope *scope,
		       cJSON **value);

#endif
