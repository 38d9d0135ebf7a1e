/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes each event as one line of text for a person (--format compact): the time of day in UTC,
 * the pid, the last digits of the execution's id, the command, and what happened.
 *
 *	TIME (UTC)     PID  ID        COMMAND   EVENT                         DURATION
 *	20:15:31.482  4711  9f0c2ab1  mail.get  started  api  req r-42  by mia
 *	20:15:31.482  4711  9f0c2ab1  mail.get      tool shell                  500 ns  exit 0
 *	20:15:31.482  4711  9f0c2ab1  mail.get    set-title DatabaseUpdateStep  482 us  1 row
 *	20:15:31.483  4711  9f0c2ab1  mail.get  done  success                   891 us  5 steps
 *
 * The columns become wider on a wide terminal. Nested steps, tools and fragments are indented by
 * their depth; they stand above the step that they belong to, because a step is written at its end.
 * What failed, and what was rejected, also has the id of its request.
 */
#ifndef STEPTRACE_EVENT_TEXT_H
#define STEPTRACE_EVENT_TEXT_H

#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/json.h"
#include "steptrace/stream/text_line.h"

enum { EVENT_TEXT_BYTES = 6144 };

/* Each appends one line. The caller has reserved EVENT_TEXT_BYTES. Text of a runner is escaped
 * (printable.h), so that a terminal does not execute it. */
void event_text__header(struct json *json, const struct text_style *style);
void event_text__write(struct json *json, const struct event *event, struct clock_anchor *clock,
		       const struct text_style *style);

#endif
