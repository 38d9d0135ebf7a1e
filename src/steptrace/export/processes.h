/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers for the processes of a recording, as a trace viewer wants them.
 *
 * Several hosts, and one host after a restart, use the same pids. So each process gets a number of
 * its own, from 1 on: one for each host, boot and pid. After a process has ended (an aborted
 * execution says so), the next event with its pid is one of a new process.
 *
 * At most PROCESSES_MAX processes and THREADS_MAX threads are told apart. All further processes
 * have the number 0.
 */
#ifndef STEPTRACE_EXPORT_PROCESSES_H
#define STEPTRACE_EXPORT_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/recording/recorded_event.h"

enum { PROCESSES_MAX = 1 << 16, THREADS_MAX = 1 << 18, HOST_BYTES = 64 };

struct processes;

/* What distinguishes processes with the same pid. A pid of 0 is the tracer itself. */
struct process_place {
	char host[HOST_BYTES]; /* shortened, and filled with NUL; the same for boot_id */
	char boot_id[HOST_BYTES];
};

/* The host and boot of the trace that is being read. Zeroed: not known. */
struct trace_place {
	struct process_place place;
	size_t file_index;
};

/* Each event goes through this. Without trace.started at its beginning, the host of a file is not
 * known. */
void trace_place__note(struct trace_place *trace, const struct recorded_event *event);

struct process {
	uint64_t number; /* 0: there are too many */
	uint64_t open;   /* executions, for a counter; the user's, as the next member */
	uint64_t counted_ns;
	bool is_new; /* it was not known before this call: the user names it, and clears this */
	bool has_ended;
	unsigned int incarnation; /* from 1: how many processes had this pid so far */
};

struct processes *processes__new(void);
void processes__free(struct processes *processes);

/* The process of the pid; valid until processes__free(). One that has ended is found only if
 * `may_have_ended`; otherwise a new one takes its pid. NULL: no memory. */
struct process *processes__of(struct processes *processes, const struct process_place *place,
			      uint64_t pid, bool may_have_ended);

/* The process of this number; it is not an incarnation that came later. NULL: there is none. */
struct process *processes__numbered(struct processes *processes, uint64_t number);

/* Whether this is the first time that the thread is seen; false if there are too many. */
bool processes__is_new_thread(struct processes *processes, uint64_t number, uint64_t tid);

/* How many events were of processes that have no number. */
uint64_t processes__left_out(const struct processes *processes);

#endif
