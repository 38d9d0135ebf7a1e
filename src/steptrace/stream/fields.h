/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * --fields LIST: which fields of a runner's events are written. Each line loses the others after it
 * was made: who wants all fields, or the seed's, pays nothing. Pure.
 */
#ifndef STEPTRACE_FIELDS_H
#define STEPTRACE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

enum { FIELDS_MAX = 64 };

struct fields {
	struct {
		const char *name; /* in the list, which is borrowed */
		size_t bytes;
	} kept[FIELDS_MAX];
	size_t count; /* 0: all are */
};

/* "duration_ms,outcome". `event` and `execution_id` are always kept. -EINVAL with a sentence where a name is
 * in no schema. */
int fields__parse(struct fields *fields, const char *list, struct error *err);

/* Takes the other members out of a line of JSON, in place; returns its new length. */
size_t fields__apply(const struct fields *fields, char *line, size_t bytes);

#endif
