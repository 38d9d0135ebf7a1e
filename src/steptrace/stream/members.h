/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processes that take part in executions. Most executions have one member, the process that
 * began the command. A forked child becomes a member when it reports a boundary of the command, or
 * when its parent exits and may have left the command to it (an heir).
 *
 *	execution -> member 4712 -> member 4711 -> NULL
 *	queue of 4711:	oldest <-> ... <-> newest	all members with this pid, of any execution
 *
 * A queue serves every pid with the same remainder.
 */
#ifndef STEPTRACE_MEMBERS_H
#define STEPTRACE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/stream/event.h"

struct execution;

enum {
	MEMBER_JSON_BYTES = 256,
	MEMBER_QUEUES_COUNT = 256,
};

struct member_list {
	struct member *newest;
	size_t count;
};

struct member {
	struct execution *execution;
	struct member_list *list; /* of the execution */
	uint32_t pid;
	bool has_told;                         /* a boundary; false: an heir */
	uint64_t steps[OUTCOMES_COUNT];        /* that it reported, by outcome */
	uint64_t steps_before[OUTCOMES_COUNT]; /* that others reported before its first */

	/* "uid":…,"comm":… as in `source` of its events: event_json__describe_process writes it. */
	char json[MEMBER_JSON_BYTES];
	size_t json_bytes;

	struct member *next;          /* the next older one of the same list */
	struct member *older, *newer; /* of the same queue */
};

/* Only for members.c and executions.c. */
struct member_queue {
	struct member *oldest, *newest;
	size_t count;
};

struct members {
	struct member_queue queues[MEMBER_QUEUES_COUNT];
	struct member *spare; /* removed entries for new members, linked by next */
	size_t spare_count;
	size_t count, heirs_count;
};

/* Frees the spare entries. Remove all members before. */
void members__free(struct members *members);

/* Adds an heir to the list of the execution. NULL: no memory. */
struct member *members__add(struct members *members, struct execution *execution,
			    struct member_list *list, uint32_t pid);
void members__remove(struct members *members, struct member *member);

/* The heir reported a boundary. */
void members__has_told(struct members *members, struct member *member);

/* The members with this pid, the oldest first: the one after `previous`, or the first where
 * `previous` is NULL. NULL: there are no more. */
struct member *members__of_process(const struct members *members, uint32_t pid,
				   const struct member *previous);

/* Calls `each` once for every pid. 0 or -ENOMEM: nothing was called. */
int members__each_pid(const struct members *members, void (*each)(uint32_t pid, void *context),
		      void *context);

/* The oldest member of the longest queue: of a process that has most of them. */
struct member *members__of_busiest(const struct members *members);

#endif
