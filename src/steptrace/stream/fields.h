/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --fields LIST: the members that are kept in the JSON lines of runners' events. A line is written
 * whole, then the other members are removed from it. So a recording without --fields, or with
 * "all" or "seed", has no cost from this.
 */
#ifndef STEPTRACE_FIELDS_H
#define STEPTRACE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum { FIELDS_MAX = 64 };

struct fields {
	struct {
		const char *name; /* "step.name"; borrowed: in the list; no NUL at its end */
		size_t bytes;
	} kept[FIELDS_MAX];
	size_t count; /* 0: all fields are kept */
};

/* `list` is like "duration_ms,outcome,step.name"; `event` and `execution_id` are added to it. A
 * dotted name is a field of an object. 0, or -EINVAL with a sentence: no event has a field of that
 * name, or there are too many names. */
int fields__parse(struct fields *fields, const char *list, struct error *err);

/* Removes the other members from one line of JSON, in place. Returns its new length. */
size_t fields__apply(const struct fields *fields, char *line, size_t bytes);

#endif
