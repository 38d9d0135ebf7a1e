/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells whether a line is the same as one of the last lines: a ring of the hashes of these lines,
 * and a hash table of the places in the ring.
 *
 * The hash has 64 bits and a random key. So a file cannot be made to contain different lines with
 * one hash, and by chance one in 2^48 lines is taken for a repeated one.
 */
#ifndef STEPTRACE_REPEATS_H
#define STEPTRACE_REPEATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct repeats;

/* For the last `lines` lines: a power of two. NULL: no memory. */
struct repeats *repeats__new(size_t lines);
void repeats__free(struct repeats *repeats);

/* True: it is the same as one of the last lines. False: it is new, and is the last line now. */
bool repeats__see(struct repeats *repeats, const char *line, size_t bytes);

/* The same in two steps. Between them the caller does something else: meanwhile the processor loads
 * from memory what the second step will read. */
uint64_t repeats__hash(const struct repeats *repeats, const char *line, size_t bytes);
bool repeats__see_hash(struct repeats *repeats, uint64_t hash);

#endif
