/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds a pack by what a user calls it: its slug, its slash trigger or one of its aliases. A '/' in
 * front of a trigger is not part of the name.
 *
 * Slugs come first, then slash triggers, then aliases; among equals, the pack that is first in
 * search order. `steprun check` reports names that two packs claim.
 */
#ifndef STEPTRACE_RUNNER_CATALOGUE_H
#define STEPTRACE_RUNNER_CATALOGUE_H

#include <stddef.h>

#include "common/error.h"
#include "runner/pack/pack_list.h"

struct catalogue_name;

/* Read-only after catalogue__open(), so several threads may use it. */
struct catalogue {
	struct pack_list list;
	struct catalogue_name *names; /* owned; sorted */
	size_t count, room;
};

/* Loads all packs of the folders. A pack that cannot be loaded has its folder's name as slug.
 * Returns 0 or a negative errno. The caller closes the catalogue in both cases. */
int catalogue__open(struct catalogue *catalogue, const char *const *directories, size_t count,
		    struct error *err);
void catalogue__close(struct catalogue *catalogue);

/* The entry with this name, without '/'; borrowed. Its pack may be one that cannot run
 * (pack_entry__runnable()). NULL: there is none. */
const struct pack_entry *catalogue__find(const struct catalogue *catalogue, const char *name);

/* Calls `found` for each pack with a slug that is not taken by an earlier one. */
void catalogue__each(const struct catalogue *catalogue,
		     void (*found)(void *data, const struct pack_entry *entry), void *data);

#endif
