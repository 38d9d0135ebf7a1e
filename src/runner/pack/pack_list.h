/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All packs in a directory: its folders that contain a command.yaml, in alphabetical order. If the
 * directory itself contains a command.yaml, it is a single pack.
 */
#ifndef STEPTRACE_RUNNER_PACK_LIST_H
#define STEPTRACE_RUNNER_PACK_LIST_H

#include <sys/types.h>

#include "common/error.h"
#include "runner/pack/pack.h"

/* One folder: its pack, and why the pack cannot run. */
struct pack_entry {
	char *directory;    /* owned */
	const char *folder; /* the last part of `directory` */
	dev_t device;       /* with `inode`: which folder it is */
	ino_t inode;
	struct pack *pack;             /* owned; if it cannot run, what of it could be read */
	struct pack_problems problems; /* with which it cannot run; none: it can */
	bool is_alone;                 /* given by its own path, so the folder may have any name */
};

struct pack_list {
	struct pack_entry *entries;
	size_t count;
};

/* Appends the packs of `directory`, also those that cannot run. A folder that is in the list
 * already is not appended again. `*found` is the number of folders with a pack; it may be NULL.
 * Returns 0, or a negative errno when the directory cannot be read. */
int pack_list__add(struct pack_list *list, const char *directory, size_t *found, struct error *err);
/* NULL: the pack cannot run. */
const struct pack *pack_entry__runnable(const struct pack_entry *entry);
void pack_list__free(struct pack_list *list);

#endif
