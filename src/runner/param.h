/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A step's parameters, compiled once when the pack is loaded and rendered each time the step runs.
 *
 * A param mirrors a value of the manifest: text with `{{`, `{%` or `{#` in it becomes a parsed
 * template, lists and maps become lists and maps of params, everything else is a constant.
 * Rendering gives a fresh tree. A template that cannot be parsed does not keep the pack from
 * loading: the step that needs it fails, and `steprun check` reports it.
 *
 *	title: "{{ ctx.body | take: 50 }}"	a template
 *	tags: ["note", "{{ ctx.kind }}"]	a list of a constant and a template
 *	limit: 20				a constant
 */
#ifndef STEPTRACE_RUNNER_PARAM_H
#define STEPTRACE_RUNNER_PARAM_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

struct template;
struct scope;

struct param {
	const cJSON *node;         /* of the manifest, borrowed; NULL for a step's set of keys */
	struct template *template; /* owned; text with marks */
	char *broken;              /* owned; why that text is no template */
	struct param *children;    /* owned; of lists and maps */
	size_t child_count, child_room;
	bool has_templates; /* here or further down */
};

/* `name` is what messages call it. -ENOMEM is the only failure. */
int param__compile(struct param *param, const cJSON *node);
void param__free(struct param *param);

/* Adds a child under the key that `node` carries; one that is already there is replaced. */
int param__set(struct param *param, const cJSON *node);

/* By key; NULL where there is none. */
const struct param *param__child(const struct param *param, const char *key);

/* A fresh tree in *value; a NULL param renders to NULL (no value at all). */
int param__render(const struct param *param, const struct scope *scope, cJSON **value,
		  struct error *err);

/* Calls `found` for every template that could not be parsed, here and further down. */
void param__each_broken(const struct param *param,
			void (*found)(void *data, const struct param *param), void *data);

#endif
