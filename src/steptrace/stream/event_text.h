/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes each event as one line of text for a person (--format compact): the time of day in UTC,
 * the pid, the command, and what happened.
 *
 *	20:15:31.482113  4711  fragment.update  started  api  by local-default
 *	20:15:31.482907  4711  fragment.update    DatabaseUpdateStep  set-title  0.482 ms  1 row
 *	20:15:31.483015  4711  fragment.update  done     success  0.891 ms  5 steps
 *
 * (The columns are wider than here.)
 */
#ifndef STEPTRACE_EVENT_TEXT_H
#define STEPTRACE_EVENT_TEXT_H

#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/json.h"

enum { EVENT_TEXT_BYTES = 4096 };

/* Appends one line. The caller has reserved EVENT_TEXT_BYTES. Text of a runner is escaped
 * (printable.h), so that a terminal does not execute it. */
void event_text__write(struct json *line, const struct event *event, struct clock_anchor *clock);

#endif
