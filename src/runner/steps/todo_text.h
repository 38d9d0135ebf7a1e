/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line like "call Ana tomorrow !! #home" says. The same text on the same day always says the
 * same. Words count as whole words, without regard to case.
 *
 *	due date	the first ISO date; else today, tomorrow or tmr, next week (in 7 days), next
 *			month (in 30 days); else a name of a day of the week (the next such day);
 *			else "in N hours, days or weeks"
 *	priority	high: urgent, critical, asap, high, important, !!!, P1
 *			medium: !!, P2, and where nothing is said
 *			low: low, minor, !, P3
 *	tags		#x is x, @x is ctx-x; the tag todo is always there, first
 *	title		the rest of the first sentence, at most 80 characters
 */
#ifndef STEPTRACE_RUNNER_TODO_TEXT_H
#define STEPTRACE_RUNNER_TODO_TEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/* Which parts are read; the text of the others stays in the title. */
struct todo_rules {
	bool due_date, priority, tags;
};

/* An object {title, due_date, priority, tags, status}, which the caller deletes. due_date is null
 * or "2025-03-01". `now_s` is Unix time; days are those of UTC. NULL: out of memory. */
cJSON *todo_text__parse(const char *text, const struct todo_rules *rules, int64_t now_s);

#endif
