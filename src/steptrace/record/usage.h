/* SPDX-License-Identifier: BSD-2-Clause */
/* Processor time and memory of this process, all threads together. */
#ifndef STEPTRACE_USAGE_H
#define STEPTRACE_USAGE_H

#include <stdint.h>

struct usage {
	int statm_fd; /* /proc/self/statm, opened before privileges are dropped; -1: none */
};

/* Never fails: a number that cannot be read is 0. */
void usage__open(struct usage *usage);
void usage__close(struct usage *usage);

/* Processor time so far, in nanoseconds. */
uint64_t usage__cpu_ns(void);

/*
 * Resident memory in bytes. *all_bytes is all of it; it contains the ring buffers, which are mapped
 * twice. *own_bytes is private memory that is not backed by a file.
 */
void usage__memory(const struct usage *usage, uint64_t *all_bytes, uint64_t *own_bytes);

#endif
