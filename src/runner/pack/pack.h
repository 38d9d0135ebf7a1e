/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A command pack: the folder `SLUG/` with the manifest `command.yaml` and the folder `prompts/`.
 *
 * A pack owns all its texts, and they live as long as the pack; spans borrow them. After loading, a
 * pack is read-only. Loading fails if the manifest cannot be used; the message names file, line and
 * column. Mistakes with which a pack can still run (unknown keys, templates that cannot be parsed,
 * a slug that differs from the folder's name) are reported by `steprun check` only.
 *
 *	packs/notes/command.yaml:12:11: unknown step type 'fragment.make' in step 'save'
 */
#ifndef STEPTRACE_RUNNER_PACK_H
#define STEPTRACE_RUNNER_PACK_H

#include <stddef.h>

#include "common/error.h"
#include "runner/pack/pack_problem.h"
#include "runner/pack/pack_tree.h"

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

/* Reads as much of a pack as can be read, for those who check it, and adds all problems with which
 * it cannot run. If there are any, the pack must not be executed. Without a usable manifest,
 * `manifest.root` is not a mapping, or NULL. The caller frees *pack. Returns 0 or -ENOMEM. */
int pack__read(const char *directory, const char *slug, struct pack **pack,
	       struct pack_problems *problems);

#endif
