/* SPDX-License-Identifier: BSD-2-Clause */
/* What this process takes of the machine, all threads together. */
#ifndef STEPTRACE_USAGE_H
#define STEPTRACE_USAGE_H

#include <stdint.h>

struct usage {
	int statm_fd; /* /proc/self/statm, open since before rights were given up */
};

/* Never fails: what cannot be found out is 0. */
void usage__open(struct usage *usage);
void usage__close(struct usage *usage);

/* Processor time so far. */
uint64_t usage__cpu_ns(void);

/* Resident memory: *all of it, and the part that is nobody else's and in no file. The ring
 * buffers, which are mapped twice, are in the former. */
void usage__memory(const struct usage *usage, uint64_t *all_bytes, uint64_t *own_bytes);

#endif
