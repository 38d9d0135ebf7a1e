/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open executions: what the start of a command said, kept until the command ends. So the record
 * of a step need not repeat it.
 *
 * An execution is found by its id and the pid of its process: a process that forks in the middle of
 * a command has the same id as its child. An execution also keeps the members that each of its JSON
 * lines repeats; event_json__describe writes them once:
 *
 *	"correlation_id":"…","execution_id":"…"  "command_slug":"…"  "user_id":"…"  "uid":…,"comm":…
 *	0                                        slug_at             user_at        process_at
 *
 * The number of open executions is limited. Beyond the limit the process that has most of them
 * loses its oldest, which is counted: a runner that never ends its commands drops its own ones.
 *
 * The hash table is not uthash: all processes of one id have to be found with one lookup, and a
 * table that grows would stop the hot path for as long as it rehashes (uthash also exits when there
 * is no memory for that). Ids come from the traced processes, so the hash is keyed (id_hash.h): a
 * process cannot choose ids that share a bucket.
 */
#ifndef STEPTRACE_EXECUTIONS_H
#define STEPTRACE_EXECUTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/record.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/open_steps.h"

struct execution {
	uint8_t id[16];
	uint32_t pid;
	bool start_seen;        /* its command__start was recorded */
	bool continued_by_fork; /* another process recorded the end of the same command */
	uint64_t steps_seen[OUTCOMES_COUNT]; /* steps that were written, by outcome */
	uint64_t known_ns;                   /* the time of its first record */
	uint64_t last_ns;                    /* the time of its latest record */
	uint64_t began_ns;                   /* the time of its command__start; 0: not seen */
	/* How many steps and command ends the stream had lost when the execution became known. */
	uint64_t steps_lost_before, ends_lost_before;
	struct open_steps open;
	struct steptrace_process process;
	struct command_span command; /* from its first record */

	char *json; /* owned; see above */
	uint32_t slug_at, user_at, process_at, json_bytes;

	/* Only for executions.c. */
	struct execution *next_in_bucket;
	struct execution *older, *newer; /* of the same queue */
};

struct executions;

/* NULL: no memory. */
struct executions *executions__new(size_t limit);
void executions__free(struct executions *open);

/* NULL: there is none. */
struct execution *executions__find(struct executions *open, uint32_t pid, const uint8_t id[16]);

/* The executions of a process, the oldest first: the one after `previous`, or the first where
 * `previous` is NULL. NULL: there are no more. */
struct execution *executions__of_process(struct executions *open, uint32_t pid,
					 const struct execution *previous);

/* Calls `each` once for every process with open executions. 0 or -ENOMEM: nothing was called. */
int executions__each_pid(struct executions *open, void (*each)(uint32_t pid, void *context),
			 void *context);

/* Sets continued_by_fork in the executions with the id of `ended` in other processes of its user.
 * Another user cannot mark them: the kernel says the uid. */
void executions__mark_continued(struct executions *open, const struct execution *ended);

struct open_steps_store *executions__steps_store(struct executions *open);

/*
 * Adds an execution; id, pid, process and command are filled in, the rest is 0 or empty. An open
 * execution of the same id and pid is replaced. NULL: no memory. The table owns the execution.
 */
struct execution *executions__add(struct executions *open, uint32_t pid,
				  const struct command_span *command,
				  const struct steptrace_process *process);
void executions__remove(struct executions *open, struct execution *execution);

size_t executions__count(const struct executions *open);
/* How many were dropped because of the limit. */
uint64_t executions__forgotten(const struct executions *open);

#endif
