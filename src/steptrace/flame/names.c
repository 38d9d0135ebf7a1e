// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* When memory is short, HASH_ADD leaves the item out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "common/printable.h"

struct names_entry {
	uint32_t number;
	bool is_in_table;
	UT_hash_handle hh;
	char key[]; /* the kind, the text, a NUL, the module */
};

/* NULL: no memory. */
static struct names_entry *entry_of(enum flame_kind kind, const char *text, const char *module,
				    size_t *key_bytes)
{
	size_t text_bytes = strlen(text), module_bytes = strlen(module);
	struct names_entry *entry;

	*key_bytes = text_bytes + module_bytes + 2;
	entry = malloc(sizeof(*entry) + *key_bytes);
	if (!entry)
		return NULL;
	entry->is_in_table = true;
	entry->key[0] = (char)kind;
	memcpy(entry->key + 1, text, text_bytes + 1);
	memcpy(entry->key + text_bytes + 2, module, module_bytes);
	return entry;
}

static int append(struct flame_names *names, enum flame_kind kind, const char *text,
		  const char *module)
{
	struct flame_name name = {.kind = kind};

	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 256;
		struct flame_name *list = realloc(names->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		names->list = list;
		names->room = room;
	}
	name.text = printable__duplicate(text[0] ? text : "[unnamed]");
	name.module = printable__duplicate(module);
	if (!name.text || !name.module) {
		free(name.text);
		free(name.module);
		return -ENOMEM;
	}
	names->list[names->count++] = name;
	return 0;
}

int flame_names__add(struct flame_names *names, enum flame_kind kind, const char *text,
		     const char *module, uint32_t *number)
{
	size_t key_bytes;
	struct names_entry *entry = entry_of(kind, text, module, &key_bytes), *found;
	int err;

	if (!entry)
		return -ENOMEM;
	HASH_FIND(hh, names->entries, entry->key, key_bytes, found);
	if (found) {
		*number = found->number;
		free(entry);
		return 0;
	}
	entry->number = (uint32_t)names->count;
	HASH_ADD_KEYPTR(hh, names->entries, entry->key, key_bytes, entry);
	if (!entry->is_in_table) {
		free(entry);
		return -ENOMEM;
	}
	err = append(names, kind, text, module);
	*number = entry->number;
	return err;
}

/* A name, and the number that it had. */
struct numbered {
	struct flame_name name;
	uint32_t number;
};

static int by_text(const void *a, const void *b)
{
	const struct numbered *left = a, *right = b;
	int order = strcmp(left->name.text, right->name.text);

	if (order == 0)
		order = strcmp(left->name.module, right->name.module);
	if (order == 0)
		order = (int)left->name.kind - (int)right->name.kind;
	return order ? order : (left->number > right->number) - (left->number < right->number);
}

int flame_names__sort(struct flame_names *names, uint32_t *numbers)
{
	struct numbered *sorted = calloc(names->count + 1, sizeof(*sorted));

	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < names->count; i++)
		sorted[i] = (struct numbered){names->list[i], (uint32_t)i};
	qsort(sorted, names->count, sizeof(*sorted), by_text);
	for (size_t i = 0; i < names->count; i++) {
		names->list[i] = sorted[i].name;
		numbers[sorted[i].number] = (uint32_t)i;
	}
	free(sorted);
	return 0;
}

void flame_names__free(struct flame_names *names)
{
	struct names_entry *entry, *next;

	HASH_ITER(hh, names->entries, entry, next)
	{
		HASH_DEL(names->entries, entry);
		free(entry);
	}
	for (size_t i = 0; i < names->count; i++) {
		free(names->list[i].text);
		free(names->list[i].module);
	}
	free(names->list);
	*names = (struct flame_names){0};
}
