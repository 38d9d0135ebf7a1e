// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/label_sets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the set out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/text_hash.h"

enum { KEY_BYTES = 1024 }; /* of all label values together: they come from spans */

struct set {
	bool is_in_table;
	size_t key_bytes;
	char *key; /* label values, each with its zero; behind the value */
	UT_hash_handle hh;
	max_align_t value[];
};

struct label_sets {
	struct set *sets;  /* the head of a uthash table */
	struct set *other; /* owned; NULL: it is not used */
	size_t limit, bytes;
	struct text_hash hash; /* labels come from the traced processes */
};

struct label_sets *label_sets__new(size_t limit, size_t bytes)
{
	struct label_sets *sets = calloc(1, sizeof(*sets));

	if (!sets)
		return NULL;
	sets->limit = limit;
	sets->bytes = (bytes + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	text_hash__init(&sets->hash);
	return sets;
}

void label_sets__free(struct label_sets *sets)
{
	struct set *next;

	if (!sets)
		return;
	for (struct set *set = sets->sets; set; set = next) {
		next = set->hh.next;
		HASH_DEL(sets->sets, set);
		free(set);
	}
	free(sets->other);
	free(sets);
}

static size_t write_key(char key[KEY_BYTES], const char *const labels[LABELS_MAX])
{
	size_t bytes = 0;

	for (int i = 0; i < LABELS_MAX && labels[i]; i++) {
		size_t length = strnlen(labels[i], KEY_BYTES / LABELS_MAX - 1);

		memcpy(key + bytes, labels[i], length);
		bytes += length;
		key[bytes++] = 0;
	}
	return bytes;
}

static struct set *make_set(const struct label_sets *sets, const char *key, size_t key_bytes)
{
	struct set *set = calloc(1, sizeof(*set) + sets->bytes + key_bytes);

	if (!set)
		return NULL;
	set->key = (char *)set->value + sets->bytes;
	set->key_bytes = key_bytes;
	memcpy(set->key, key, key_bytes);
	return set;
}

static void *find_other(struct label_sets *sets)
{
	if (!sets->other)
		sets->other = make_set(sets, "", 0);
	return sets->other ? sets->other->value : NULL;
}

static void *add_set(struct label_sets *sets, const char *key, size_t key_bytes, unsigned int hash)
{
	struct set *set = make_set(sets, key, key_bytes);

	if (!set)
		return NULL;
	set->is_in_table = true;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, sets->sets, set->key, key_bytes, hash, set);
	if (set->is_in_table)
		return set->value;
	free(set);
	return NULL;
}

void *label_sets__find(struct label_sets *sets, const char *const labels[LABELS_MAX])
{
	char key[KEY_BYTES];
	size_t bytes = write_key(key, labels);
	unsigned int hash = (unsigned int)text_hash__of(&sets->hash, key, bytes);
	struct set *set;

	HASH_FIND_BYHASHVALUE(hh, sets->sets, key, bytes, hash, set);
	if (set)
		return set->value;
	if (HASH_COUNT(sets->sets) >= sets->limit)
		return find_other(sets);
	return add_set(sets, key, bytes, hash);
}

void label_sets__each(const struct label_sets *sets,
		      void (*each)(void *context, const char *const labels[LABELS_MAX],
				   const void *value),
		      void *context)
{
	for (const struct set *set = sets->sets; set; set = set->hh.next) {
		const char *labels[LABELS_MAX] = {NULL};
		const char *at = set->key;

		for (int i = 0; i < LABELS_MAX && at < set->key + set->key_bytes; i++) {
			labels[i] = at;
			at += strlen(at) + 1;
		}
		each(context, labels, set->value);
	}
	if (sets->other)
		each(context, NULL, sets->other->value);
}
