/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The open executions: what the start of a command said, kept until the command ends. So the record
 * of a step need not repeat it.
 *
 * Several processes may take part in one execution: a runner may fork in the middle of a command,
 * and each of the processes may run steps of it or end it. Its members (members.h) are the
 * processes that reported a boundary of it, and heirs. A record belongs to the execution of its id
 * of which its process is a member. Another process may join if it has the user of the process that
 * was seen first, or if its parent is a member. The kernel says both, so a process of another user
 * cannot add itself to an execution by its id.
 *
 * An execution also keeps the fields that each of its JSON lines repeats; event_json__describe
 * writes them once:
 *
 *	"correlation_id":"…","execution_id":"…"  "command_slug":"…"  "user_id":"…"
 *	0                                        slug_at             user_at
 *
 * The number of open executions is limited. Beyond the limit the process that has most of them
 * loses its oldest, which is counted: a runner that never ends its commands drops its own ones.
 *
 * The hash table is not uthash: all executions of one id have to be found with one lookup, and a
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
#include "steptrace/stream/fates.h"
#include "steptrace/stream/held_lines.h"
#include "steptrace/stream/members.h"
#include "steptrace/stream/open_steps.h"

/* The first step of the execution that failed. */
struct failed_step {
	bool is_known;
	uint8_t step_id[16];
	char type[sizeof(((struct step_span *)0)->type)];
	char name[sizeof(((struct step_span *)0)->name)];
};

struct execution {
	uint8_t id[16];
	uint32_t pid;          /* of the process that was seen first */
	bool start_seen;       /* its command__start was recorded */
	bool told_by_several;  /* more than one process reported boundaries */
	bool members_left_out; /* no room for one of them: not all of its processes are known */
	bool rejected;         /* it was rejected after it began */
	bool end_told;         /* it was reported as aborted before */
	uint64_t steps_seen[OUTCOMES_COUNT]; /* steps that were written, by outcome */
	uint64_t steps_aborted;              /* steps that a process left open when it ended */
	uint64_t known_ns;                   /* the time of its first record */
	uint64_t last_ns;                    /* the time of its latest record */
	uint64_t began_ns;                   /* the time of its command__start; 0: not seen */
	/* How many steps and command ends the stream had lost when the execution became known. */
	uint64_t steps_lost_before, ends_lost_before;
	struct failed_step failed_step;
	struct open_steps open;
	struct steptrace_process process; /* that was seen first */
	struct command_span command;      /* from its first record */
	struct member_list members;       /* one at least */

	/* With --whole: whether it is written, and its lines until that is decided. */
	enum fate fate;
	unsigned int selected_by; /* bits of the reasons in whole.h */
	bool end_seen;
	struct held_lines held;

	char *json; /* owned; see above */
	uint32_t slug_at, user_at, json_bytes;

	struct execution *next_in_bucket; /* only for executions.c */
};

enum { MEMBERS_PER_EXECUTION = 1024 };

struct executions;

/* NULL: no memory. */
struct executions *executions__new(size_t limit);
void executions__free(struct executions *open);

/* `drop` is called before an execution is removed because of the limit, or because the same command
 * began once more. */
void executions__on_drop(struct executions *open,
			 void (*drop)(void *context, struct execution *execution), void *context);

/* The process as a member of the execution with this id. NULL: it is a member of none. */
struct member *executions__find(struct executions *open, uint32_t pid, const uint8_t id[16]);

/* The execution with this id that the process may join, although it is not a member. NULL: there is
 * none. */
struct execution *executions__find_to_join(struct executions *open, const uint8_t id[16],
					   uint32_t uid, uint32_t parent_pid);

/*
 * Adds an execution with this process as its member, which has told a boundary; id, pid, process
 * and command are filled in, the rest is 0 or empty. An open execution of the same id of which the
 * process is a member is replaced. NULL: no memory. The table owns the execution.
 */
struct execution *executions__add(struct executions *open, uint32_t pid,
				  const struct command_span *command,
				  const struct steptrace_process *process);
/* Adds the process to the execution as an heir. NULL: no memory, or there are too many members. */
struct member *executions__join(struct executions *open, struct execution *execution, uint32_t pid);
/* Also removes its members. */
void executions__remove(struct executions *open, struct execution *execution);

/* Calls `each` once for every process with open executions. 0 or -ENOMEM: nothing was called. */
int executions__each_pid(struct executions *open, void (*each)(uint32_t pid, void *context),
			 void *context);

/* When it began, as far as is known. *is_earlier: it began before that, and was first seen then. */
uint64_t execution__since_ns(const struct execution *execution, bool *is_earlier);

/* The process that was seen first. If it has ended and left the command to another one, that
 * one. */
uint32_t execution__pid(const struct execution *execution);

/* Calls `each` once for every open execution. */
void executions__each(const struct executions *open,
		      void (*each)(void *context, const struct execution *execution),
		      void *context);

struct members *executions__members(struct executions *open);
struct open_steps_store *executions__steps_store(struct executions *open);
struct held_store *executions__held_store(struct executions *open);

size_t executions__count(const struct executions *open);
/* How many were dropped because of the limit. */
uint64_t executions__forgotten(const struct executions *open);

#endif
