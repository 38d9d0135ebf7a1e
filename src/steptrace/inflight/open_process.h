/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one process has open: its commands and steps, and the threads that execute them.
 *
 * First the stacks of the threads are searched for tags, from the stack pointer on, then the other
 * writable memory: all of it, or only pages in which a search before found something. The process
 * runs meanwhile. So a command that begins or ends during the search may be missing.
 */
#ifndef STEPTRACE_OPEN_PROCESS_H
#define STEPTRACE_OPEN_PROCESS_H

#include "common/error.h"
#include "steptrace/inflight/open_spans.h"
#include "steptrace/inflight/process_memory.h"
#include "steptrace/inflight/tag_pages.h"
#include "steptrace/inflight/threads.h"

struct open_process {
	pid_t pid;
	uint32_t uid;
	char comm[17];
	struct process_memory memory;
	struct threads threads;
	struct open_spans spans;
	struct memory_counts counts;
	bool is_attached;  /* see inflight_options; false: not known */
	bool is_revisited; /* only its stacks and known pages were searched */
	bool is_partial;   /* memory was left out, in this search or in the last whole one */
	bool is_seen;      /* its memory was not searched: see struct seen_source */
	bool is_too_large; /* because it maps too much, whatever the limit of the search is */
	uint64_t tags_count;
	uint64_t searched_ns; /* CLOCK_MONOTONIC: when the search began */
};

/* Called now and then during a long search, with all bytes searched so far in this process. */
struct search_progress {
	void (*report)(void *context, pid_t pid, uint64_t searched_bytes);
	void *context;
};

/* What a search needs to know. */
struct search_options {
	uint64_t limit_bytes;           /* of memory */
	size_t other_spans;             /* of other processes; see struct open_spans */
	struct tag_pages *pages;        /* where something is found goes there; may be NULL */
	bool only_pages;                /* search only these, and the stacks */
	const struct thread_list *list; /* of all threads; may be empty */
	const struct search_progress *progress; /* may be NULL */
};

/*
 * 0 or negative errno with a sentence; -ESRCH: the
 * process has ended; -EACCES. Call open_process__close() in any case.
 */
int open_process__read(struct open_process *process, pid_t pid,
		       const struct search_options *options, struct error *err);

/* Only what it is, and its threads: its spans come from elsewhere. The same errors. */
int open_process__describe(struct open_process *process, pid_t pid,
			   const struct search_options *options, struct error *err);
void open_process__close(struct open_process *process);

#endif
