// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/mapped.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "steptrace/symbols/debug_file.h"
#include "steptrace/symbols/foreign_file.h"
#include "steptrace/symbols/perf_map.h"

/* ---- the vdso */

/* A file in memory with a copy of this mapping. Negative errno. */
static int copy_mapping(const struct process_mapping *mapping)
{
	size_t bytes = mapping->end - mapping->start;
	int fd = memfd_create("vdso", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, (const void *)(uintptr_t)mapping->start, bytes) == (ssize_t)bytes)
		return fd;
	close(fd);
	return -EIO;
}

void mapped__read_vdso(struct mapped *mapped)
{
	struct process_mapping mapping;
	struct process_maps maps;

	if (process_maps__open(&maps, 0))
		return;
	while (!mapped->vdso && process_maps__next(&maps, &mapping)) {
		int fd =
			strcmp(mapping.untrusted_path, "[vdso]") == 0 ? copy_mapping(&mapping) : -1;

		if (fd < 0)
			continue;
		mapped->vdso = modules__add(mapped->modules, MODULE_FILE, "[vdso]", NULL);
		mapped->vdso_bytes = mapping.end - mapping.start;
		if (mapped->vdso)
			modules__at(mapped->modules, mapped->vdso)->fd = fd;
		else
			close(fd);
	}
	process_maps__close(&maps);
}

/* ---- opening the file */

/* Btrfs and overlay file systems show another device than stat() does. The major number of both is
 * zero. */
static bool is_same_file(const struct process_mapping *mapping, const struct stat *status)
{
	return mapping->inode == status->st_ino &&
	       (mapping->device == status->st_dev ||
		(major(mapping->device) == 0 && major(status->st_dev) == 0));
}

static int open_below(int root, const struct process_mapping *mapping, struct stat *status)
{
	int fd = foreign_file__open_below(root, mapping->untrusted_path, status);

	if (fd < 0 || is_same_file(mapping, status))
		return fd;
	close(fd);
	return -ESTALE;
}

/* The kernel shows the path as it is in the mount namespace of the process. Where that is the one
 * of the tracer, it begins at the root directory of the tracer, whatever that of the process is. */
static int open_by_path(pid_t tid, const struct process_mapping *mapping, struct stat *status)
{
	int fd = -ENOENT;

	for (int i = 0; i < 2 && fd < 0; i++) {
		int root = foreign_file__root(i ? getpid() : tid);

		if (root < 0)
			continue;
		fd = open_below(root, mapping, status);
		close(root);
	}
	return fd;
}

static int open_file(pid_t tid, const struct process_mapping *mapping, struct stat *status)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, tid, mapping->start,
		 mapping->end);
	fd = foreign_file__open(path, status);
	return fd < 0 && mapping->untrusted_path[0] == '/' ? open_by_path(tid, mapping, status)
							   : fd;
}

/* The file's name without its directory, and without what the kernel adds when it was deleted. */
static void name_of(const char *path, char *name, size_t room)
{
	static const char deleted[] = " (deleted)";
	const char *slash = strrchr(path, '/');
	size_t bytes, suffix = sizeof(deleted) - 1;

	path = slash ? slash + 1 : path;
	bytes = strlen(path);
	if (bytes > suffix && strcmp(path + bytes - suffix, deleted) == 0)
		bytes -= suffix;
	snprintf(name, room, "%.*s", bytes ? (int)bytes : 1, bytes ? path : "?");
}

/* ---- debug files */

struct debug_search {
	struct mapped *mapped;
	uint32_t number;
};

static bool try_debug_file(void *context, int fd)
{
	const struct debug_search *search = context;
	const struct helper_question question = {.kind = HELPER_DEBUG, .file = search->number};
	const struct helper_answer *answer;

	if (modules__ask(search->mapped->modules, search->mapped->helper, &question, fd, &answer))
		return false;
	modules__at(search->mapped->modules, search->number)->debug_fd = fd;
	return true;
}

/* ---- modules */

static uint32_t find_or_add(struct mapped *mapped, const struct module_key *key, const char *name,
			    uint64_t *count)
{
	uint32_t number = modules__find(mapped->modules, key);

	if (number)
		return number;
	*count += 1;
	return modules__add(mapped->modules, MODULE_CLOSED, name, key);
}

/* What cannot be read still has a name. It is known by what the kernel shows of it. */
static uint32_t closed_module(struct mapped *mapped, const struct process_mapping *mapping,
			      const char *name, uint64_t *count)
{
	const struct module_key key = {
		.device = mapping->device, .inode = mapping->inode, .kind = MODULE_CLOSED};

	return find_or_add(mapped, &key, name, count);
}

/* Code that the kernel has mapped: "[vdso]", and "[uprobes]", where a probed instruction is
 * executed out of line. 0: it is other memory. */
static uint32_t special_module(struct mapped *mapped, const struct process_mapping *mapping)
{
	static const char *const names[] = {"[vdso]", "[uprobes]"};
	uint64_t expected = 0;

	if (mapped->vdso && strcmp(mapping->untrusted_path, "[vdso]") == 0 &&
	    mapping->end - mapping->start == mapped->vdso_bytes)
		return mapped->vdso;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct module_key key = {.bytes = i + 1, .kind = MODULE_CLOSED};

		if (strcmp(mapping->untrusted_path, names[i]) == 0)
			return find_or_add(mapped, &key, names[i], &expected);
	}
	return 0;
}

/* Files in memory are often those of just-in-time compilers, which map them twice. */
static bool is_in_memory(const char *path)
{
	return strncmp(path, "/memfd:", 7) == 0 || strncmp(path, "/dev/zero", 9) == 0 ||
	       strncmp(path, "/SYSV", 5) == 0 || strncmp(path, "/dev/shm/", 9) == 0;
}

/* Takes `fd` over. */
static uint32_t add_file(struct mapped *mapped, pid_t tid, const struct owner *owner,
			 const struct process_mapping *mapping, int fd,
			 const struct module_key *key)
{
	struct symbols_troubles expected = {0}, *troubles;
	struct elf_identity identity = {0};
	char name[NAME_MAX + 1];
	uint32_t number;

	name_of(mapping->untrusted_path, name, sizeof(name));
	number = modules__add(mapped->modules, MODULE_FILE, name, key);
	if (!number) {
		close(fd);
		return 0;
	}
	modules__at(mapped->modules, number)->fd = fd;
	troubles = is_in_memory(mapping->untrusted_path) ? &expected : mapped->troubles;
	if (modules__give(mapped->modules, number, mapped->helper, &identity, troubles) &&
	    !identity.has_symtab) {
		struct debug_search search = {mapped, number};

		debug_file__search(tid, owner, mapping->untrusted_path, &identity, try_debug_file,
				   &search);
	}
	return number;
}

static uint32_t file_module(struct mapped *mapped, pid_t tid, const struct owner *owner,
			    const struct process_mapping *mapping)
{
	char name[NAME_MAX + 1];
	struct module_key key;
	struct stat status;
	uint32_t number;
	int fd = open_file(tid, mapping, &status);

	name_of(mapping->untrusted_path, name, sizeof(name));
	if (fd >= 0 && !modules__has_room(mapped->modules)) {
		close(fd);
		fd = -EMFILE;
	}
	if (fd < 0)
		return closed_module(mapped, mapping, name, &mapped->troubles->files_unread);
	if (!owner__may_read(owner, &status)) {
		close(fd);
		return closed_module(mapped, mapping, name, &mapped->troubles->files_forbidden);
	}
	key = module_key__of(&status, MODULE_FILE);
	number = modules__find(mapped->modules, &key);
	if (!number)
		return add_file(mapped, tid, owner, mapping, fd, &key);
	close(fd);
	return number;
}

uint32_t mapped__module(struct mapped *mapped, pid_t tid, const struct owner *owner,
			const struct process_mapping *mapping)
{
	const char *path = mapping->untrusted_path;
	uint32_t number;

	if (mapping->inode == 0)
		return special_module(mapped, mapping);
	number = file_module(mapped, tid, owner, mapping);
	if (number && modules__at(mapped->modules, number)->is_broken && is_in_memory(path))
		return 0;
	return number;
}

/* ---- perf maps */

int mapped__open_perf_map(pid_t tid, const struct owner *owner)
{
	int root = foreign_file__root(tid), fd;
	struct stat status;
	char path[48];

	if (root < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/tmp/perf-%d.map",
		 owner->inner_pid > 0 ? owner->inner_pid : tid);
	fd = foreign_file__open_below(root, path, &status);
	close(root);
	if (fd < 0 || (owner__wrote(owner, &status) && status.st_size <= PERF_MAP_BYTES_MAX))
		return fd;
	close(fd);
	return -EPERM;
}
