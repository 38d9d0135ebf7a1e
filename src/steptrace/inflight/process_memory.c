// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/process_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/process_maps.h"

enum {
	ENTRIES = 512,            /* pages of one reading of the pagemap */
	PIECE_BYTES = 256 * 1024, /* of one reading of memory */
	COPY_BYTES = 4096,        /* divides the size of a page */
	COPIES = 16,
	AREAS_MAX = 1 << 17, /* the kernel's own limit is 65530 by default */
};

/* See Documentation/admin-guide/mm/pagemap.rst. A guard page counts as swapped out, too. */
#define PAGE_IS_PRESENT (1ull << 63)
#define PAGE_IS_SWAPPED (1ull << 62)
#define PAGE_IS_GUARD   (1ull << 58)

static uint64_t page_bytes(void)
{
	static uint64_t bytes;

	if (!bytes)
		bytes = (uint64_t)sysconf(_SC_PAGESIZE);
	return bytes;
}

/* ---- the list of areas */

static int add_area(struct process_memory *memory, const struct memory_area *area)
{
	if (memory->areas_count == memory->areas_room) {
		size_t room = memory->areas_room ? 2 * memory->areas_room : 64;
		struct memory_area *moved =
			room <= AREAS_MAX ? realloc(memory->areas, room * sizeof(*moved)) : NULL;

		if (!moved)
			return -ENOMEM;
		memory->areas = moved;
		memory->areas_room = room;
	}
	memory->areas[memory->areas_count++] = *area;
	return 0;
}

static int list_areas(struct process_memory *memory)
{
	struct process_maps maps;
	struct process_mapping mapping;
	uint64_t guard_end = 0;
	int code = process_maps__open(&maps, memory->thread);

	if (code)
		return code;
	while (!code && process_maps__next(&maps, &mapping)) {
		const struct memory_area area = {
			.start = mapping.start,
			.end = mapping.end,
			.file_offset = mapping.file_offset,
			.is_writable = mapping.permissions[1] == 'w',
			.is_file = mapping.inode != 0,
			.is_shared = mapping.permissions[3] == 's',
			.is_stack = strcmp(mapping.untrusted_path, "[stack]") == 0,
			.is_heap = strcmp(mapping.untrusted_path, "[heap]") == 0,
			.follows_guard = mapping.start == guard_end,
		};

		if (mapping.permissions[0] == 'r')
			code = add_area(memory, &area);
		if (strncmp(mapping.permissions, "---", 3) == 0)
			guard_end = mapping.end;
	}
	process_maps__close(&maps);
	return code;
}

/* ---- open and close */

static bool is_present(const struct process_memory *memory, uint64_t address)
{
	uint64_t entry;
	off_t at = (off_t)(address / page_bytes() * sizeof(entry));

	return pread(memory->pagemap, &entry, sizeof(entry), at) == sizeof(entry) &&
	       (entry & PAGE_IS_PRESENT);
}

/* Whether its memory may be read: tries the first byte of the first area whose first page is in
 * memory. The kernel could wait for a page of a file for ever. */
static int try_to_read(const struct process_memory *memory)
{
	char byte;
	struct iovec local = {&byte, 1};
	struct iovec remote = {NULL, 1};

	if (memory->areas_count == 0)
		return -ESRCH;
	for (size_t i = 0; i < memory->areas_count && !remote.iov_base; i++)
		if (is_present(memory, memory->areas[i].start))
			remote.iov_base = (void *)(uintptr_t)memory->areas[i].start;
	if (remote.iov_base && process_vm_readv(memory->thread, &local, 1, &remote, 1, 0) < 0 &&
	    errno != EFAULT)
		return -errno;
	return 0;
}

static int open_files(struct process_memory *memory)
{
	char path[64];
	int code = list_areas(memory);

	if (code)
		return code;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", memory->thread);
	memory->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	return memory->pagemap < 0 ? -errno : try_to_read(memory);
}

int process_memory__open(struct process_memory *memory, pid_t pid, struct error *err)
{
	int code;

	*memory = (struct process_memory){
		.pid = pid, .thread = process_maps__thread(pid), .pagemap = -1};
	code = open_files(memory);
	if (code == -EPERM || code == -EACCES)
		return error__set(err, -EACCES,
				  "the memory of process %d cannot be read: permission denied (run "
				  "it as root, with CAP_SYS_PTRACE; for your own processes, sysctl "
				  "kernel.yama.ptrace_scope must be 0)",
				  pid);
	if (code == -ENOENT || code == -ESRCH)
		return error__set(err, -ESRCH, "process %d has ended", pid);
	return code ? error__set(err, code, "the memory of process %d cannot be read: %s", pid,
				 strerror(-code))
		    : 0;
}

void process_memory__close(struct process_memory *memory)
{
	if (memory->pagemap >= 0)
		close(memory->pagemap);
	free(memory->areas);
	free(memory->copies);
	free(memory->buffer);
	*memory = (struct process_memory){.pagemap = -1};
}

const struct memory_area *process_memory__area(const struct process_memory *memory,
					       uint64_t address)
{
	size_t low = 0, high = memory->areas_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct memory_area *area = &memory->areas[middle];

		if (address < area->start)
			high = middle;
		else if (address >= area->end)
			low = middle + 1;
		else
			return area;
	}
	return NULL;
}

/* ---- some bytes */

static ssize_t read_memory(const struct process_memory *memory, uint64_t address, void *bytes,
			   size_t size_bytes)
{
	struct iovec local = {bytes, size_bytes};
	struct iovec remote = {(void *)(uintptr_t)address, size_bytes};

	return process_vm_readv(memory->thread, &local, 1, &remote, 1, 0);
}

static ssize_t read_file(const struct process_memory *memory, const struct memory_area *area,
			 uint64_t address, void *bytes, size_t size_bytes)
{
	char path[96];
	ssize_t result;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, memory->thread,
		 area->start, area->end);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	result = pread(fd, bytes, size_bytes, (off_t)(address - area->start + area->file_offset));
	close(fd);
	return result;
}

/* Bytes of one page. A page of a file that is not in memory is read from memory nevertheless if the
 * caller may not open map_files: it was not written to, so the kernel only maps it. Such a caller
 * reads only processes of its own. For others, the kernel could wait for the file for ever. */
static ssize_t read_in_page(const struct process_memory *memory, uint64_t address, void *bytes,
			    size_t size_bytes)
{
	const struct memory_area *area;
	ssize_t result;

	if (is_present(memory, address))
		return read_memory(memory, address, bytes, size_bytes);
	area = process_memory__area(memory, address);
	if (!area || !area->is_file || area->is_writable)
		return 0;
	result = read_file(memory, area, address, bytes, size_bytes);
	return result == -EPERM ? read_memory(memory, address, bytes, size_bytes) : result;
}

/* ---- memory that does not change is copied: thousands of commands have the same constant texts */

struct memory_copies {
	struct {
		uint64_t address; /* divisible by COPY_BYTES; 0: none */
		size_t size_bytes;
		char bytes[COPY_BYTES];
	} items[COPIES];
};

static bool is_constant(const struct process_memory *memory, uint64_t address)
{
	const struct memory_area *area = process_memory__area(memory, address);

	return area && area->is_file && !area->is_writable && !area->is_shared;
}

/* As read_in_page(). Where nothing can be copied, the next reading tries again. */
static ssize_t read_constant(struct process_memory *memory, uint64_t address, void *bytes,
			     size_t size_bytes)
{
	size_t offset = address % COPY_BYTES, slot = address / COPY_BYTES % COPIES;
	struct memory_copies *copies = memory->copies;
	size_t known;

	if (!copies)
		copies = memory->copies = calloc(1, sizeof(*copies));
	if (!copies)
		return read_in_page(memory, address, bytes, size_bytes);
	if (copies->items[slot].address != address - offset) {
		ssize_t result = read_in_page(memory, address - offset, copies->items[slot].bytes,
					      COPY_BYTES);

		copies->items[slot].address = result > 0 ? address - offset : 0;
		if (result <= 0)
			return result;
		copies->items[slot].size_bytes = (size_t)result;
	}
	known = copies->items[slot].size_bytes;
	if (offset >= known)
		return 0;
	if (size_bytes > known - offset)
		size_bytes = known - offset;
	memcpy(bytes, copies->items[slot].bytes + offset, size_bytes);
	return (ssize_t)size_bytes;
}

ssize_t process_memory__read(void *context, uint64_t address, void *bytes, size_t size_bytes)
{
	struct process_memory *memory = context;
	size_t done = 0;

	if (size_bytes > PROCESS_MEMORY_READ_MAX || address > UINT64_MAX - size_bytes)
		return 0;
	while (done < size_bytes) {
		uint64_t at = address + done;
		size_t rest = COPY_BYTES - at % COPY_BYTES;
		size_t piece = rest < size_bytes - done ? rest : size_bytes - done;
		char *to = (char *)bytes + done;
		ssize_t result = is_constant(memory, at) ? read_constant(memory, at, to, piece)
							 : read_in_page(memory, at, to, piece);

		if (result <= 0)
			break;
		done += (size_t)result;
		if ((size_t)result < piece)
			break;
	}
	return (ssize_t)done;
}

/* ---- all bytes */

struct walk {
	const struct process_memory *memory;
	memory_fn *each;
	void *context;
	struct memory_counts *counts;
	char *buffer; /* PIECE_BYTES */
};

/* Adjacent pages that are in memory. A page may have gone since: the rest of the piece is then
 * skipped. */
static int read_run(const struct walk *walk, uint64_t from, uint64_t to)
{
	int code = 0;

	while (from < to && !code) {
		size_t piece = to - from < PIECE_BYTES ? (size_t)(to - from) : PIECE_BYTES;
		ssize_t result = read_memory(walk->memory, from, walk->buffer, piece);

		if (result < 0 && errno != EFAULT)
			return -errno;
		if (result > 0) {
			walk->counts->read_bytes += (uint64_t)result;
			code = walk->each(walk->context, walk->buffer, (size_t)result, from);
		}
		from += piece;
	}
	return code;
}

/* The runs of present pages among `count` pages from `address`. */
static int read_pages(const struct walk *walk, uint64_t address, const uint64_t *entries,
		      size_t count)
{
	uint64_t page = page_bytes();
	int code = 0;

	for (size_t i = 0, end; i < count && !code; i = end) {
		bool is_in = entries[i] & PAGE_IS_PRESENT;

		if ((entries[i] & (PAGE_IS_SWAPPED | PAGE_IS_GUARD)) == PAGE_IS_SWAPPED && !is_in)
			walk->counts->swapped_bytes += page;
		for (end = i + 1; is_in && end < count && entries[end] & PAGE_IS_PRESENT; end++)
			;
		if (is_in)
			code = read_run(walk, address + i * page, address + end * page);
	}
	return code;
}

static int walk_pages(const struct walk *walk, uint64_t from, uint64_t to)
{
	uint64_t page = page_bytes(), entries[ENTRIES];
	int code = 0;

	for (from -= from % page; from < to && !code; from += ENTRIES * page) {
		uint64_t pages = (to - from + page - 1) / page;
		size_t count = pages < ENTRIES ? (size_t)pages : ENTRIES;
		ssize_t bytes = pread(walk->memory->pagemap, entries, count * sizeof(entries[0]),
				      (off_t)(from / page * sizeof(entries[0])));

		if (bytes < 0)
			return -errno;
		code = read_pages(walk, from, entries, (size_t)bytes / sizeof(entries[0]));
		if ((size_t)bytes < count * sizeof(entries[0]))
			break;
	}
	return code;
}

int process_memory__each(struct process_memory *memory, uint64_t from, uint64_t to, memory_fn *each,
			 void *context, struct memory_counts *counts)
{
	struct walk walk = {memory, each, context, counts, NULL};

	if (!memory->buffer)
		memory->buffer = malloc(PIECE_BYTES);
	walk.buffer = memory->buffer;
	return walk.buffer ? walk_pages(&walk, from, to) : -ENOMEM;
}
