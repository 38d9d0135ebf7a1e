/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One rendering of a template: template_render.c runs the statements, template_eval.c evaluates the
 * expressions, template_operate.c calculates and compares. Private to these files.
 *
 * The result of an expression is borrowed, not copied, where possible:
 *
 *	ctx.title		borrowed, lasting	part of the root, which lives until the end
 *	'a'			borrowed, lasting	part of the template
 *	x (set before)		borrowed		freed when the next `set` replaces it
 *	ctx.title | trim	owned			made by the filter
 *
 * Functions return 0 or a negative errno, with a sentence in evaluation->err.
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_EVAL_H
#define STEPTRACE_RUNNER_TEMPLATE_EVAL_H

#include "runner/template/template_tree.h"

struct result {
	const cJSON *value; /* never NULL on success */
	cJSON *owned;       /* `value`, if this result owns it; otherwise NULL */
	bool is_lasting;    /* borrowed, and valid until the end of the rendering */
	bool is_missing;    /* the name or path does not exist; the value is null */
};

struct variable {
	const char *name;     /* borrowed from the template */
	struct result result; /* value NULL: not set */
	struct variable *next;
};

struct evaluation {
	const struct scope *scope;
	struct variable *variables;
	struct strbuf out;
	size_t steps;             /* evaluation steps that are left (template.h) */
	const struct node *moved; /* the name whose variable gives its value away; NULL: none */
	bool is_breaking;         /* a `break` is leaving its loop */
	struct error *err;
};

/* Evaluates an expression. The caller frees *result with result__free; on failure there is nothing
 * to free. */
int template_eval__node(struct evaluation *evaluation, const struct node *node,
			struct result *result);
/* Applies the operator of `right_node` to `left` and `right`. Frees both, also on failure. */
int template_eval__operate(struct evaluation *evaluation, const struct node *right_node,
			   struct result *left, struct result *right, struct result *result);
int template_eval__negate(struct evaluation *evaluation, const struct node *node,
			  struct result *result);

void result__free(struct result *result);
/* *result borrows `value` until the end of the rendering; NULL counts as null. */
void result__borrow(struct result *result, const cJSON *value);
/* *result owns `value`; NULL: -ENOMEM. */
int result__own(struct evaluation *evaluation, const struct node *node, struct result *result,
		cJSON *value);
void result__set_bool(struct result *result, bool truth);
/* *value is a tree that the caller owns: the result's own tree, or a copy of a borrowed one. */
int result__take(struct evaluation *evaluation, const struct node *node, struct result *result,
		 cJSON **value);

/* Subtracts `steps` from the evaluation steps that are left; -E2BIG: there are not enough. Looks at
 * the deadline from time to time: -ETIMEDOUT or -ECANCELED. */
int evaluation__charge(struct evaluation *evaluation, const struct node *node, size_t steps);
/* Writes "line 3, column 12: ..." with the position of `node`; returns `code`. */
int evaluation__fail(const struct evaluation *evaluation, const struct node *node, int code,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
