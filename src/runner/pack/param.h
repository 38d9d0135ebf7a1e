/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parameters of a step. They are compiled once, when the pack is loaded, and rendered each time
 * the step runs.
 *
 * A param is made from a value of the manifest. Text that contains `{{`, `{%` or `{#` becomes a
 * parsed template. Lists and maps become lists and maps of params. Every other value is a constant.
 * Rendering returns a new tree. If a template cannot be parsed, the pack still loads; the step that
 * uses the template fails when it runs, and `steprun check` reports it.
 *
 *	title: "{{ ctx.body | take: 50 }}"	a template
 *	tags: ["note", "{{ ctx.kind }}"]	a list of a constant and a template
 *	limit: 20				a constant
 *
 * For some keys, text without braces has a meaning, too: it is parsed as an expression.
 *
 *	condition: ctx.body == 'list'		the same as "{{ ctx.body == 'list' }}"
 *	transforms: [trim, "truncate: 40"]	filters, the same as "{{ item | trim }}"
 */
#ifndef STEPTRACE_RUNNER_PARAM_H
#define STEPTRACE_RUNNER_PARAM_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* What stands in front of a filter, to make an expression of it. */
#define PARAM_FILTER_INPUT "item | "

struct template;
struct template_problem;
struct template_reference;
struct scope;

/* What text without braces is. */
enum param_syntax {
	PARAM_TEXT,       /* a constant */
	PARAM_EXPRESSION, /* an expression; an empty text is a constant */
	PARAM_FILTER,     /* a filter for `item` */
	/* One filter, or a list of filters: PARAM_FILTER for each text. A single text that is empty
	 * or JSON is a constant, because it may be a list that is written as JSON. */
	PARAM_FILTERS,
};

struct param {
	const cJSON *node;         /* borrowed from the manifest; NULL for a step's set of keys */
	enum param_syntax syntax;  /* with which `template` was parsed; never PARAM_FILTERS */
	struct template *template; /* owned; NULL: a constant, list or map */
	char *broken;              /* owned; the parser's message if the template is not valid */
	struct param *children;    /* owned; items of a list, members of a map */
	size_t child_count, child_room;
	bool has_templates; /* in this param or in a child */
};

/* Compiles `node`, which must outlive the param. Returns 0 or -ENOMEM. */
int param__compile(struct param *param, const cJSON *node);
void param__free(struct param *param);

/* Compiles `node` and adds it as a child under the key of `node`. A child with the same key is
 * replaced. Returns 0 or -ENOMEM. */
int param__set(struct param *param, const cJSON *node, enum param_syntax syntax);

/* The child with that key; NULL: there is none. */
const struct param *param__child(const struct param *param, const char *key);

/* *value is a new tree, which the caller deletes. If `param` is NULL, *value is NULL, which means
 * that there is no value. Returns 0, or the errors of template__render. */
int param__render(const struct param *param, const struct scope *scope, cJSON **value,
		  struct error *err);

/* The same, with template__render_trimmed(). */
int param__render_trimmed(const struct param *param, const struct scope *scope, cJSON **value,
			  struct error *err);

/* *truth says whether the rendered value is true (value.h). Blanks and line breaks around a text do
 * not count. Returns 0, or the errors of template__render. */
int param__truth(const struct param *param, const struct scope *scope, bool *truth,
		 struct error *err);

/* Calls `found` for this param and each of its children that has a template, also one that could
 * not be parsed. */
void param__each_template(const struct param *param,
			  void (*found)(void *data, const struct param *param), void *data);

/* True if the param always has the same value. */
bool param__is_constant(const struct param *param);

/* Tells the look-ups of results in the template of `param` itself (template_look.h), with their
 * positions in the text of `node`. */
void param__each_reference(const struct param *param,
			   void (*found)(void *data, const struct template_reference *reference),
			   void *data);

/* Tells the mistakes in the template of `param` itself, with their positions in the text of `node`.
 * Returns 0 or -ENOMEM. */
int param__diagnose(const struct param *param,
		    void (*found)(void *data, const struct template_problem *problem), void *data);

#endif
