// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/threads.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Below the stack pointer a function may use this many bytes (the red zone of x86-64). */
enum { RED_ZONE_BYTES = 128, ARENA_BYTES = 64 << 20 };

/* ---- files of one thread */

/* Reads a file of the thread and adds a NUL. Returns how many bytes; 0: it cannot be read. */
static size_t read_file(pid_t pid, pid_t tid, const char *name, char *text, size_t room)
{
	char path[64];
	size_t bytes;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", pid, tid, name);
	file = fopen(path, "re");
	bytes = file ? fread(text, 1, room - 1, file) : 0;
	if (file)
		fclose(file);
	text[bytes] = 0;
	return bytes;
}

/* The state is the first member behind the name, which may contain any bytes, and the processor is
 * the 36th after the state. */
static void parse_stat(struct thread *thread, char *text)
{
	char *at = strrchr(text, ')');

	if (!at || at[1] != ' ')
		return;
	thread->state = at[2];
	at += 2;
	for (int i = 0; i < 36 && at; i++) {
		at = strchr(at, ' ');
		if (at)
			at++;
	}
	if (at)
		thread->cpu = (int)strtol(at, NULL, 10);
}

/* "202 0x7f... (six arguments) stack pointer, instruction pointer", "-1 stack pointer, instruction
 * pointer", or "running". */
static void parse_syscall(struct thread *thread, const char *text)
{
	const char *last = NULL, *before = NULL;

	if (!text[0])
		return;
	thread->syscall = SYSCALL_NONE;
	if (strncmp(text, "running", 7) == 0)
		return;
	thread->syscall = strtol(text, NULL, 10);
	for (const char *at = strchr(text, ' '); at; at = strchr(at + 1, ' ')) {
		before = last;
		last = at + 1;
	}
	if (before)
		thread->stack_pointer = strtoull(before, NULL, 16);
}

static void read_thread(struct thread *thread, pid_t pid)
{
	char text[1024];
	size_t bytes;

	if (read_file(pid, thread->tid, "stat", text, sizeof(text)))
		parse_stat(thread, text);
	bytes = read_file(pid, thread->tid, "comm", thread->comm, sizeof(thread->comm));
	if (bytes && thread->comm[bytes - 1] == '\n')
		thread->comm[bytes - 1] = 0;
	if (read_file(pid, thread->tid, "syscall", text, sizeof(text)))
		parse_syscall(thread, text);
	if (read_file(pid, thread->tid, "wchan", thread->wait_name, sizeof(thread->wait_name)) &&
	    strcmp(thread->wait_name, "0") == 0)
		thread->wait_name[0] = 0;
}

/* ---- stacks */

/*
 * Whether the area is the stack of a thread, and not memory in which a program keeps stacks of
 * coroutines beside other objects. musl and glibc before 2.42 put an inaccessible page in front of
 * a thread's stack. In front of an arena of malloc() there may be the unused part of another one;
 * but arenas begin at a multiple of their size.
 */
static bool is_stack_area(const struct memory_area *area)
{
	if (!area->is_writable || area->is_heap || area->is_file)
		return false;
	return area->is_stack || (area->follows_guard && area->start % ARENA_BYTES != 0);
}

static void find_stack(struct thread *thread, const struct process_memory *memory)
{
	const struct memory_area *area = NULL;

	if (thread->stack_pointer)
		area = process_memory__area(memory, thread->stack_pointer);
	if (!area || !is_stack_area(area))
		return;
	thread->stack_from = thread->stack_pointer - RED_ZONE_BYTES;
	if (thread->stack_from < area->start)
		thread->stack_from = area->start;
	thread->stack_from -= thread->stack_from % sizeof(uint64_t);
	thread->stack_to = area->end;
}

/* The first thread has its stack in a known area, also while it is running. */
static void find_first_stack(struct thread *thread, const struct process_memory *memory)
{
	for (size_t i = 0; i < memory->areas_count && !thread->stack_to; i++)
		if (memory->areas[i].is_stack) {
			thread->stack_from = memory->areas[i].start;
			thread->stack_to = memory->areas[i].end;
		}
}

static int by_stack(const void *one, const void *other)
{
	uint64_t first = ((const struct thread *)one)->stack_from;
	uint64_t second = ((const struct thread *)other)->stack_from;

	return first < second ? -1 : first > second;
}

/* Two stacks in one area: each ends where the next one begins. */
static void separate_stacks(struct threads *threads)
{
	qsort(threads->items, threads->count, sizeof(*threads->items), by_stack);
	for (size_t i = 0; i + 1 < threads->count; i++)
		if (threads->items[i].stack_to > threads->items[i + 1].stack_from)
			threads->items[i].stack_to = threads->items[i + 1].stack_from;
}

/* ---- all threads */

static struct thread *add(struct threads *threads, pid_t tid)
{
	struct thread *thread;

	if (threads->count == threads->room) {
		size_t room = threads->room ? 2 * threads->room : 16;
		struct thread *moved =
			room <= THREADS_MAX ? realloc(threads->items, room * sizeof(*moved)) : NULL;

		if (!moved)
			return NULL;
		threads->items = moved;
		threads->room = room;
	}
	thread = &threads->items[threads->count++];
	*thread = (struct thread){.tid = tid, .cpu = -1, .syscall = SYSCALL_UNKNOWN};
	return thread;
}

/* /proc does not tell the stack pointer of a thread that is running. */
static void take_stack_pointer(struct thread *thread, const struct thread_list *list)
{
	const struct thread_record *record = thread_list__find(list, thread->tid);

	if (record && !thread->stack_pointer)
		thread->stack_pointer = record->stack_pointer;
}

static void add_threads(struct threads *threads, const struct process_memory *memory,
			const struct thread_list *list, DIR *entries)
{
	struct dirent *entry;

	while ((entry = readdir(entries))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
		struct thread *thread = tid > 0 ? add(threads, tid) : NULL;

		if (tid > 0 && !thread)
			threads->left_out++;
		if (!thread)
			continue;
		read_thread(thread, memory->pid);
		take_stack_pointer(thread, list);
		find_stack(thread, memory);
		if (tid == memory->pid)
			find_first_stack(thread, memory);
	}
}

int threads__read(struct threads *threads, const struct process_memory *memory,
		  const struct thread_list *list)
{
	char path[32];
	DIR *entries;

	*threads = (struct threads){0};
	snprintf(path, sizeof(path), "/proc/%d/task", memory->pid);
	entries = opendir(path);
	if (!entries)
		return -errno;
	add_threads(threads, memory, list, entries);
	closedir(entries);
	if (threads->count)
		separate_stacks(threads);
	return 0;
}

void threads__take_times(struct threads *threads, const struct thread_list *list,
			 uint64_t searched_ns)
{
	for (size_t i = 0; i < threads->count; i++) {
		const struct thread_record *record = thread_list__find(list, threads->items[i].tid);

		if (record && record->off_cpu_since_ns <= searched_ns)
			threads->items[i].off_cpu_since_ns = record->off_cpu_since_ns;
	}
}

void threads__free(struct threads *threads)
{
	free(threads->items);
	*threads = (struct threads){0};
}

/* The last thread whose stack begins at the address or before; NULL: none. */
static const struct thread *last_up_to(const struct threads *threads, uint64_t address)
{
	size_t low = 0, high = threads->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (threads->items[middle].stack_from <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? &threads->items[low - 1] : NULL;
}

const struct thread *threads__on_stack(const struct threads *threads, uint64_t address)
{
	const struct thread *thread = last_up_to(threads, address);

	return thread && address < thread->stack_to ? thread : NULL;
}

bool threads__have_stack_in(const struct threads *threads, const struct memory_area *area)
{
	const struct thread *thread = last_up_to(threads, area->end - 1);

	return thread && thread->stack_to > area->start;
}

/* ---- words for people */

const char *thread__state_name(const struct thread *thread)
{
	static const struct {
		char letter;
		const char *name;
	} states[] = {{'R', "running"}, {'S', "sleeping"}, {'D', "uninterruptible"},
		      {'T', "stopped"}, {'t', "traced"},   {'Z', "zombie"},
		      {'X', "dead"},    {'I', "idle"}};

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (states[i].letter == thread->state)
			return states[i].name;
	return "unknown";
}

int thread__check_stacks(void)
{
	char byte;
	FILE *file = fopen("/proc/self/stack", "re");
	int code = file ? 0 : -errno;

	if (file && fread(&byte, 1, 1, file) == 0 && ferror(file))
		code = -errno;
	if (file)
		fclose(file);
	return code;
}

/* Of a line like "[<0>] futex_wait_queue+0x60/0x90" the name remains. */
void thread__kernel_stack(pid_t pid, const struct thread *thread, char text[STACK_TEXT_BYTES])
{
	char lines[STACK_TEXT_BYTES], *rest = lines;
	size_t length = 0;

	text[0] = 0;
	if (!read_file(pid, thread->tid, "stack", lines, sizeof(lines)))
		return;
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		char *name = strchr(line, ' ');
		size_t bytes = name ? strcspn(++name, "+") : 0;

		if (bytes == 0 || length + bytes + 2 > STACK_TEXT_BYTES)
			continue;
		memcpy(text + length, name, bytes);
		length += bytes;
		text[length++] = '\n';
		text[length] = 0;
	}
}
