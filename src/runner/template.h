/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Templates: text with {{ expressions }}, {% tags %} and {# comments #}.
 *
 *	{{ ctx.body | trim | take: 50 }}
 *	{% for row in steps.find.output %}- {{ row.title | default: 'Untitled' }}
 *	{% endfor %}
 *
 * A template is parsed once, is then read only, and may be rendered any number of times, by
 * several threads at once. The language is described in docs; the tree is in template_tree.h.
 *
 * Errors are sentences with the position: "line 3, column 12: unknown filter 'lenght'". -EINVAL is
 * a fault of the template or its values, -E2BIG a limit, -ENOMEM memory.
 *
 * Limits: 1 MiB of template, 1 MiB of output and of every text made on the way, nesting of 32 (of
 * blocks and of expressions, each), 1,000,000 steps of evaluation: one for each
 * part of an expression and each statement that is run, and for every four values or 256 bytes of
 * text that are made or copied.
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_H
#define STEPTRACE_RUNNER_TEMPLATE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/error.h"

enum {
	TEMPLATE_BYTES = 1 << 20,
	TEMPLATE_OUTPUT_BYTES = 1 << 20,
	TEMPLATE_NESTING = 32,
	TEMPLATE_STEPS = 1000000,
};

struct template;

struct scope_name {
	const char *name;
	const cJSON *value; /* NULL is null */
};

/* What a template sees, all borrowed: variables it sets itself, then `names`, then the members of
 * `root`. `root.now` is also the present of `timeago`. */
struct scope {
	const cJSON *root;
	const struct scope_name *names;
	size_t name_count;
};

/* The text is not kept. On failure *template is NULL. */
int template__parse(const char *text, struct template **template, struct error *err);
/* The same for a bare expression, without its braces: "ctx.body == 'list'". */
int template__parse_expression(const char *text, struct template **template, struct error *err);
void template__free(struct template *template);

/* A fresh value, never NULL on success: of its own type when the template is one {{ expression }}
 * and nothing else, otherwise a text. On failure *value is NULL. */
int template__render(const struct template *template, const struct scope *scope, cJSON **value,
		     struct error *err);

#endif
