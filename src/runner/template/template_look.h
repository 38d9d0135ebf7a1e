/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands in a template, for those who check it and do not render it.
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_LOOK_H
#define STEPTRACE_RUNNER_TEMPLATE_LOOK_H

#include <stdbool.h>

#include "runner/template/template.h"

struct template_problem {
	int line, column; /* from 1; 0: the template as a whole */
	bool is_unknown_filter;
	const char *sentence; /* without the position */
};

/*
 * Parses the text only to find its mistakes: every unknown filter, or the mistake at which parsing
 * ends. If a template has both, the second one is not told: it may be the consequence of the first,
 * because the number of arguments of an unknown filter is not known. `is_expression`: an expression
 * without braces. Returns 0 or -ENOMEM.
 */
int template__diagnose(const char *text, bool is_expression,
		       void (*found)(void *data, const struct template_problem *problem),
		       void *data);

/* True if the template reads no name and no clock, so that it always gives the same value. */
bool template__is_constant(const struct template *template);

/* A look-up of a result: steps.ID, or another use of `steps`. */
struct template_reference {
	const char *step; /* ID; NULL: it is not written out */
	int line, column;
};

/* Calls `found` for each look-up of a result. If the template sets a variable `steps` itself, there
 * is none. */
void template__each_reference(const struct template *template,
			      void (*found)(void *data, const struct template_reference *reference),
			      void *data);

#endif
