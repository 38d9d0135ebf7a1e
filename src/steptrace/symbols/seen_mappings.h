/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The executable mappings that processes made lately, as the kernel reported them. A process that
 * has ended has no list of mappings any more.
 *
 * The latest SEEN_MAPPINGS_MAX are kept, of all processes together. A process that has executed
 * another program has those of both.
 */
#ifndef STEPTRACE_SYMBOLS_SEEN_MAPPINGS_H
#define STEPTRACE_SYMBOLS_SEEN_MAPPINGS_H

#include <stdint.h>
#include <sys/types.h>

#include "common/process_maps.h"

enum { SEEN_MAPPINGS_MAX = 4096 };

struct seen_mapping {
	pid_t pid;
	struct process_mapping mapping; /* its path is owned */
};

/* It begins with zeros. */
struct seen_mappings {
	struct seen_mapping *items; /* owned: a ring; NULL: none were added */
	uint64_t count;             /* that were ever added */
};

/* Copies the mapping. Where there is no memory it is dropped. */
void seen_mappings__add(struct seen_mappings *seen, pid_t pid,
			const struct process_mapping *mapping);

/* The latest one of the process among those from number `from` up to, without, number `*to`; the
 * first that was ever added has the number 0. NULL: there is none. *to becomes its number. Valid
 * until the next one is added. */
const struct process_mapping *seen_mappings__latest(const struct seen_mappings *seen, pid_t pid,
						    uint64_t from, uint64_t *to);

void seen_mappings__free(struct seen_mappings *seen);

#endif
