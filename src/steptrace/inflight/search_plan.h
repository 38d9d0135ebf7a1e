/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which processes are searched wholly at a look that is one of many.
 *
 * A whole search reads all memory of a process: a fifth of a second for each GiB. The looks
 * between two whole searches of a process read the stacks of its threads, and the pages in which
 * something was found before (tag_pages.h).
 *
 * In the first look every process is searched wholly. After that, each is searched again in turn
 * with the others, and no more often than the time of its own search permits. All of this takes
 * four fifths of a share of one processor. The last fifth is for new processes, which are searched
 * when they are first seen. A runner that makes new processes all the time keeps no other process
 * from its turn; some of the new ones wait.
 *
 *	search_plan__begin_look
 *	  search_plan__process -> search_plan__is_due -> search_plan__searched
 *	search_plan__end_look		forgets the processes that were not looked at; only after
 *					a look that succeeded
 */
#ifndef STEPTRACE_SEARCH_PLAN_H
#define STEPTRACE_SEARCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "steptrace/inflight/tag_pages.h"

struct planned_process;

/* What the last whole search of a process could not see. */
struct search_gaps {
	bool is_partial, is_too_large;
	uint64_t swapped_bytes, left_out;
};

/* Zeroed, but for `share` and `max_age_ns`: there was no look. */
struct search_plan {
	double share;         /* of one processor */
	uint64_t max_age_ns;  /* search each at least so often, whatever it costs; 0: no */
	uint64_t look_ns;     /* CLOCK_MONOTONIC: when the last look began */
	int64_t for_turns_ns; /* CPU time that may be used; below 0: it was used ahead of time */
	int64_t for_new_ns;   /* the same */
	uint64_t look_cpu_ns; /* of the whole searches of this look */
	uint64_t round;       /* in which every process is searched once */
	uint64_t round_cpu_ns, last_round_cpu_ns; /* used in this round, and in the last one */
	uint64_t looks;
	bool must_wait;                    /* a process is due, but the time is used up */
	struct planned_process *processes; /* owned */
};

void search_plan__begin_look(struct search_plan *plan, uint64_t now_ns);

/* `born` differs from that of another process, or another program, with the same pid. NULL: there
 * is no memory for it. The pointer is valid until search_plan__end_look(). */
struct planned_process *search_plan__process(struct search_plan *plan, pid_t pid, uint64_t born);

/* Whether its whole memory is searched now. */
bool search_plan__is_due(struct search_plan *plan, const struct planned_process *process);

/* Its whole memory was searched, for this much CPU time. */
void search_plan__searched(struct search_plan *plan, struct planned_process *process,
			   uint64_t cpu_ns, const struct search_gaps *gaps);

struct tag_pages *planned_process__pages(struct planned_process *process);
const struct search_gaps *planned_process__gaps(const struct planned_process *process);

void search_plan__end_look(struct search_plan *plan);

/* About how often each process is searched wholly, in ns. 0: at each look. */
uint64_t search_plan__period_ns(const struct search_plan *plan);

/* Also for zeroed memory. */
void search_plan__close(struct search_plan *plan);

#endif
