/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps one copy of equal byte strings, and numbers them: 1, 2, 3 … in the order in which they
 * came. For stacks (arrays of frames) and for names.
 */
#ifndef STEPTRACE_PROFILE_INTERNED_H
#define STEPTRACE_PROFILE_INTERNED_H

#include <stddef.h>
#include <stdint.h>

struct interned;

/* At most `limit` different strings. NULL: no memory. */
struct interned *interned__new(uint32_t limit);
void interned__free(struct interned *table);

/* Limits the memory of the strings and of the table, too. */
void interned__limit_bytes(struct interned *table, size_t bytes);

/* The number of these bytes. 0: a limit is reached, or there is no memory. */
uint32_t interned__number(struct interned *table, const void *bytes, size_t count);

/* The bytes with this number, aligned for any type, followed by a zero. *count may be NULL. */
const void *interned__at(const struct interned *table, uint32_t number, size_t *count);

uint32_t interned__count(const struct interned *table);

#endif
