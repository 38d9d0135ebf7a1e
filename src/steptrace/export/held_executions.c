// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/held_executions.h"

#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the item out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/text_hash.h"

enum { ID_BYTES_MAX = 128 };

struct item {
	struct held_execution execution; /* first: an execution is its item */
	uint64_t key;
	bool is_in_table;
	UT_hash_handle hh;
};

/* Both tables keep the order in which items were added. */
struct held_executions {
	struct item *open, *ended;
	struct text_hash hash;
};

struct held_executions *held_executions__new(void)
{
	struct held_executions *executions = calloc(1, sizeof(*executions));

	if (executions)
		text_hash__init(&executions->hash);
	return executions;
}

static void free_held(struct held_execution *execution)
{
	spans__free(&execution->spans);
	free(execution->command);
	execution->command = NULL;
}

static void remove_item(struct item **table, struct item *item)
{
	HASH_DEL(*table, item);
	free_held(&item->execution);
	free(item->execution.id);
	free(item);
}

void held_executions__free(struct held_executions *executions)
{
	if (!executions)
		return;
	while (executions->open)
		remove_item(&executions->open, executions->open);
	while (executions->ended)
		remove_item(&executions->ended, executions->ended);
	free(executions);
}

static uint64_t key_of(const struct held_executions *executions, struct recorded_text id)
{
	return text_hash__of(&executions->hash, id.text, id.bytes);
}

struct held_execution *held_executions__find(struct held_executions *executions,
					     struct recorded_text id)
{
	uint64_t key = key_of(executions, id);
	struct item *item;

	HASH_FIND(hh, executions->open, &key, sizeof(key), item);
	if (!item)
		HASH_FIND(hh, executions->ended, &key, sizeof(key), item);
	return item ? &item->execution : NULL;
}

static struct item *new_item(struct held_executions *executions, struct recorded_text id)
{
	struct item *item = calloc(1, sizeof(*item));

	if (!item)
		return NULL;
	/* steptrace writes 36 bytes. */
	item->execution.id_bytes = id.bytes < ID_BYTES_MAX ? id.bytes : ID_BYTES_MAX;
	item->execution.id = malloc(ID_BYTES_MAX);
	if (!item->execution.id) {
		free(item);
		return NULL;
	}
	memcpy(item->execution.id, id.text, item->execution.id_bytes);
	item->execution.is_open = true;
	item->key = key_of(executions, id);
	item->is_in_table = true;
	return item;
}

struct held_execution *held_executions__open(struct held_executions *executions,
					     struct recorded_text id)
{
	struct item *item = new_item(executions, id), *ended;

	if (!item)
		return NULL;
	HASH_FIND(hh, executions->ended, &item->key, sizeof(item->key), ended);
	if (ended)
		remove_item(&executions->ended, ended);
	HASH_ADD(hh, executions->open, key, sizeof(item->key), item);
	if (item->is_in_table)
		return &item->execution;
	free(item->execution.id);
	free(item);
	return NULL;
}

void held_executions__end(struct held_executions *executions, struct held_execution *execution)
{
	struct item *item = (struct item *)execution;

	HASH_DEL(executions->open, item);
	free_held(execution);
	execution->is_open = false;
	HASH_ADD(hh, executions->ended, key, sizeof(item->key), item);
	if (!item->is_in_table) {
		free(execution->id);
		free(item);
	} else if (HASH_CNT(hh, executions->ended) > HELD_EXECUTIONS_MAX) {
		remove_item(&executions->ended, executions->ended);
	}
}

struct held_execution *held_executions__oldest(const struct held_executions *executions)
{
	return executions->open ? &executions->open->execution : NULL;
}

struct held_execution *held_executions__next(const struct held_execution *execution)
{
	struct item *next = ((const struct item *)execution)->hh.next;

	return next ? &next->execution : NULL;
}

size_t held_executions__open_count(const struct held_executions *executions)
{
	return HASH_CNT(hh, executions->open);
}
