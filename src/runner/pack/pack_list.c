// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

static bool has_folder(const struct pack_list *list, const struct stat *status)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->entries[i].device == status->st_dev &&
		    list->entries[i].inode == status->st_ino)
			return true;
	return false;
}

static struct pack_entry *append(struct pack_list *list)
{
	struct pack_entry *longer = realloc(list->entries, (list->count + 1) * sizeof(*longer));

	if (!longer)
		return NULL;
	list->entries = longer;
	longer[list->count] = (struct pack_entry){.directory = NULL};
	return &longer[list->count++];
}

static int add_entry(struct pack_list *list, const char *directory, bool is_alone)
{
	struct stat status = {.st_ino = 0};
	struct pack_entry *entry;
	const char *slash;

	if (stat(directory, &status) == 0 && has_folder(list, &status))
		return 0;
	entry = append(list);
	if (!entry)
		return -ENOMEM;
	entry->directory = strdup(directory);
	if (!entry->directory)
		return -ENOMEM;
	slash = strrchr(entry->directory, '/');
	entry->folder = slash ? slash + 1 : entry->directory;
	entry->device = status.st_dev;
	entry->inode = status.st_ino;
	entry->is_alone = is_alone;
	return pack__read(directory, is_alone ? NULL : entry->folder, &entry->pack,
			  &entry->problems);
}

static int add_folder(struct pack_list *list, const char *directory, const char *name,
		      size_t *found)
{
	char *path;
	int err = 0;

	if (name[0] == '.')
		return 0;
	if (asprintf(&path, "%s/%s", directory, name) < 0)
		return -ENOMEM;
	if (holds_pack(path)) {
		++*found;
		err = add_entry(list, path, false);
	}
	free(path);
	return err;
}

static int add_folders(struct pack_list *list, const char *directory, size_t *found)
{
	struct dirent **folders;
	int count = scandir(directory, &folders, NULL, alphasort), err = 0;

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		if (!err)
			err = add_folder(list, directory, folders[i]->d_name, found);
		free(folders[i]);
	}
	free(folders);
	return err;
}

int pack_list__add(struct pack_list *list, const char *directory, size_t *found, struct error *err)
{
	size_t count = holds_pack(directory);
	int code = count ? add_entry(list, directory, true) : add_folders(list, directory, &count);

	if (found)
		*found = count;
	if (code == -ENOMEM)
		return error__set(err, code, "out of memory");
	return code ? error__set(err, code, "cannot read packs in '%s': %s", directory,
				 strerror(-code))
		    : 0;
}

const struct pack *pack_entry__runnable(const struct pack_entry *entry)
{
	return entry->problems.count || entry->problems.lacks_memory ? NULL : entry->pack;
}

void pack_list__free(struct pack_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		pack__free(list->entries[i].pack);
		pack_problems__free(&list->entries[i].problems);
		free(list->entries[i].directory);
	}
	free(list->entries);
	*list = (struct pack_list){0};
}
