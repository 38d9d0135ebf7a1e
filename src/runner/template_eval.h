/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One rendering: template_render.c runs the statements, template_eval.c answers expressions,
 * template_operate.c calculates and compares. Private to them.
 *
 * A result is looked at, not copied, as long as possible:
 *
 *	ctx.title		borrowed, lasting	a part of the root, there until the end
 *	'a'			borrowed, lasting	a part of the template
 *	x (set before)		borrowed		gone when the next `set` replaces it
 *	ctx.title | trim	owned			made here
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_EVAL_H
#define STEPTRACE_RUNNER_TEMPLATE_EVAL_H

#include "runner/template_tree.h"

struct result {
	const cJSON *value; /* never NULL on success */
	cJSON *owned;       /* NULL, or the tree that `value` is */
	bool is_lasting;    /* borrowed for as long as the rendering goes on */
	bool is_missing;    /* a path that leads nowhere; the value is null */
};

struct variable {
	const char *name;     /* of the template */
	struct result result; /* value NULL: not set */
	struct variable *next;
};

struct evaluation {
	const struct scope *scope;
	struct variable *variables;
	struct strbuf out;
	size_t steps; /* that are left */
	bool is_breaking;
	struct error *err;
};

/* On failure there is nothing to free in *result. */
int template_eval__node(struct evaluation *evaluation, const struct node *node,
			struct result *result);
/* The last child stands for left and right of one operator; takes both. */
int template_eval__operate(struct evaluation *evaluation, const struct node *right_node,
			   struct result *left, struct result *right, struct result *result);
int template_eval__negate(struct evaluation *evaluation, const struct node *node,
			  struct result *result);

void result__free(struct result *result);
void result__borrow(struct result *result, const cJSON *value);
int result__own(struct evaluation *evaluation, const struct node *node, struct result *result,
		cJSON *value);
void result__set_bool(struct result *result, bool truth);
/* A tree of the caller's own; the result is used up. */
int result__take(struct evaluation *evaluation, const struct node *node, struct result *result,
		 cJSON **value);

/* Uses steps up; -E2BIG when there are none left. */
int evaluation__charge(struct evaluation *evaluation, const struct node *node, size_t steps);
/* "line 3, column 12: ..."; returns `code`. */
int evaluation__fail(const struct evaluation *evaluation, const struct node *node, int code,
		     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
