// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/process_maps.h"
#include "steptrace/attach/proc.h"
#include "steptrace/confine/caller_rights.h"

void binary__close(struct binary *binary)
{
	if (!binary)
		return;
	if (binary->fd >= 0)
		close(binary->fd);
	free(binary);
}

void binaries__forget(struct binaries *set, size_t count, unsigned int visits)
{
	size_t kept = count;

	for (size_t i = count; i < set->count; i++) {
		if ((int)(set->items[i]->visit - visits) > 0)
			set->items[kept++] = set->items[i];
		else
			binary__close(set->items[i]);
	}
	set->count = kept;
}

void binaries__close(struct binaries *set)
{
	for (size_t i = 0; i < set->count; i++)
		binary__close(set->items[i]);
	free(set->items);
	*set = (struct binaries){0};
}

static struct binary *find(const struct binaries *set, dev_t device, ino_t inode)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->items[i]->device == device && set->items[i]->inode == inode)
			return set->items[i];
	return NULL;
}

static int append(struct binaries *set, struct binary *binary)
{
	struct binary **items;

	items = realloc(set->items, (set->count + 1) * sizeof(*items));
	if (!items)
		return -ENOMEM;
	set->items = items;
	set->items[set->count++] = binary;
	return 0;
}

/* O_NONBLOCK: open() of a FIFO must not block. */
static int open_regular(const char *path, const char *name, struct stat *status, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int code;

	if (fd < 0) {
		code = -errno;
		return error__set(err, code, "cannot open '%s': %s", name, strerror(-code));
	}
	if (fstat(fd, status) == 0 && S_ISREG(status->st_mode))
		return fd;
	close(fd);
	return error__set(err, -ENOEXEC, "'%s' is not a regular file", name);
}

/* Makes a binary of an open file; `fd` belongs to it, and is closed on failure. */
static int read_binary(int fd, const char *name, const struct stat *status, struct binary **out,
		       struct error *err)
{
	struct binary *binary = calloc(1, sizeof(*binary));
	int code;

	if (!binary) {
		close(fd);
		return error__set(err, -ENOMEM, "out of memory");
	}
	binary->fd = fd;
	binary->device = status->st_dev;
	binary->inode = status->st_ino;
	binary->changed_ns = binary__changed_ns(status);
	snprintf(binary->name, sizeof(binary->name), "%s", name);
	code = elf_notes__read(fd, name, &binary->notes, err);
	if (code) {
		binary__close(binary);
		return code;
	}
	*out = binary;
	return 0;
}

int binary__open(const char *path, const char *name, struct binary **out, struct error *err)
{
	struct stat status;
	int fd = open_regular(path, name, &status, err);

	return fd < 0 ? fd : read_binary(fd, name, &status, out, err);
}

int binary__open_named(const char *path, struct binary **out, struct error *err)
{
	struct caller_rights saved;
	int code = caller_rights__use(&saved, err);

	if (code)
		return code;
	code = binary__open(path, path, out, err);
	caller_rights__end(&saved);
	return code;
}

int binary__take(int fd, const char *name, struct binary **out, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status) == 0)
		return read_binary(fd, name, &status, out, err);
	close(fd);
	return error__set(err, -EBADF, "cannot read '%s'", name);
}

int binaries__add(struct binaries *set, const char *path, const char *name, struct binary **out,
		  struct error *err)
{
	struct stat status;
	int fd, code;

	fd = open_regular(path, name, &status, err);
	if (fd < 0)
		return fd;
	*out = find(set, status.st_dev, status.st_ino);
	if (*out) {
		close(fd);
		return 0;
	}
	code = read_binary(fd, name, &status, out, err);
	if (code)
		return code;
	if (binary__probes_count(*out) == 0) {
		close((*out)->fd); /* only remembered, never attached to */
		(*out)->fd = -1;
	}
	if (append(set, *out)) {
		binary__close(*out);
		return error__set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

uint64_t binary__changed_ns(const struct stat *status)
{
	return (uint64_t)status->st_ctim.tv_sec * 1000000000 + (uint64_t)status->st_ctim.tv_nsec;
}

bool binary__is_changed(const struct binary *binary)
{
	struct stat status;

	return fstat(binary->fd, &status) == 0 && binary__changed_ns(&status) != binary->changed_ns;
}

static bool is_same_note(const struct probe_note *left, const struct probe_note *right)
{
	return left->probe == right->probe && left->offset == right->offset &&
	       left->semaphore_offset == right->semaphore_offset && left->sites == right->sites;
}

bool binary__is_rewritten(struct binary *binary)
{
	struct probe_notes notes, *known = &binary->notes;
	struct error ignored;
	struct stat status;

	if (fstat(binary->fd, &status))
		return true;
	/* Before the content is read, so that a change meanwhile is seen by the next check. */
	binary->changed_ns = binary__changed_ns(&status);
	if (elf_notes__read(binary->fd, binary->name, &notes, &ignored) ||
	    notes.count != known->count || notes.build_id_bytes != known->build_id_bytes ||
	    memcmp(notes.build_id, known->build_id, notes.build_id_bytes) != 0)
		return true;
	for (size_t i = 0; i < notes.count; i++)
		if (!is_same_note(&notes.notes[i], &known->notes[i]))
			return true;
	return false;
}

bool binary__is_deleted(const struct binary *binary)
{
	struct stat status;

	return fstat(binary->fd, &status) == 0 && status.st_nlink == 0;
}

void binary__build_id(const struct binary *binary, char text[BUILD_ID_TEXT_BYTES])
{
	text[0] = 0;
	for (size_t i = 0; i < binary->notes.build_id_bytes; i++)
		snprintf(&text[2 * i], 3, "%02x", binary->notes.build_id[i]);
}

void binary__link_text(const char *link, char name[PATH_MAX])
{
	ssize_t bytes = readlink(link, name, PATH_MAX - 1);

	snprintf(name + (bytes > 0 ? bytes : 0), 2, "%s", bytes > 0 ? "" : "?");
}

/* The device is not compared: on an overlay it is another one than stat() shows. */
enum loading binary__loading(const struct binary *binary, pid_t pid)
{
	struct process_mapping mapping;
	struct copies copies = {0};
	struct process_maps maps;

	if (process_maps__open(&maps, process_maps__thread(pid)))
		return LOADED_ONCE;
	while (process_maps__next(&maps, &mapping)) {
		const struct mapped_part part = {
			.offset = mapping.file_offset,
			.bytes = mapping.end - mapping.start,
			.writable = mapping.permissions[1] == 'w',
			.executable = mapping.permissions[2] == 'x',
			.shared = mapping.permissions[3] == 's',
		};

		if (mapping.inode == binary->inode)
			copies__add(&copies, &binary->notes, &part);
	}
	process_maps__close(&maps);
	return copies__judge(&copies, &binary->notes);
}

/* Calls `each` for a binary with probes, once for each process. */
static int report(struct binaries *set, struct binary *binary, binary_fn *each, void *context)
{
	if (binary->visit == set->visits)
		return 0;
	binary->visit = set->visits;
	return binary__probes_count(binary) ? each(binary, context) : 0;
}

/* Adds the file behind a link of /proc. Returns 0 also where it cannot be read. */
static int visit_link(struct binaries *set, const char *link, binary_fn *each, void *context)
{
	struct error ignored;
	struct binary *binary;
	char name[PATH_MAX];

	binary__link_text(link, name);
	if (binaries__add(set, link, name, &binary, &ignored))
		return 0;
	return report(set, binary, each, context);
}

static int visit_mapping(struct binaries *set, pid_t tid, const struct process_mapping *mapping,
			 binary_fn *each, void *context)
{
	struct binary *known = find(set, mapping->device, mapping->inode);
	char path[80];

	if (!strchr(mapping->permissions, 'x') || mapping->inode == 0)
		return 0;
	if (known)
		return report(set, known, each, context);
	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, tid, mapping->start,
		 mapping->end);
	return visit_link(set, path, each, context);
}

int binaries__of_process(struct binaries *set, pid_t pid, binary_fn *each, void *context,
			 struct error *err)
{
	struct process_mapping mapping;
	struct process_maps maps;
	pid_t tid = process_maps__thread(pid);
	char exe[64];
	int code = process_maps__open(&maps, tid);

	if (code == -ENOENT && proc__check(err))
		return code;
	if (code == -ENOENT || code == -ESRCH)
		return error__set(err, -ESRCH, "there is no process %d", pid);
	if (code)
		return error__set(err, -EACCES, "cannot look into process %d: %s (run it as root)",
				  pid, strerror(-code));
	set->visits++;
	snprintf(exe, sizeof(exe), "/proc/%d/exe", tid);
	code = visit_link(set, exe, each, context);
	while (code == 0 && process_maps__next(&maps, &mapping))
		code = visit_mapping(set, tid, &mapping, each, context);
	process_maps__close(&maps);
	return code;
}
