// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/event_text.h"

#include <stdio.h>
#include <string.h>

#include "common/printable.h"
#include "steptrace/stream/event_text_body.h"
#include "steptrace/stream/executions.h"

/* ---- where the columns are */

enum { PID_COLUMNS = 7, DURATION_COLUMNS = 9 };

/* Where columns begin, and how wide they are. The width of the terminal decides. */
struct columns {
	unsigned int time_bytes; /* of the time of day: with milliseconds or microseconds */
	unsigned int pid, id, slug, slug_width, body;
	unsigned int what_width; /* what happened; the duration follows */
	unsigned int end;
};

static unsigned int between(unsigned int least, unsigned int value, unsigned int most)
{
	if (value < least)
		return least;
	return value < most ? value : most;
}

static struct columns columns_of(const struct text_style *style)
{
	unsigned int width = text_style__width(style), gap = width < 100 ? 1 : 2;
	struct columns columns = {.time_bytes = style->columns && width < 120 ? 12 : 15};
	unsigned int details = width < 100 ? 0 : (width - 100) / 5 + 8;

	columns.pid = columns.time_bytes + gap;
	columns.id = columns.pid + PID_COLUMNS + gap;
	columns.slug = columns.id + EVENT_TEXT_ID_COLUMNS + gap;
	columns.slug_width = between(12, (width - columns.slug) / 4, 24);
	columns.body = columns.slug + columns.slug_width + gap;
	columns.what_width = between(8, width - columns.body - DURATION_COLUMNS - details, 44);
	columns.end = width;
	return columns;
}

/* ---- the line */

static void put_front(struct text_line *line, const struct columns *columns,
		      const struct event_text_front *front, struct clock_anchor *clock)
{
	const uint8_t *id = front->execution_id;
	char room[CLOCK_TIMESTAMP_BYTES], text[32];
	struct json stamp = {.base = room, .at = room, .limit = room + sizeof(room)};

	clock_anchor__timestamp(clock, &stamp, front->time_ns);
	text_line__put(line, room + 11, columns->time_bytes, columns->time_bytes);
	snprintf(text, sizeof(text), "%*u", PID_COLUMNS, front->pid);
	text_line__go_to(line, columns->pid);
	text_line__put(line, text, sizeof(text), sizeof(text));
	snprintf(text, sizeof(text), "%02x%02x%02x%02x", id[12], id[13], id[14], id[15]);
	text_line__go_to(line, columns->id);
	text_line__put(line, text, sizeof(text), sizeof(text));
	text_line__go_to(line, columns->slug);
	text_line__put(line, front->slug, front->slug_bytes, columns->slug_width);
	text_line__go_to(line, columns->body);
}

/* Right-aligned, behind `column` and behind what is there already. */
static void put_duration(struct text_line *line, unsigned int column, const char *duration)
{
	unsigned int bytes = (unsigned int)strlen(duration);
	unsigned int from = column > line->at ? column : line->at;

	text_line__go_to(line, from + DURATION_COLUMNS - between(0, bytes, DURATION_COLUMNS - 1));
	text_line__put(line, duration, bytes, bytes);
}

static unsigned int less(unsigned int from, unsigned int taken)
{
	return from > taken ? from - taken : 0;
}

/*
 * Where the line is too narrow for everything, blanks go first. Then the text in front of the
 * duration is cut, but the details take no more than a third of the room from it, or what their
 * essential part needs. Then the details are cut.
 */
static void put_body(struct text_line *line, const struct columns *columns,
		     const struct event_text_body *body)
{
	const struct event_text_words *details = &body->details;
	unsigned int width = columns->end - columns->body;
	unsigned int left = less(width, body->duration[0] ? DURATION_COLUMNS : 0);
	unsigned int all = (unsigned int)printable__columns(details->text, details->bytes);
	unsigned int least = (unsigned int)printable__columns(details->text, body->essential_bytes);
	unsigned int kept = between(least + (least < all), width / 3, all); /* one for "…" */
	/* A file has room for everything. */
	unsigned int room = text_style__cuts(line->style) ? less(left, all) : width;

	text_line__colour(line, body->colour);
	text_line__put(line, body->what.text, body->what.bytes,
		       between(8, less(left, kept), width));
	if (body->duration[0])
		put_duration(line, columns->body + between(0, room, columns->what_width),
			     body->duration);
	text_line__put(line, details->text, details->bytes, less(columns->end, line->at));
}

void event_text__write_line(struct json *json, const struct event_text_front *front,
			    const struct event_text_body *body, struct clock_anchor *clock,
			    const struct text_style *style)
{
	struct columns columns = columns_of(style);
	struct text_line line;

	text_line__begin(&line, json, style);
	put_front(&line, &columns, front, clock);
	put_body(&line, &columns, body);
	text_line__end(&line);
}

void event_text__write(struct json *json, const struct event *event, struct clock_anchor *clock,
		       const struct text_style *style)
{
	const struct execution *execution = event->execution;
	const struct event_text_front front = {
		.time_ns = event->record->time_ns,
		.pid = event->record->pid,
		.execution_id = execution ? execution->id : event->head->execution_id,
		.slug = execution ? execution->command.slug : event->rejected->slug,
		.slug_bytes = sizeof(event->rejected->slug),
	};
	struct event_text_body body;

	event_text_body__make(&body, event, style->has_ids);
	event_text__write_line(json, &front, &body, clock, style);
}

void event_text__header(struct json *json, const struct text_style *style)
{
	struct columns columns = columns_of(style);
	const struct {
		unsigned int at;
		const char *title;
	} titles[] = {
		{0, "TIME (UTC)"},
		{columns.pid + PID_COLUMNS - 3, "PID"},
		{columns.id, "ID"},
		{columns.slug, "COMMAND"},
		{columns.body, "EVENT"},
		{columns.body + columns.what_width + DURATION_COLUMNS - 8, "DURATION"},
	};
	struct text_line line;

	text_line__begin(&line, json, style);
	text_line__colour(&line, TEXT_BOLD);
	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
		text_line__go_to(&line, titles[i].at);
		text_line__put(&line, titles[i].title, strlen(titles[i].title), TEXT_COLUMNS);
	}
	text_line__end(&line);
}
