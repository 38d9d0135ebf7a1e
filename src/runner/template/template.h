/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Templates: text with {{ expressions }}, {% tags %} and {# comments #}.
 *
 *	{{ ctx.body | trim | take: 50 }}
 *	{% for row in steps.find.output %}- {{ row.title | default: 'Untitled' }}
 *	{% endfor %}
 *
 * A template is parsed once and is read-only afterwards. It may be rendered any number of times, by
 * several threads at once. The tree is described in template_tree.h.
 *
 * Error messages contain the position: "line 3, column 12: unknown filter 'lenght'". -EINVAL: a
 * mistake in the template or in its values, -E2BIG: a limit is reached, -ENOMEM: out of memory.
 *
 * Limits:
 *
 *	template			1 MiB
 *	output, each text made		1 MiB
 *	nested blocks			32
 *	nested expressions		32
 *	evaluation steps		1,000,000
 *
 * Evaluation costs one step for each part of an expression and each statement that runs, one for
 * every four values or 256 bytes of text that are made or copied, and one for every 32 members,
 * items or variables that a look-up passes. A list in a variable that is appended to with
 * `set rows = rows | append: x` or `set rows = rows + [x]` is not copied.
 *
 * Within these limits, a rendering may take up to a second. A deadline ends it earlier: -ETIMEDOUT
 * or -ECANCELED.
 */
#ifndef STEPTRACE_RUNNER_TEMPLATE_H
#define STEPTRACE_RUNNER_TEMPLATE_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/deadline.h"
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

/* The names that a template can read. A name is searched first among the variables that the
 * template sets itself, then in `names`, then among the members of `root`. The filter `timeago`
 * takes `root.now` as the current time. Everything is borrowed. */
struct scope {
	const cJSON *root;
	const struct scope_name *names;
	size_t name_count;
	const struct deadline *deadline; /* looked at from time to time; NULL: none */
};

/* Parses a template, which the caller frees. `text` is not needed afterwards. On failure *template
 * is NULL. */
int template__parse(const char *text, struct template **template, struct error *err);
/* The same for an expression without braces: "ctx.body == 'list'". */
int template__parse_expression(const char *text, struct template **template, struct error *err);
void template__free(struct template *template);

/* *value is a new tree, which the caller deletes. If the template consists of one {{ expression }}
 * and nothing else, the value has the type of the expression; otherwise it is text. On failure
 * *value is NULL; on success it never is. */
int template__render(const struct template *template, const struct scope *scope, cJSON **value,
		     struct error *err);
/* The same; blanks and line breaks around the template do not count, such as the line break at the
 * end of a literal block in YAML. Those around a value that is text stay. */
int template__render_trimmed(const struct template *template, const struct scope *scope,
			     cJSON **value, struct error *err);

#endif
