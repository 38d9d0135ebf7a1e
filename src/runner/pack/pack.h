/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command pack: the folder `SLUG/` with the manifest `command.yaml` and the folder `prompts/`.
 *
 * A pack owns all its texts, and they live as long as the pack; spans borrow them. After loading, a
 * pack is read-only. Loading fails if the manifest cannot be used; the message names file, line and
 * column. Mistakes with which a pack can still run (unknown keys, templates that cannot be parsed,
 * a slug that differs from the folder's name) are reported by `steprun check` only.
 *
 *	packs/notes/command.yaml:12:5: unknown step type 'fragment.make' in step 'save'
 */
#ifndef STEPTRACE_RUNNER_PACK_H
#define STEPTRACE_RUNNER_PACK_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
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
	const char *id;
	const struct step_type *type;
	const cJSON *node;   /* borrowed: the step in the manifest's tree */
	uint16_t index;      /* position among the steps of the same list, from 0 */
	struct param params; /* the keys of the step itself and those under `with` */
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

/* The folders in which a slug is searched, in this order. Texts are borrowed. */
struct pack_path {
	const char *const *directories;
	size_t count;
};

/*
 * Loads a pack. `argument` is a slug, or the path of a pack's folder if it contains a '/'. The
 * caller frees *pack. Returns 0, -ENOENT (there is no such pack), or another negative errno (the
 * pack exists and cannot be loaded).
 */
int pack__find(const struct pack_path *path, const char *argument, struct pack **pack,
	       struct error *err);

/* Loads the pack in `directory`. If `slug` is NULL, the slug of the manifest is used. The caller
 * frees *pack. */
int pack__load(const char *directory, const char *slug, struct pack **pack, struct error *err);
void pack__free(struct pack *pack);

/* A slug is a lower-case letter, then lower-case letters, digits, '_', '-' and '.'; fewer than
 * PACK_SLUG_BYTES bytes. */
bool pack__is_slug(const char *text);

#endif
