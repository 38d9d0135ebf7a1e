// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool holds_pack(const char *directory)
{
	char *path;
	bool found;

	if (asprintf(&path, "%s/command.yaml", directory) < 0)
		return false;
	found = access(path, F_OK) == 0;
	free(path);
	return found;
}

/* Takes ownership of `directory`. */
static int add_entry(struct pack_list *list, char *directory, bool is_alone)
{
	struct pack_entry *longer, *entry;
	const char *slash = strrchr(directory, '/');

	longer = realloc(list->entries, (list->count + 1) * sizeof(*longer));
	if (!longer) {
		free(directory);
		return -ENOMEM;
	}
	list->entries = longer;
	entry = &longer[list->count++];
	*entry = (struct pack_entry){.directory = directory,
				     .folder = slash ? slash + 1 : directory,
				     .is_alone = is_alone};
	pack__load(directory, is_alone ? NULL : entry->folder, &entry->pack, &entry->err);
	return 0;
}

static int add_folder(struct pack_list *list, const char *directory, const char *name)
{
	char *path;

	if (name[0] == '.')
		return 0;
	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	if (holds_pack(path))
		return add_entry(list, path, false);
	free(path);
	return 0;
}

int pack_list__add(struct pack_list *list, const char *directory, struct error *err)
{
	struct dirent **folders;
	int count, code = 0;

	if (holds_pack(directory)) {
		char *copy = strdup(directory);

		return copy ? add_entry(list, copy, true) : -ENOMEM;
	}
	count = scandir(directory, &folders, NULL, alphasort);
	if (count < 0)
		return error__set(err, -errno, "cannot read packs in '%s': %s", directory,
				  strerror(errno));
	for (int i = 0; i < count; i++) {
		if (!code)
			code = add_folder(list, directory, folders[i]->d_name);
		free(folders[i]);
	}
	free(folders);
	return code ? error__set(err, code, "out of memory") : 0;
}

void pack_list__free(struct pack_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		pack__free(list->entries[i].pack);
		free(list->entries[i].directory);
	}
	free(list->entries);
	*list = (struct pack_list){0};
}
