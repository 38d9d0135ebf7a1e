/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any number of lists that grow at the same time and are read one after the other at the end.
 *
 * Memory has the newest block of each list (SPOOL_BLOCK_BYTES). Full blocks are in one temporary
 * file, each with the place of the next one of its list. The file has no name, so that nothing is
 * left behind, and is made when the first block is full.
 *
 *	spool__add(spool, &list, (struct spooled){.ns = 10, .number = 3, .is_begin = true});
 *	...
 *	spool__read(spool, &list, put, context);
 *	spool_list__free(&list);
 */
#ifndef STEPTRACE_EXPORT_SPOOL_H
#define STEPTRACE_EXPORT_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SPOOL_BLOCK_BYTES = 1 << 14 };

/* A beginning or an end; the user's. */
struct spooled {
	uint64_t ns;
	uint32_t number;
	bool is_begin;
};

struct spool_block;

/* Zeroed: an empty list. */
struct spool_list {
	struct spool_block *newest; /* owned; NULL: empty */
	uint64_t first, own;        /* places in the file: of the first block, of the newest */
	uint64_t full_blocks;       /* that are in the file */
};

struct spool {
	int fd; /* -1: no block was full so far */
	uint64_t end;
	int err; /* of the temporary file; negative errno, 0: none */
};

void spool__init(struct spool *spool);
void spool__close(struct spool *spool);

/* 0, -ENOMEM, or the error of the temporary file. */
int spool__add(struct spool *spool, struct spool_list *list, struct spooled item);

/* Calls `take` for each item, in the order in which they were added. Stops when it does not return
 * 0, and returns that; otherwise as spool__add(). */
int spool__read(struct spool *spool, const struct spool_list *list,
		int (*take)(void *context, const struct spooled *item), void *context);

void spool_list__free(struct spool_list *list);

#endif
