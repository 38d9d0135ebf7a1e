/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the line of an event says. event_text.c puts it into columns and escapes it.
 *
 *	what "  DatabaseUpdateStep set-title"	duration "482 us"	details "  1 row"
 */
#ifndef STEPTRACE_EVENT_TEXT_BODY_H
#define STEPTRACE_EVENT_TEXT_BODY_H

#include <stdbool.h>
#include <stddef.h>

#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/duration_text.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/text_line.h"

enum { EVENT_TEXT_ID_COLUMNS = 8 }; /* of an id that is shortened to its last digits */

struct event_text_words {
	char text[512]; /* as the runner wrote it; longer text is truncated */
	size_t bytes;
};

/* Append; text for which there is no room is left out. */
void event_text_words__add(struct event_text_words *words, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void event_text_words__add_uuid(struct event_text_words *words, const uint8_t id[16]);

struct event_text_body {
	struct event_text_words what, details; /* details begin with two blanks */
	size_t essential_bytes;                /* of details: how it ended, if not well */
	char duration[DURATION_TEXT_BYTES];    /* "": the event has none */
	enum text_colour colour;
};

/* `has_ids`: the details end with the whole ids of execution, request and thread. */
void event_text_body__make(struct event_text_body *body, const struct event *event, bool has_ids);

/* The columns in front of it. */
struct event_text_front {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint32_t pid;
	const uint8_t *execution_id;
	const char *slug; /* ends with NUL, or after slug_bytes */
	size_t slug_bytes;
};

/* Appends one line. The caller has reserved EVENT_TEXT_BYTES. */
void event_text__write_line(struct json *json, const struct event_text_front *front,
			    const struct event_text_body *body, struct clock_anchor *clock,
			    const struct text_style *style);

#endif
