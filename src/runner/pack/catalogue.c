// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/catalogue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The smaller kind wins. */
enum kind { KIND_SLUG, KIND_SLASH, KIND_ALIAS };

struct catalogue_name {
	const char *text; /* borrowed from the pack */
	enum kind kind;
	size_t at; /* of the entry in the list */
};

static int add(struct catalogue *catalogue, const char *text, enum kind kind, size_t at)
{
	if (!text)
		return 0;
	text += *text == '/';
	if (!*text)
		return 0;
	if (catalogue->count == catalogue->room) {
		size_t room = catalogue->room ? 2 * catalogue->room : 64;
		struct catalogue_name *longer =
			reallocarray(catalogue->names, room, sizeof(*longer));

		if (!longer)
			return -ENOMEM;
		catalogue->names = longer;
		catalogue->room = room;
	}
	catalogue->names[catalogue->count++] =
		(struct catalogue_name){.text = text, .kind = kind, .at = at};
	return 0;
}

static int add_entry(struct catalogue *catalogue, size_t at)
{
	const struct pack_entry *entry = &catalogue->list.entries[at];
	const struct pack *pack = pack_entry__runnable(entry);
	const cJSON *triggers, *alias;
	int err;

	if (!pack)
		return add(catalogue, entry->folder, KIND_SLUG, at);
	triggers = cJSON_GetObjectItemCaseSensitive(pack->manifest.root, "triggers");
	err = add(catalogue, pack->slug, KIND_SLUG, at);
	if (!err)
		err = add(catalogue,
			  cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(triggers, "slash")),
			  KIND_SLASH, at);
	cJSON_ArrayForEach (alias, cJSON_GetObjectItemCaseSensitive(triggers, "aliases")) {
		if (!err)
			err = add(catalogue, alias->valuestring, KIND_ALIAS, at);
	}
	return err;
}

static int compare_text(const void *a, const void *b)
{
	const struct catalogue_name *left = a, *right = b;

	return strcmp(left->text, right->text);
}

static int compare(const void *a, const void *b)
{
	const struct catalogue_name *left = a, *right = b;
	int order = compare_text(a, b);

	if (!order)
		order = (int)left->kind - (int)right->kind;
	return order ? order : (left->at > right->at) - (left->at < right->at);
}

/* Sorts the names, and keeps the first of each. */
static void sort(struct catalogue *catalogue)
{
	size_t kept = 0;

	if (catalogue->count)
		qsort(catalogue->names, catalogue->count, sizeof(*catalogue->names), compare);
	for (size_t i = 0; i < catalogue->count; i++)
		if (!kept || compare_text(&catalogue->names[kept - 1], &catalogue->names[i]))
			catalogue->names[kept++] = catalogue->names[i];
	catalogue->count = kept;
}

int catalogue__open(struct catalogue *catalogue, const char *const *directories, size_t count,
		    struct error *err)
{
	int code = 0;

	*catalogue = (struct catalogue){.count = 0};
	for (size_t i = 0; !code && i < count; i++)
		code = pack_list__add(&catalogue->list, directories[i], NULL, err);
	if (code)
		return code;
	for (size_t i = 0; !code && i < catalogue->list.count; i++)
		code = add_entry(catalogue, i);
	if (code)
		return error__set(err, code, "out of memory");
	sort(catalogue);
	return 0;
}

void catalogue__close(struct catalogue *catalogue)
{
	pack_list__free(&catalogue->list);
	free(catalogue->names);
	*catalogue = (struct catalogue){.count = 0};
}

static const struct catalogue_name *find(const struct catalogue *catalogue, const char *text)
{
	const struct catalogue_name key = {.text = text};

	if (!catalogue->count)
		return NULL;
	return bsearch(&key, catalogue->names, catalogue->count, sizeof(key), compare_text);
}

const struct pack_entry *catalogue__find(const struct catalogue *catalogue, const char *name)
{
	const struct catalogue_name *found = find(catalogue, name);

	return found ? &catalogue->list.entries[found->at] : NULL;
}

void catalogue__each(const struct catalogue *catalogue,
		     void (*found)(void *data, const struct pack_entry *entry), void *data)
{
	for (size_t i = 0; i < catalogue->list.count; i++) {
		const struct pack_entry *entry = &catalogue->list.entries[i];
		const struct pack *pack = pack_entry__runnable(entry);
		const struct catalogue_name *name =
			find(catalogue, pack ? pack->slug : entry->folder);

		if (name && name->at == i)
			found(data, entry);
	}
}
