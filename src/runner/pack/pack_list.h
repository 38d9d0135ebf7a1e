/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All packs in a directory: its folders that contain a command.yaml, in alphabetical order. If the
 * directory itself contains a command.yaml, it is a single pack.
 */
#ifndef STEPTRACE_RUNNER_PACK_LIST_H
#define STEPTRACE_RUNNER_PACK_LIST_H

#include "common/error.h"
#include "runner/pack/pack.h"

/* One folder: its pack, or the error of loading it. */
struct pack_entry {
	char *directory;    /* owned */
	const char *folder; /* the last part of `directory` */
	struct pack *pack;  /* owned; NULL: the pack could not be loaded */
	struct error err;   /* if `pack` is NULL: why */
	bool is_alone;      /* given by its own path, so the folder may have any name */
};

struct pack_list {
	struct pack_entry *entries;
	size_t count;
};

/* Appends the packs of `directory`. A pack that cannot be loaded is appended with its error.
 * Returns 0, or a negative errno when the directory cannot be read. */
int pack_list__add(struct pack_list *list, const char *directory, struct error *err);
void pack_list__free(struct pack_list *list);

#endif
