/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lanes of time, in which intervals follow each other and never overlap. A group of lanes has a
 * name; each interval of the group gets the lane that became free last.
 *
 *	group "vm/steprun"	lane 0	|--a--|  |--c--|    |-e-|
 *				lane 1	    |--b--|  |---d---|
 *
 * Intervals come in the order of their ends, as a recording has them. Then a group has as many
 * lanes as intervals overlap, and no more. It is right in any order.
 *
 * At most LANES_MAX lanes are made, and LANE_GROUPS_MAX groups are told apart. All further groups
 * are the group 0.
 */
#ifndef STEPTRACE_EXPORT_LANES_H
#define STEPTRACE_EXPORT_LANES_H

#include "steptrace/export/spool.h"
#include "steptrace/stream/text_hash.h"

enum { LANES_MAX = 1024, LANE_GROUPS_MAX = 1024 };

struct lane {
	uint64_t end_ns; /* of its last interval */
	uint32_t group;
	uint32_t number;        /* in the group, from 0 */
	struct spool_list list; /* the user's; lanes__free() frees it */
};

struct lane_group {
	uint64_t key;
	char *name; /* owned */
	size_t name_bytes;
	uint32_t lanes_count;
};

struct lanes {
	struct lane lanes[LANES_MAX];
	size_t count;
	struct lane_group groups[LANE_GROUPS_MAX];
	size_t groups_count;
	struct text_hash hash;
};

/* NULL: no memory. */
struct lanes *lanes__new(void);
void lanes__free(struct lanes *lanes);

/* The number of the group with this name, made if it is new. 0: there are too many, or -ENOMEM. */
uint32_t lanes__group(struct lanes *lanes, const char *name, size_t bytes);

/* The lane for an interval of the group. NULL: there are too many. */
struct lane *lanes__take(struct lanes *lanes, uint32_t group, uint64_t begin_ns, uint64_t end_ns);

#endif
