// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOCK_ITEMS = SPOOL_BLOCK_BYTES / sizeof(struct spooled) - 1 };

struct spool_block {
	uint64_t next; /* the place of the next block of the list; known when this one is written */
	uint64_t count;
	struct spooled items[BLOCK_ITEMS];
};

_Static_assert(sizeof(struct spool_block) == SPOOL_BLOCK_BYTES, "the blocks have this size");

void spool__init(struct spool *spool)
{
	*spool = (struct spool){.fd = -1};
}

void spool__close(struct spool *spool)
{
	if (spool->fd >= 0)
		close(spool->fd);
	spool->fd = -1;
}

void spool_list__free(struct spool_list *list)
{
	free(list->newest);
	*list = (struct spool_list){.newest = NULL};
}

/* ---- the temporary file */

/* Some file systems have no files without a name. */
static int open_named(const char *folder)
{
	char path[4096];
	int bytes = snprintf(path, sizeof(path), "%s/steptrace-XXXXXX", folder), fd;

	if (bytes < 0 || (size_t)bytes >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int open_file(struct spool *spool)
{
	const char *folder = getenv("TMPDIR");

	if (spool->fd >= 0 || spool->err)
		return spool->err;
	folder = folder && *folder ? folder : "/tmp";
	spool->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spool->fd < 0)
		spool->fd = open_named(folder);
	if (spool->fd < 0)
		spool->err = -errno;
	return spool->err;
}

static int write_block(struct spool *spool, const struct spool_block *block, uint64_t place)
{
	const char *at = (const char *)block;
	size_t left = sizeof(*block);

	while (left) {
		ssize_t written = pwrite(spool->fd, at, left, (off_t)place);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return spool->err = written ? -errno : -EIO;
		at += written;
		place += (uint64_t)written;
		left -= (size_t)written;
	}
	return 0;
}

static int read_block(struct spool *spool, struct spool_block *block, uint64_t place)
{
	char *at = (char *)block;
	size_t left = sizeof(*block);

	while (left) {
		ssize_t got = pread(spool->fd, at, left, (off_t)place);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return spool->err = got ? -errno : -EIO;
		at += got;
		place += (uint64_t)got;
		left -= (size_t)got;
	}
	return 0;
}

static uint64_t new_place(struct spool *spool)
{
	uint64_t place = spool->end;

	spool->end += sizeof(struct spool_block);
	return place;
}

/* ---- lists */

static int put_away(struct spool *spool, struct spool_list *list)
{
	int err = open_file(spool);

	if (err)
		return err;
	if (list->full_blocks == 0)
		list->first = list->own = new_place(spool);
	list->newest->next = new_place(spool);
	err = write_block(spool, list->newest, list->own);
	list->own = list->newest->next;
	list->newest->count = 0;
	list->full_blocks++;
	return err;
}

int spool__add(struct spool *spool, struct spool_list *list, struct spooled item)
{
	int err;

	if (!list->newest)
		list->newest = calloc(1, sizeof(*list->newest));
	if (!list->newest)
		return -ENOMEM;
	if (list->newest->count == BLOCK_ITEMS) {
		err = put_away(spool, list);
		if (err)
			return err;
	}
	list->newest->items[list->newest->count++] = item;
	return 0;
}

static int take_all(const struct spool_block *block,
		    int (*take)(void *context, const struct spooled *item), void *context)
{
	int err = 0;

	for (uint64_t i = 0; i < block->count && i < BLOCK_ITEMS && !err; i++)
		err = take(context, &block->items[i]);
	return err;
}

int spool__read(struct spool *spool, const struct spool_list *list,
		int (*take)(void *context, const struct spooled *item), void *context)
{
	struct spool_block *block = malloc(sizeof(*block));
	uint64_t place = list->first;
	int err = block ? 0 : -ENOMEM;

	for (uint64_t i = 0; i < list->full_blocks && !err; i++) {
		err = read_block(spool, block, place);
		if (!err)
			err = take_all(block, take, context);
		place = block->next;
	}
	if (!err && list->newest)
		err = take_all(list->newest, take, context);
	free(block);
	return err;
}
