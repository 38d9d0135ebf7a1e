/* SPDX-License-Identifier: BSD-2-Clause */
/* A pack in memory. pack.h says how it is loaded, and who owns what. */
#ifndef STEPTRACE_RUNNER_PACK_TREE_H
#define STEPTRACE_RUNNER_PACK_TREE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runner/pack/pack_prompts.h"
#include "runner/pack/param.h"
#include "runner/pack/yaml.h"

enum {
	PACK_STEPS_MAX = 1000, /* including nested steps */
	PACK_TIMEOUT_S_MAX = 86400,
	PACK_SLUG_BYTES = 64,
};

struct step_type;

struct pack_steps {
	struct pack_step *steps;
	size_t count;
};

struct pack_step {
	const char *id;               /* NULL: none; only if the pack cannot run */
	const struct step_type *type; /* NULL: unknown; only if the pack cannot run */
	const cJSON *node;            /* borrowed: the step in the manifest's tree */
	uint16_t index;               /* position among the steps of the same list, from 0 */
	struct param params;          /* the keys of the step itself and those under `with` */
	struct pack_steps then_steps, else_steps;
};

struct pack {
	char *directory;
	char *slug; /* the folder's name; if the pack was given by its path, `own_slug` */
	const char *own_slug, *name, *version; /* from the manifest */
	struct yaml_document manifest;
	struct pack_steps steps;
	size_t step_count; /* including nested steps */
	struct pack_prompts prompts;
	uint64_t timeout_ns;                 /* of an execution, from the manifest; 0: none */
	const cJSON *secrets, *capabilities; /* lists of text, or NULL */
};

/* The id of the step for messages; "?" if there is none. */
const char *pack_step__name(const struct pack_step *step);

/* A slug is a lower-case letter, then lower-case letters, digits, '_', '-' and '.'; fewer than
 * PACK_SLUG_BYTES bytes. */
bool pack__is_slug(const char *text);

#endif
