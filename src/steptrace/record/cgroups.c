// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/cgroups.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cgroup2.h"
#include "common/clock.h"

enum {
	KEPT = 1024,         /* paths */
	SEARCH_LIMIT = 8192, /* directories of one search */
	DEPTH_LIMIT = 32,
};

/* After a search that found nothing. Processes may end faster than they can be looked at, each in a
 * cgroup of its own. */
#define SEARCH_PAUSE_NS 1000000000ull

struct kept {
	uint64_t id;
	char *path; /* owned; NULL: this place is free */
};

struct cgroups {
	const char *mount; /* NULL: none */
	uint64_t pause_until_ns;
	struct kept kept[KEPT];
};

struct cgroups *cgroups__new(void)
{
	struct cgroups *cgroups = calloc(1, sizeof(*cgroups));

	if (cgroups)
		cgroups->mount = cgroup2__mount();
	return cgroups;
}

void cgroups__free(struct cgroups *cgroups)
{
	if (!cgroups)
		return;
	for (size_t i = 0; i < KEPT; i++)
		free(cgroups->kept[i].path);
	free(cgroups);
}

/* On a 64-bit kernel the id of a cgroup is its directory's inode number. */
static bool has_id(const struct cgroups *cgroups, const char *path, uint64_t id)
{
	char full[CGROUP2_PATH_BYTES + 64];
	struct stat status;

	snprintf(full, sizeof(full), "%s%s", cgroups->mount, path);
	return stat(full, &status) == 0 && status.st_ino == id;
}

/* ---- by a search */

struct search {
	const struct cgroups *cgroups;
	uint64_t id;
	unsigned int left;             /* directories that may still be read */
	char path[CGROUP2_PATH_BYTES]; /* the one that is being read */
};

static bool search_below(struct search *search, unsigned int depth);

/* Appends the name to the path, looks there, and leaves the path as it was if nothing is found. */
static bool search_entry(struct search *search, const struct dirent *entry, unsigned int depth)
{
	size_t bytes = strlen(search->path), more = strlen(entry->d_name) + 1;

	if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
	    bytes + more >= CGROUP2_PATH_BYTES)
		return false;
	search->path[bytes] = '/';
	memcpy(search->path + bytes + 1, entry->d_name, more);
	if (entry->d_ino == search->id || search_below(search, depth + 1))
		return true;
	search->path[bytes] = 0;
	return false;
}

static bool search_below(struct search *search, unsigned int depth)
{
	char full[CGROUP2_PATH_BYTES + 64];
	const struct dirent *entry;
	bool found = false;
	DIR *directory;

	if (depth >= DEPTH_LIMIT || search->left == 0)
		return false;
	search->left--;
	snprintf(full, sizeof(full), "%s%s", search->cgroups->mount, search->path);
	directory = opendir(full);
	while (directory && !found && (entry = readdir(directory)))
		found = search_entry(search, entry, depth);
	if (directory)
		closedir(directory);
	return found;
}

/* ---- both */

static char *search_path(struct cgroups *cgroups, uint64_t id)
{
	struct search search = {.cgroups = cgroups, .id = id, .left = SEARCH_LIMIT};

	if (clock__now_ns() < cgroups->pause_until_ns)
		return NULL;
	if (search_below(&search, 0))
		return strdup(search.path);
	cgroups->pause_until_ns = clock__now_ns() + SEARCH_PAUSE_NS;
	return NULL;
}

static char *look_up(struct cgroups *cgroups, uint64_t id, uint32_t pid)
{
	char path[CGROUP2_PATH_BYTES];

	if (!cgroups->mount)
		return NULL;
	if (cgroup2__path_of(pid, path) && has_id(cgroups, path, id))
		return strdup(path);
	return search_path(cgroups, id);
}

const char *cgroups__path(void *context, uint64_t id, uint32_t pid)
{
	struct cgroups *cgroups = context;
	struct kept *kept = &cgroups->kept[(id * 0x9e3779b97f4a7c15ull >> 32) % KEPT];
	char *path;

	if (kept->path && kept->id == id)
		return kept->path;
	path = look_up(cgroups, id, pid);
	if (!path)
		return NULL;
	free(kept->path);
	*kept = (struct kept){.id = id, .path = path};
	return kept->path;
}
