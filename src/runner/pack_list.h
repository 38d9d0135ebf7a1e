/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All packs under a directory: its folders that hold a command.yaml, in alphabetical order. A
 * directory that itself holds one is that pack alone.
 */
#ifndef STEPTRACE_RUNNER_PACK_LIST_H
#define STEPTRACE_RUNNER_PACK_LIST_H

#include "common/error.h"
#include "runner/pack.h"

/* One folder: its pack, or why it is none. */
struct pack_entry {
	char *directory;
	const char *folder; /* the last part of `directory` */
	struct pack *pack;  /* NULL: it could not be loaded */
	struct error err;   /* the sentence then */
	bool is_alone;      /* named by its own path, so its folder's name is free */
};

struct pack_list {
	struct pack_entry *entries;
	size_t count;
};

/* Appends; negative errno where the directory cannot be read. */
int pack_list__add(struct pack_list *list, const char *directory, struct error *err);
void pack_list__free(struct pack_list *list);

#endif
