// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/debug_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/symbols/foreign_file.h"

#define DEBUG_FOLDER "/usr/lib/debug"

struct search {
	int root; /* of the process; -1: not known */
	const struct owner *owner;
	debug_file_try *try;
	void *context;
};

static bool is_it(const struct search *search, int fd, const struct stat *status)
{
	if (fd < 0)
		return false;
	if (owner__may_read(search->owner, status) && search->try(search->context, fd))
		return true;
	close(fd);
	return false;
}

/* In the tracer's own folder, distributions may use symbolic links. */
static bool is_at(const struct search *search, const char *path, bool is_debug_folder)
{
	struct stat status;

	if (search->root >= 0 &&
	    is_it(search, foreign_file__open_below(search->root, path, &status), &status))
		return true;
	return is_debug_folder && is_it(search, foreign_file__open(path, &status), &status);
}

static bool search_by_build_id(const struct search *search, const struct elf_identity *identity)
{
	char path[64 + 2 * ELF_BUILD_ID_MAX];
	int length;

	if (identity->build_id_bytes < 2)
		return false;
	length = snprintf(path, sizeof(path), DEBUG_FOLDER "/.build-id/%02x/",
			  identity->build_id[0]);
	for (uint32_t i = 1; i < identity->build_id_bytes; i++)
		length += snprintf(path + length, sizeof(path) - (size_t)length, "%02x",
				   identity->build_id[i]);
	snprintf(path + length, sizeof(path) - (size_t)length, ".debug");
	return is_at(search, path, true);
}

static void search_by_link(const struct search *search, const char *file, const char *name)
{
	static const struct {
		const char *before, *between;
		bool is_debug_folder;
	} places[] = {
		{"", "", false},
		{"", ".debug/", false},
		{DEBUG_FOLDER, "", true},
	};
	const char *slash = strrchr(file, '/');
	char path[PATH_MAX];
	int length;

	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		length = snprintf(path, sizeof(path), "%s%.*s/%s%s", places[i].before,
				  (int)(slash - file), file, places[i].between, name);
		if (length < (int)sizeof(path) && is_at(search, path, places[i].is_debug_folder))
			return;
	}
}

void debug_file__search(pid_t tid, const struct owner *owner, const char *path,
			const struct elf_identity *identity, debug_file_try *try, void *context)
{
	const struct search search = {foreign_file__root(tid), owner, try, context};

	if (!search_by_build_id(&search, identity) && identity->debuglink[0])
		search_by_link(&search, path, identity->debuglink);
	if (search.root >= 0)
		close(search.root);
}
