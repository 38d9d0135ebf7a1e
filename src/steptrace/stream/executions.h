/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open executions: what was said when a command began, kept until it ends, so that a step's
 * record need not repeat it.
 *
 * An execution is found by its id and process. It knows the strings that every one of its events
 * repeats, already as JSON (written once by event_json__describe):
 *
 *	json:  "correlation_id":"…","execution_id":"…"  "command_slug":"…"  "user_id":"…"  ,"uid":…
 *	       0                                        slug_at             user_at        source_at
 *
 * The number of open executions is bounded: past the limit the oldest of the process that has most
 * is forgotten, and counted.
 */
#ifndef STEPTRACE_EXECUTIONS_H
#define STEPTRACE_EXECUTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/record.h"
#include "steptrace/stream/open_steps.h"

struct execution {
	uint8_t id[16];
	uint32_t pid;
	bool start_seen;
	bool goes_on_elsewhere;     /* a process that was forked from this one ended it */
	uint64_t steps_seen[4];     /* by outcome, as the runner numbers them */
	uint64_t known_ns, last_ns; /* its first record and its last */
	uint64_t steps_lost_before, ends_lost_before; /* at all, when it became known */
	uint64_t began_ns; /* when the kernel saw its start; 0: it did not */
	struct open_steps open;
	struct steptrace_process process;
	struct command_span command; /* as it was when it became known */

	char *json; /* owned; the pieces above */
	uint32_t slug_at, user_at, comm_at, json_bytes;

	/* executions.c */
	struct execution *next_in_bucket;
	struct execution *older, *newer;
};

struct executions;

/* NULL when there is no memory. */
struct executions *executions__new(size_t limit);
void executions__free(struct executions *open);

struct execution *executions__find(struct executions *open, uint32_t pid, const uint8_t id[16]);

/* The oldest of a process; after `previous`, where that is not NULL. NULL: there is none. */
struct execution *executions__of_process(struct executions *open, uint32_t pid,
					 const struct execution *previous);

/* Calls `each` with every process that has open executions, once for each execution. */
void executions__each_pid(struct executions *open, void (*each)(uint32_t pid, void *context),
			  void *context);

/* The same command was ended by another process of the same user: a fork went on with it. */
void executions__ended_elsewhere(struct executions *open, const struct execution *ended);

struct open_steps_store *executions__steps_store(struct executions *open);

/* A new one with id, pid, process and command filled in; one of the same id and pid is replaced.
 * NULL when there is no memory. */
struct execution *executions__add(struct executions *open, uint32_t pid,
				  const struct command_span *command,
				  const struct steptrace_process *process);
void executions__remove(struct executions *open, struct execution *execution);

size_t executions__count(const struct executions *open);
/* How many were forgotten because of the limit. */
uint64_t executions__forgotten(const struct executions *open);

#endif
