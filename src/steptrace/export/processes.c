// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/processes.h"

#include <stdlib.h>

/* When memory is short, HASH_ADD leaves the item out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

#include "steptrace/stream/text_hash.h"

/* The same pid on the same boot of the same host. Hosts are compared by a hash. */
struct named {
	uint64_t host, pid;
};

struct entry {
	struct named key;
	struct process *process; /* in the list */
	bool is_in_table;
	UT_hash_handle hh;
};

static void copy_text(char to[HOST_BYTES], struct recorded_text from)
{
	memset(to, 0, HOST_BYTES);
	memcpy(to, from.text ? from.text : "", from.bytes < HOST_BYTES ? from.bytes : HOST_BYTES);
}

void trace_place__note(struct trace_place *trace, const struct recorded_event *event)
{
	if (event->place.file_index != trace->file_index)
		trace->place = (struct process_place){.host = ""};
	trace->file_index = event->place.file_index;
	if (event->kind != RECORDED_TRACE_STARTED)
		return;
	copy_text(trace->place.host, event->host);
	copy_text(trace->place.boot_id, event->boot_id);
}

struct thread_key {
	uint64_t process, tid;
};

struct thread {
	struct thread_key key;
	bool is_in_table;
	UT_hash_handle hh;
};

struct processes {
	struct entry *entries; /* the heads of uthash tables */
	struct thread *threads;
	struct process **list; /* by number; [0] stands for those that are too many */
	size_t count;
	uint64_t left_out;
	struct text_hash hash;
};

static struct process *append(struct processes *processes, unsigned int incarnation)
{
	struct process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->number = processes->count;
	process->is_new = true;
	process->incarnation = incarnation;
	processes->list[processes->count++] = process;
	return process;
}

struct processes *processes__new(void)
{
	struct processes *processes = calloc(1, sizeof(*processes));

	if (!processes)
		return NULL;
	text_hash__init(&processes->hash);
	processes->list = calloc(PROCESSES_MAX + 1, sizeof(struct process *));
	if (!processes->list || !append(processes, 1)) {
		processes__free(processes);
		return NULL;
	}
	return processes;
}

static void free_entries(struct processes *processes)
{
	struct entry *entry, *next;

	HASH_ITER(hh, processes->entries, entry, next)
	{
		HASH_DEL(processes->entries, entry);
		free(entry);
	}
}

static void free_threads(struct processes *processes)
{
	struct thread *thread, *next;

	HASH_ITER(hh, processes->threads, thread, next)
	{
		HASH_DEL(processes->threads, thread);
		free(thread);
	}
}

void processes__free(struct processes *processes)
{
	if (!processes)
		return;
	free_entries(processes);
	free_threads(processes);
	for (size_t i = 0; i < processes->count; i++)
		free(processes->list[i]);
	free(processes->list);
	free(processes);
}

static struct entry *add_entry(struct processes *processes, const struct named *key)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->key = *key;
	entry->is_in_table = true;
	HASH_ADD(hh, processes->entries, key, sizeof(entry->key), entry);
	if (entry->is_in_table)
		return entry;
	free(entry);
	return NULL;
}

static struct process *too_many(struct processes *processes)
{
	processes->left_out++;
	return processes->list[0];
}

struct process *processes__of(struct processes *processes, const struct process_place *place,
			      uint64_t pid, bool may_have_ended)
{
	struct named key = {
		.host = text_hash__of(&processes->hash, (const char *)place, sizeof(*place)),
		.pid = pid,
	};
	unsigned int incarnation = 1;
	struct entry *entry;

	HASH_FIND(hh, processes->entries, &key, sizeof(key), entry);
	if (entry && (may_have_ended || !entry->process->has_ended))
		return entry->process;
	if (processes->count > PROCESSES_MAX)
		return too_many(processes);
	if (entry)
		incarnation = entry->process->incarnation + 1;
	else
		entry = add_entry(processes, &key);
	if (!entry)
		return NULL;
	entry->process = append(processes, incarnation);
	if (!entry->process)
		entry->process = processes->list[0];
	return entry->process;
}

struct process *processes__numbered(struct processes *processes, uint64_t number)
{
	return number < processes->count ? processes->list[number] : NULL;
}

bool processes__is_new_thread(struct processes *processes, uint64_t number, uint64_t tid)
{
	struct thread_key key = {.process = number, .tid = tid};
	struct thread *thread;

	HASH_FIND(hh, processes->threads, &key, sizeof(key), thread);
	if (thread || HASH_CNT(hh, processes->threads) >= THREADS_MAX)
		return false;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return false;
	thread->key = key;
	thread->is_in_table = true;
	HASH_ADD(hh, processes->threads, key, sizeof(thread->key), thread);
	if (thread->is_in_table)
		return true;
	free(thread);
	return false;
}

uint64_t processes__left_out(const struct processes *processes)
{
	return processes->left_out;
}
