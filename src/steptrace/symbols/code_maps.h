/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the code of traced processes is: their executable mappings, each with its module.
 *
 * The list of a process is read when the process is first seen, and again when it has an address
 * that is in no mapping: then a library was loaded. When that finds nothing new, the pause until
 * the next time doubles, so that a process full of wild addresses costs little. When the process
 * has ended, the list stays until code_maps__forget().
 *
 * A process may end before its list is read, or while it is read, and a library may be loaded
 * between two readings. So what the kernel has reported since a list was read is added to it where
 * an address is in no mapping.
 *
 * A library that was unloaded and another one at the same place are not told apart until the list
 * is read again.
 */
#ifndef STEPTRACE_CODE_MAPS_H
#define STEPTRACE_CODE_MAPS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "steptrace/symbols/mapped.h"
#include "steptrace/symbols/place_map.h"
#include "steptrace/symbols/seen_mappings.h"

struct code_maps {
	struct mapped *mapped;
	struct process_code **items; /* owned; NULL: not in use */
	size_t count, room;
	struct place_map by_pid; /* the index + 1 */
	struct seen_mappings seen;
};

/* Where an address of a process is. */
struct code_place {
	uint32_t module;
	uint64_t offset; /* in the file; in memory without a file, the address itself */
};

/* Reads the list, also where it was read before. */
void code_maps__look_at(struct code_maps *processes, pid_t pid);
/* The kernel has reported this mapping of a process. */
void code_maps__mapped(struct code_maps *processes, pid_t pid,
		       const struct process_mapping *mapping);
void code_maps__forget(struct code_maps *processes, pid_t pid);

/* False: the process has no code there, as far as it is known. */
bool code_maps__find(struct code_maps *processes, pid_t pid, uint64_t address,
		     struct code_place *place);

/* Frees the lists; the modules stay. */
void code_maps__free(struct code_maps *processes);

#endif
