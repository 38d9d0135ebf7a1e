// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/code_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"

/* A process cannot have more mappings than vm.max_map_count, which is 65530 by default. */
enum { MAPPINGS_MAX = 1 << 17 };

/* Each reported mapping costs the opening of a file. So many are added to a list until it is read
 * again. */
enum { REPORTED_MAX = 512 };

#define PAUSE_MIN_NS 20000000ull
#define PAUSE_MAX_NS 5000000000ull

struct code_mapping {
	uint64_t start, end, file_offset;
	uint32_t module; /* 0: memory that the process has written itself */
};

struct code_mappings {
	struct code_mapping *items; /* owned; by address */
	size_t count, room;
};

struct process_code {
	pid_t pid;
	struct owner owner;
	struct code_mappings mappings;
	uint32_t jit; /* the module of its own memory; 0: there was none yet */
	uint64_t next_read_ns, pause_ns;
	uint64_t seen_count;         /* the reports with smaller numbers are in the list */
	unsigned int reported_count; /* mappings in the list that were only reported */
	uint64_t next_map_ns;        /* when its perf map is looked for again; UINT64_MAX: never */
};

/* ---- reading */

static bool add(struct code_mappings *mappings, const struct process_mapping *from, uint32_t module)
{
	if (mappings->count == MAPPINGS_MAX)
		return false;
	if (mappings->count == mappings->room) {
		size_t larger = mappings->room ? 2 * mappings->room : 32;
		struct code_mapping *moved = reallocarray(mappings->items, larger, sizeof(*moved));

		if (!moved)
			return false;
		mappings->items = moved;
		mappings->room = larger;
	}
	mappings->items[mappings->count++] =
		(struct code_mapping){from->start, from->end, from->file_offset, module};
	return true;
}

/* A mapping that was there before keeps its module: its file need not be opened again. That another
 * file was mapped at the same place meanwhile, with the same size and offset, is not noticed. */
static bool is_known(const struct code_mappings *mappings, const struct process_mapping *mapping,
		     size_t *at, uint32_t *module)
{
	const struct code_mapping *items = mappings->items;

	while (*at < mappings->count && items[*at].start < mapping->start)
		++*at;
	if (*at == mappings->count || items[*at].start != mapping->start ||
	    items[*at].end != mapping->end || items[*at].file_offset != mapping->file_offset)
		return false;
	*module = items[*at].module;
	return true;
}

/* Whether the process has not ended. The list of one that ends while it is read breaks off. */
static bool has_mappings(pid_t tid)
{
	struct process_mapping mapping;
	struct process_maps maps;
	bool is_there;

	if (process_maps__open(&maps, tid))
		return false;
	is_there = process_maps__next(&maps, &mapping);
	process_maps__close(&maps);
	return is_there;
}

/* The page "[vsyscall]" is that of the kernel, at the same place in each process. */
static void read_list(struct code_maps *processes, struct process_code *process)
{
	pid_t tid = process_maps__thread(process->pid);
	struct code_mappings found = {0};
	struct process_mapping mapping;
	struct process_maps maps;
	struct owner owner;
	uint64_t seen_count = processes->seen.count;
	size_t at = 0;
	uint32_t module;

	/* a thread has a number of its own in its pid namespace: the perf map has the process's */
	if (!owner__read(&owner, process->pid))
		return;
	process->owner = owner;
	if (process_maps__open(&maps, tid))
		return;
	while (process_maps__next(&maps, &mapping)) {
		if (mapping.permissions[2] != 'x' ||
		    strcmp(mapping.untrusted_path, "[vsyscall]") == 0)
			continue;
		if (!is_known(&process->mappings, &mapping, &at, &module))
			module = mapped__module(processes->mapped, tid, &process->owner, &mapping);
		if (!add(&found, &mapping, module))
			break;
	}
	process_maps__close(&maps);
	if (found.count == 0) { /* it is ending */
		free(found.items);
		return;
	}
	free(process->mappings.items);
	process->mappings = found;
	process->seen_count = has_mappings(tid) ? seen_count : 0;
	process->reported_count = 0;
}

/* ---- reported mappings */

/* The number of mappings below the address. */
static size_t count_below(const struct code_mappings *mappings, uint64_t address)
{
	size_t from = 0, to = mappings->count;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (mappings->items[middle].end <= address)
			from = middle + 1;
		else
			to = middle;
	}
	return from;
}

/* In its place by address; not where the list has something already. */
static void insert(struct code_maps *processes, struct process_code *process,
		   const struct owner *owner, const struct process_mapping *mapping)
{
	struct code_mappings *mappings = &process->mappings;
	size_t at = count_below(mappings, mapping->start), last = mappings->count;
	struct code_mapping added;
	uint32_t module;

	if (at < last && mappings->items[at].start < mapping->end)
		return;
	module = mapped__module(processes->mapped, process_maps__thread(process->pid), owner,
				mapping);
	if (!add(mappings, mapping, module))
		return;
	process->reported_count++;
	added = mappings->items[last];
	memmove(&mappings->items[at + 1], &mappings->items[at],
		(last - at) * sizeof(mappings->items[0]));
	mappings->items[at] = added;
}

/* A process that has ended may have had other rights at the end than when they were read. */
static struct owner owner_now(const struct process_code *process)
{
	struct owner owner;

	if (!owner__read(&owner, process->pid))
		owner = owner__anybody(&process->owner);
	return owner;
}

/* Of two reported mappings at one place, the later one counts. */
static void add_reported(struct code_maps *processes, struct process_code *process)
{
	const struct owner owner = owner_now(process);
	uint64_t number = processes->seen.count;
	const struct process_mapping *mapping;

	while (process->reported_count < REPORTED_MAX &&
	       (mapping = seen_mappings__latest(&processes->seen, process->pid, process->seen_count,
						&number)))
		insert(processes, process, &owner, mapping);
	process->seen_count = processes->seen.count;
}

void code_maps__mapped(struct code_maps *processes, pid_t pid,
		       const struct process_mapping *mapping)
{
	seen_mappings__add(&processes->seen, pid, mapping);
}

/* ---- memory that the process has written */

/* The map stays open until names are looked up, also when the process ends before. Descriptor or
 * negative errno. */
static int open_perf_map(const struct code_maps *processes, const struct process_code *process)
{
	int fd = mapped__open_perf_map(process_maps__thread(process->pid), &process->owner);

	if (fd < 0 || modules__has_room(processes->mapped->modules))
		return fd;
	close(fd);
	return -EMFILE;
}

static void look_for_perf_map(struct code_maps *processes, struct process_code *process)
{
	uint64_t now_ns = clock__now_ns();
	int fd;

	if (now_ns < process->next_map_ns)
		return;
	fd = open_perf_map(processes, process);
	process->next_map_ns = fd == -ENOENT ? now_ns + PAUSE_MAX_NS / 10 : UINT64_MAX;
	if (fd >= 0)
		modules__at(processes->mapped->modules, process->jit)->fd = fd;
	else if (fd != -ENOENT)
		processes->mapped->troubles->maps_refused++;
}

static uint32_t jit_module(struct code_maps *processes, struct process_code *process)
{
	if (!process->jit)
		process->jit =
			modules__add(processes->mapped->modules, MODULE_JIT, "[anonymous]", NULL);
	if (process->jit)
		look_for_perf_map(processes, process);
	return process->jit;
}

static bool has_own_code(const struct process_code *process)
{
	for (size_t i = 0; i < process->mappings.count; i++)
		if (!process->mappings.items[i].module)
			return true;
	return false;
}

/* The perf map is opened while the process lives. */
static void read_process(struct code_maps *processes, struct process_code *process)
{
	read_list(processes, process);
	if (has_own_code(process))
		jit_module(processes, process);
}

/* ---- the table */

static struct process_code *find(const struct code_maps *processes, pid_t pid)
{
	uint32_t index = place_map__get(&processes->by_pid, 0, (uint64_t)pid);

	return index ? processes->items[index - 1] : NULL;
}

/* The index of a free slot. */
static bool reserve(struct code_maps *processes, size_t *index)
{
	size_t larger = processes->room ? 2 * processes->room : 64;
	struct process_code **moved;

	for (*index = 0; *index < processes->count; ++*index)
		if (!processes->items[*index])
			return true;
	if (processes->count < processes->room)
		return true;
	moved = realloc(processes->items, larger * sizeof(*moved));
	if (!moved)
		return false;
	processes->items = moved;
	processes->room = larger;
	return true;
}

static struct process_code *new_process(struct code_maps *processes, pid_t pid)
{
	struct process_code *process = calloc(1, sizeof(*process));
	size_t index;

	if (!process || !reserve(processes, &index) ||
	    place_map__set(&processes->by_pid, 0, (uint64_t)pid, (uint32_t)index + 1)) {
		free(process);
		return NULL;
	}
	process->pid = pid;
	process->pause_ns = PAUSE_MIN_NS;
	process->next_read_ns = clock__now_ns() + process->pause_ns;
	processes->items[index] = process;
	if (index == processes->count)
		processes->count++;
	return process;
}

static struct process_code *look_at(struct code_maps *processes, pid_t pid)
{
	struct process_code *process = find(processes, pid);

	if (process || pid <= 0)
		return process;
	process = new_process(processes, pid);
	if (process)
		read_process(processes, process);
	return process;
}

void code_maps__look_at(struct code_maps *processes, pid_t pid)
{
	struct process_code *process = find(processes, pid);

	if (process)
		read_process(processes, process);
	else
		look_at(processes, pid);
}

static void free_process(struct process_code *process)
{
	if (process)
		free(process->mappings.items);
	free(process);
}

void code_maps__forget(struct code_maps *processes, pid_t pid)
{
	uint32_t index = place_map__get(&processes->by_pid, 0, (uint64_t)pid);

	if (!index)
		return;
	place_map__set(&processes->by_pid, 0, (uint64_t)pid, 0);
	free_process(processes->items[index - 1]);
	processes->items[index - 1] = NULL;
}

void code_maps__free(struct code_maps *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		free_process(processes->items[i]);
	free(processes->items);
	place_map__free(&processes->by_pid);
	seen_mappings__free(&processes->seen);
	processes->items = NULL;
	processes->count = processes->room = 0;
}

/* ---- addresses */

static const struct code_mapping *mapping_of(const struct process_code *process, uint64_t address)
{
	size_t at = count_below(&process->mappings, address);

	if (at == process->mappings.count || process->mappings.items[at].start > address)
		return NULL;
	return &process->mappings.items[at];
}

static const struct code_mapping *read_again(struct code_maps *processes,
					     struct process_code *process, uint64_t address)
{
	const struct code_mapping *mapping;
	uint64_t now_ns = clock__now_ns();

	if (now_ns < process->next_read_ns)
		return NULL;
	read_process(processes, process);
	mapping = mapping_of(process, address);
	process->pause_ns = mapping ? PAUSE_MIN_NS : 2 * process->pause_ns;
	if (process->pause_ns > PAUSE_MAX_NS)
		process->pause_ns = PAUSE_MAX_NS;
	process->next_read_ns = now_ns + process->pause_ns;
	return mapping;
}

bool code_maps__find(struct code_maps *processes, pid_t pid, uint64_t address,
		     struct code_place *place)
{
	struct process_code *process = look_at(processes, pid);
	const struct code_mapping *mapping = process ? mapping_of(process, address) : NULL;

	if (process && !mapping)
		mapping = read_again(processes, process, address);
	if (process && !mapping && process->seen_count < processes->seen.count) {
		add_reported(processes, process);
		mapping = mapping_of(process, address);
	}
	if (!mapping)
		return false;
	if (mapping->module)
		*place = (struct code_place){mapping->module,
					     address - mapping->start + mapping->file_offset};
	else
		*place = (struct code_place){jit_module(processes, process), address};
	return place->module != 0;
}
