/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands and steps that were open when the memory of their runners was read, until the next
 * table.
 *
 * Some of them end before the table is made. They count as open, so that OPEN is the number at one
 * moment. But they have a duration of their own in the table.
 */
#ifndef STEPTRACE_OPEN_SET_H
#define STEPTRACE_OPEN_SET_H

#include <stddef.h>

#include "steptrace/stream/event.h"
#include "steptrace/stream/open_item.h"

/* More are counted, but not kept. */
enum { OPEN_SET_MAX = 200000 };

struct open_set;

/* NULL: no memory. */
struct open_set *open_set__new(void);
void open_set__free(struct open_set *set);

/* A look begins: from now on, ends are remembered, so that an item that is added later is known to
 * have ended. */
void open_set__expect(struct open_set *set);

/* Adds the item; its row has this key, which is copied. An item with the id of another is the same
 * one, seen in the memory of a forked child. 0, or -ENOMEM or -ENOSPC: it is left out. */
int open_set__add(struct open_set *set, const struct open_item *item, const char *key,
		  size_t key_bytes);

/* Notes the end of a command or step; other events do nothing. */
void open_set__on_event(struct open_set *set, const struct event *event);

/* Notes in the command or step with this id that it was seen in this round. */
void open_set__see(struct open_set *set, const uint8_t id[16], uint64_t round);

/* How many items were left out. */
size_t open_set__left_out(const struct open_set *set);

/* What a table needs to know of an item. */
struct open_value {
	uint64_t age_ns, seen_ns; /* at the time seen_ns */
	bool is_age_known;        /* false: at least age_ns */
	bool has_ended;           /* since it was read */
	uint64_t round;           /* the last one of open_set__see() */
};

/* Calls `each` for all items, in any order. */
void open_set__each(const struct open_set *set,
		    void (*each)(void *context, const char *key, size_t key_bytes,
				 const struct open_value *value),
		    void *context);

/* Removes all items. */
void open_set__clear(struct open_set *set);

#endif
