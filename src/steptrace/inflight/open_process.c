// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/open_process.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

/* A process can be full of forged tags: so many are looked at. */
enum { TAGS_MAX = 4 * OPEN_SPANS_MAX };

/* Of the areas of a process together. More are left out: to read which of their pages are in memory
 * would take seconds. */
#define AREAS_BYTES_MAX (256ull << 30)

struct search {
	struct open_process *process;
	struct memory_reader reader;
	const struct search_options *options;
	uint64_t from, to;    /* what is searched now; the pages at its ends have more */
	uint64_t mapped_rest; /* of AREAS_BYTES_MAX */
};

/* ---- tags */

static void on_tag(void *context, const struct tag *tag)
{
	struct search *search = context;
	struct open_process *process = search->process;

	if (tag->address < search->from || tag->address >= search->to)
		return;
	if (process->tags_count++ >= TAGS_MAX)
		process->spans.left_out++;
	else if (open_spans__read(&process->spans, tag, &search->reader, clock__now_ns()) &&
		 search->options->pages)
		tag_pages__add(search->options->pages, tag->address);
}

static int on_memory(void *context, const void *bytes, size_t size_bytes, uint64_t address)
{
	struct search *search = context;
	const struct search_progress *progress = search->options->progress;

	tags__find(bytes, size_bytes, address, on_tag, search);
	if (progress)
		progress->report(progress->context, search->process->pid,
				 search->process->counts.read_bytes);
	return search->process->counts.read_bytes >= search->options->limit_bytes ? -E2BIG : 0;
}

static int search_range(struct search *search, uint64_t from, uint64_t to)
{
	search->from = from;
	search->to = to;
	return process_memory__each(&search->process->memory, from, to, on_memory, search,
				    &search->process->counts);
}

/* ---- stacks first */

static int search_stacks(struct search *search)
{
	const struct threads *threads = &search->process->threads;
	int code = 0;

	for (size_t i = 0; i < threads->count && !code; i++)
		if (threads->items[i].stack_to)
			code = search_range(search, threads->items[i].stack_from,
					    threads->items[i].stack_to);
	return code;
}

/* ---- then the rest: memory of the program's own, then that of files */

/* An area with a stack is left out. What lies below a stack pointer belongs to no open call: a tag
 * there is left over. */
static bool is_searched(const struct open_process *process, const struct memory_area *area)
{
	return area->is_writable && !threads__have_stack_in(&process->threads, area);
}

static int search_areas(struct search *search, bool of_files)
{
	struct open_process *process = search->process;
	int code = 0;

	for (size_t i = 0; i < process->memory.areas_count && !code; i++) {
		const struct memory_area *area = &process->memory.areas[i];

		if (area->is_file != of_files || !is_searched(process, area))
			continue;
		if (area->end - area->start > search->mapped_rest) {
			process->is_partial = process->is_too_large = true;
			continue;
		}
		search->mapped_rest -= area->end - area->start;
		code = search_range(search, area->start, area->end);
	}
	return code;
}

/* ---- or only what is known
 *
 * The stacks of threads that are in other areas: those of coroutines, and those without a guard in
 * front of them. And the pages, whose areas may have changed since.
 */

/* Of the part of a stack that is in use, so much is read. */
enum { LOOSE_STACK_BYTES = 256 * 1024 };

static int search_loose_stacks(struct search *search)
{
	const struct threads *threads = &search->process->threads;
	int code = 0;

	for (size_t i = 0; i < threads->count && !code; i++) {
		const struct thread *thread = &threads->items[i];
		const struct memory_area *area = NULL;
		uint64_t from = thread->stack_pointer - thread->stack_pointer % TAG_PAGE_BYTES;

		if (thread->stack_pointer && !thread->stack_to)
			area = process_memory__area(&search->process->memory, from);
		if (area && is_searched(search->process, area))
			code = search_range(search, from,
					    area->end - from < LOOSE_STACK_BYTES
						    ? area->end
						    : from + LOOSE_STACK_BYTES);
	}
	return code;
}

static int search_run(struct search *search, uint64_t from, uint64_t to)
{
	const struct open_process *process = search->process;
	int code = 0;

	while (from < to && !code) {
		const struct memory_area *area = process_memory__area(&process->memory, from);
		uint64_t end = area ? area->end : from + TAG_PAGE_BYTES;

		if (end > to)
			end = to;
		if (area && is_searched(process, area))
			code = search_range(search, from, end);
		from = end;
	}
	return code;
}

static int search_pages(struct search *search)
{
	uint64_t from, to;
	size_t at = 0;
	int code = 0;

	while (!code && tag_pages__next(search->options->pages, &at, &from, &to))
		code = search_run(search, from, to);
	return code;
}

/* ---- all of it */

static int search_known(struct search *search)
{
	int code = search_loose_stacks(search);

	return code ? code : search_pages(search);
}

static int search_rest(struct search *search)
{
	int code = search_areas(search, false);

	return code ? code : search_areas(search, true);
}

static int search_all(struct search *search)
{
	int code = search_stacks(search);

	if (!code)
		code = search->options->only_pages ? search_known(search) : search_rest(search);
	if (code == -E2BIG) {
		search->process->is_partial = true;
		code = 0;
	}
	return code;
}

/* ---- the process itself */

/* 0 or negative errno; -ESRCH: the process has ended. */
static int read_uid(struct open_process *process)
{
	char path[32], line[128];
	int code = -ESRCH;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", process->pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	while (code && fgets(line, sizeof(line), file))
		if (sscanf(line, "Uid: %" SCNu32, &process->uid) == 1)
			code = 0;
	fclose(file);
	return code;
}

/* The name of the first thread. */
static void read_comm(struct open_process *process)
{
	const struct threads *threads = &process->threads;

	for (size_t i = 0; i < threads->count; i++)
		if (threads->items[i].tid == process->pid)
			memcpy(process->comm, threads->items[i].comm, sizeof(process->comm));
}

static int cannot_read(const struct open_process *process, int code, struct error *err)
{
	return error__set(err, code == -ENOENT ? -ESRCH : code,
			  "the memory of process %d cannot be read: %s", process->pid,
			  strerror(-code));
}

/* Opens its memory, and reads its threads. */
static int begin(struct open_process *process, pid_t pid, const struct search_options *options,
		 struct error *err)
{
	int code;

	*process = (struct open_process){.pid = pid,
					 .memory = {.pagemap = -1},
					 .spans = {.others = options->other_spans},
					 .searched_ns = clock__now_ns()};
	code = process_memory__open(&process->memory, pid, err);
	if (code)
		return code;
	code = read_uid(process);
	if (!code)
		code = threads__read(&process->threads, &process->memory, options->list);
	if (code)
		return cannot_read(process, code, err);
	read_comm(process);
	return 0;
}

int open_process__read(struct open_process *process, pid_t pid,
		       const struct search_options *options, struct error *err)
{
	struct search search = {
		.process = process,
		.reader = {process_memory__read, &process->memory},
		.options = options,
		.mapped_rest = AREAS_BYTES_MAX,
	};
	int code = begin(process, pid, options, err);

	if (code)
		return code;
	code = search_all(&search);
	if (code)
		return cannot_read(process, code, err);
	open_spans__link(&process->spans);
	process_memory__close(&process->memory);
	return 0;
}

int open_process__describe(struct open_process *process, pid_t pid,
			   const struct search_options *options, struct error *err)
{
	int code = begin(process, pid, options, err);

	if (!code)
		process_memory__close(&process->memory);
	return code;
}

void open_process__close(struct open_process *process)
{
	process_memory__close(&process->memory);
	threads__free(&process->threads);
	open_spans__free(&process->spans);
}
