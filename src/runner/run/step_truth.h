/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evaluates conditions and filters of steps. They are written as a template, or as an expression
 * without braces: "ctx.body == 'list'" means the same as "{{ ctx.body == 'list' }}".
 *
 * Functions return 0, or a negative errno with a sentence in run->err.
 */
#ifndef STEPTRACE_RUNNER_STEP_TRUTH_H
#define STEPTRACE_RUNNER_STEP_TRUTH_H

#include <stdbool.h>

#include "runner/pack/param.h"
#include "runner/run/step_run.h"
#include "runner/template/template.h"

/* *truth says whether the rendered value of `param` is true (value.h). Blanks and line breaks
 * around a text do not count. */
int step_run__truth(struct step_run *run, const struct param *param, const struct scope *scope,
		    bool *truth);

/* Parses and evaluates an expression that is made while the step runs. The caller deletes
 * *value. */
int step_run__evaluate(struct step_run *run, const char *expression, const struct scope *scope,
		       cJSON **value);

#endif
