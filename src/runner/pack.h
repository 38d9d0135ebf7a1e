/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command pack: the directory `SLUG/` with `command.yaml`, and `prompts/`, loaded and checked.
 *
 * Everything that text points to lives as long as the pack; spans borrow it. A pack is read-only
 * once it is loaded. What a pack may get wrong and still run (unknown keys, templates that do not
 * parse, a slug that is not its folder's name) is for `steprun check`; what makes it no pack at all
 * is an error here, with file, line and column:
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
#include "runner/param.h"
#include "runner/yaml.h"

enum {
	PACK_STEPS_MAX = 1000, /* nested ones included */
	PACK_SLUG_BYTES = 64,
	PACK_PROMPT_BYTES_MAX = 256 << 10,
	PACK_PROMPTS_MAX = 64,
};

struct step_type;

struct pack_steps {
	struct pack_step *steps;
	size_t count;
};

struct pack_step {
	const char *id;
	const struct step_type *type;
	const cJSON *node;   /* where it stands in the manifest */
	uint16_t index;      /* among its siblings */
	struct param params; /* step-level keys and those under `with`, together */
	struct pack_steps then_steps, else_steps;
};

struct pack {
	char *directory;
	char *slug; /* of the folder, or the manifest's own where a path was given */
	const char *own_slug, *name, *version;
	struct yaml_document manifest;
	struct pack_steps steps;
	size_t step_count; /* nested ones included */
	cJSON *prompts;    /* file stem -> text */
	struct param prompt_params;
	const cJSON *secrets, *capabilities; /* lists of text, or NULL */
};

/* Where slugs are looked up; the first hit wins. Borrowed texts. */
struct pack_path {
	const char *const *directories;
	size_t count;
};

/*
 * `argument` is a slug, or with a '/' in it the path of a pack's folder.
 * -ENOENT: there is no such pack. Anything else: there is one and it cannot be used.
 */
int pack__find(const struct pack_path *path, const char *argument, struct pack **pack,
	       struct error *err);

/* `slug` NULL: the manifest's own. */
int pack__load(const char *directory, const char *slug, struct pack **pack, struct error *err);
void pack__free(struct pack *pack);

/* A lower-case letter, then letters, digits, '_', '-', '.'. */
bool pack__is_slug(const char *text);

#endif
