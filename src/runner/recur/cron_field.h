/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One field of a cron line, or the days of weekly_at: a list of values, ranges and steps, which
 * becomes a set of numbers. See recurrence.h for the grammar.
 */
#ifndef STEPTRACE_RUNNER_CRON_FIELD_H
#define STEPTRACE_RUNNER_CRON_FIELD_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* A part of a text that is longer. */
struct piece {
	const char *at;
	size_t length;
};

/* Cuts the text at the first `separator`: `rest` follows it. Without one, all of the text is taken,
 * and `rest` is at NULL. */
struct piece piece__cut(struct piece text, char separator, struct piece *rest);

enum cron_field {
	CRON_MINUTE,
	CRON_HOUR,
	CRON_DAY,
	CRON_MONTH,
	CRON_WEEKDAY,
	CRON_FIELDS,
	WEEKLY_DAYS = CRON_FIELDS, /* names only */
	FIELD_KINDS
};

/* Bit 5 of `set` is the value 5; Sunday is bit 0 only. 0, or -EINVAL with a sentence that begins
 * with the name of the field. */
int cron_field__parse(enum cron_field field, struct piece text, uint64_t *set, struct error *err);

#endif
