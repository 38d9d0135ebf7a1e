/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The executions of a recording that are open where the reader is, and those that ended lately.
 *
 * Memory is bounded: at most HELD_EXECUTIONS_MAX are open. The user takes out the oldest when there
 * are more: the end of such an execution was lost, or is far away. Ended ones are kept (without
 * what was held for them) so that their children find them; the oldest is forgotten first.
 *
 * Ids are compared by a keyed hash of 64 bits.
 */
#ifndef STEPTRACE_HELD_EXECUTIONS_H
#define STEPTRACE_HELD_EXECUTIONS_H

#include <stdbool.h>

#include "steptrace/export/spans.h"
#include "steptrace/recording/recorded_event.h"

enum { HELD_EXECUTIONS_MAX = 1 << 16 };

struct held_executions;

struct held_execution {
	char *id; /* owned; at most 128 bytes are kept */
	size_t id_bytes;
	uint64_t process, tid;       /* of its first event */
	uint64_t began_ns;           /* when command.execution.started was captured; 0: not seen */
	uint64_t last_ns;            /* its newest event */
	struct recorded_place first; /* its first event, where the user sets it */
	/* What the user keeps of command.execution.started, in two parts. Owned. */
	char *command;
	size_t name_bytes, command_split, command_bytes;
	struct spans spans;
	unsigned int parts; /* how often its spans were written before its end */
	bool is_open;
};

struct held_executions *held_executions__new(void);
void held_executions__free(struct held_executions *executions);

/* The execution, open or ended. NULL: not known. */
struct held_execution *held_executions__find(struct held_executions *executions,
					     struct recorded_text id);

/* Makes an open one; the id must not be open. NULL: no memory. */
struct held_execution *held_executions__open(struct held_executions *executions,
					     struct recorded_text id);

/* From now on it is known as ended. Frees what was held for it. */
void held_executions__end(struct held_executions *executions, struct held_execution *execution);

/* The one that has been open for the longest time. NULL: none is open. */
struct held_execution *held_executions__oldest(const struct held_executions *executions);

/* The one that was opened after this one; NULL: this is the newest. */
struct held_execution *held_executions__next(const struct held_execution *execution);

size_t held_executions__open_count(const struct held_executions *executions);

#endif
