// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/open_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the item out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/text_hash.h"

enum { ID_BYTES = sizeof(((struct open_item *)0)->step_id) };

struct item {
	uint8_t id[ID_BYTES]; /* of the command or step */
	struct open_value value;
	bool is_in_table;
	UT_hash_handle hh;
	size_t key_bytes;
	char key[];
};

/* Ids that ended since the last look began, by their hash: a newer one may take the place of an
 * older one. */
enum { ENDED_BITS = 17, ENDED_COUNT = 1 << ENDED_BITS };

struct open_set {
	struct item *items; /* the head of a uthash table */
	uint64_t *ended;    /* owned; ENDED_COUNT hashes; NULL: no look so far, or no memory */
	size_t left_out;
	uint64_t nameless;     /* items without an id so far */
	struct text_hash hash; /* ids come from the traced processes */
};

struct open_set *open_set__new(void)
{
	struct open_set *set = calloc(1, sizeof(*set));

	if (set)
		text_hash__init(&set->hash);
	return set;
}

void open_set__clear(struct open_set *set)
{
	struct item *next;

	for (struct item *item = set->items; item; item = next) {
		next = item->hh.next;
		HASH_DEL(set->items, item);
		free(item);
	}
	set->left_out = 0;
}

void open_set__free(struct open_set *set)
{
	if (!set)
		return;
	open_set__clear(set);
	free(set->ended);
	free(set);
}

void open_set__expect(struct open_set *set)
{
	if (!set->ended)
		set->ended = calloc(ENDED_COUNT, sizeof(*set->ended));
	else
		memset(set->ended, 0, ENDED_COUNT * sizeof(*set->ended));
}

size_t open_set__left_out(const struct open_set *set)
{
	return set->left_out;
}

/* ---- items */

static uint64_t hash_of(const struct open_set *set, const uint8_t id[ID_BYTES])
{
	return text_hash__of(&set->hash, (const char *)id, ID_BYTES);
}

static struct item *find(const struct open_set *set, const uint8_t id[ID_BYTES], uint64_t hash)
{
	unsigned int half = (unsigned int)hash;
	struct item *item;

	HASH_FIND_BYHASHVALUE(hh, set->items, id, ID_BYTES, half, item);
	return item;
}

/* The runner makes ids when a tracer is attached, so an item without an id began before. Its end
 * has no known duration, and cannot be told from the ends of others. */
static void name(struct open_set *set, struct item *item, const struct open_item *from)
{
	static const uint8_t none[ID_BYTES];

	memcpy(item->id, from->is_step ? from->step_id : from->execution_id, ID_BYTES);
	if (memcmp(item->id, none, ID_BYTES) != 0)
		return;
	set->nameless++;
	memcpy(item->id, &set->nameless, sizeof(set->nameless));
}

static int add(struct open_set *set, const struct open_item *from, const char *key,
	       size_t key_bytes)
{
	struct item *item;
	uint64_t hash;

	if (HASH_COUNT(set->items) >= OPEN_SET_MAX)
		return -ENOSPC;
	item = calloc(1, sizeof(*item) + key_bytes);
	if (!item)
		return -ENOMEM;
	item->value = (struct open_value){
		.age_ns = from->age_ns,
		.seen_ns = from->seen_ns,
		.is_age_known = from->is_age_known,
	};
	item->key_bytes = key_bytes;
	memcpy(item->key, key, key_bytes);
	name(set, item, from);
	hash = hash_of(set, item->id);
	if (find(set, item->id, hash)) {
		free(item);
		return 0;
	}
	item->value.has_ended = set->ended && set->ended[hash % ENDED_COUNT] == hash;
	item->is_in_table = true;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, set->items, item->id, ID_BYTES, (unsigned int)hash, item);
	if (item->is_in_table)
		return 0;
	free(item);
	return -ENOMEM;
}

int open_set__add(struct open_set *set, const struct open_item *item, const char *key,
		  size_t key_bytes)
{
	int code = add(set, item, key, key_bytes);

	set->left_out += code != 0;
	return code;
}

void open_set__on_event(struct open_set *set, const struct event *event)
{
	const uint8_t *id = event->kind == EVENT_STEP_EXECUTED       ? event->step->step_id
			    : event->kind == EVENT_COMMAND_COMPLETED ? event->head->execution_id
								     : NULL;
	struct item *item;
	uint64_t hash;

	if (!id || (!set->items && !set->ended))
		return;
	hash = hash_of(set, id);
	if (set->ended)
		set->ended[hash % ENDED_COUNT] = hash;
	item = find(set, id, hash);
	if (item)
		item->value.has_ended = true;
}

void open_set__see(struct open_set *set, const uint8_t id[16], uint64_t round)
{
	struct item *item = set->items ? find(set, id, hash_of(set, id)) : NULL;

	if (item)
		item->value.round = round;
}

void open_set__each(const struct open_set *set,
		    void (*each)(void *context, const char *key, size_t key_bytes,
				 const struct open_value *value),
		    void *context)
{
	for (const struct item *item = set->items; item; item = item->hh.next)
		each(context, item->key, item->key_bytes, &item->value);
}
