/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * steptrace top for tests: records go in, keys too, and the screen comes out as text.
 *
 *	begin_top(100);
 *	feed_execution("triage", 1000, OUTCOME_SUCCESS);
 *	press("s");
 *	assert_non_null(strstr(screen(80, 24), "triage"));
 *	end_top();
 *
 * Counting began at second 1 of the clock; the numbers are those of second 11. Include <cmocka.h>
 * first.
 */
#ifndef TESTS_TOP_FIXTURE_H
#define TESTS_TOP_FIXTURE_H

#include "steptrace/top/keys.h"
#include "steptrace/top/top.h"
#include "stream_fixture.h"

#define TOP_SECOND 1000000000ull

static struct top_options top_options;
static struct top top;
static struct stream *stream;
static uint8_t next_id;
static uint64_t top_now_ns;
static struct strbuf shown_text;

static void top_event(void *context, const struct event *event)
{
	top__on_event(context, event);
}

static inline void begin_top_with(size_t limit, struct stream_options for_stream)
{
	top_options = (struct top_options){
		.rows_limit = limit,
		.sort = COLUMN_P99,
		.has_breakdown = for_stream.has_breakdown,
		.target = "all runners",
	};
	assert_int_equal(top__open(&top, &top_options), 0);
	for_stream.on_event = top_event;
	for_stream.on_event_context = &top;
	for_stream.leaves_out_lines = true;
	stream = stream_with(&for_stream);
	next_id = 0;
	top__update(&top, stream, TOP_SECOND);
	top_now_ns = 11 * TOP_SECOND;
}

static inline void begin_top(size_t limit)
{
	begin_top_with(limit, options_for(FORMAT_REPORT));
}

static inline void end_top(void)
{
	stream__free(stream);
	top__close(&top);
	strbuf__free(&shown_text);
}

/* ---- records of the newest execution; each has an id of its own */

static inline struct command_span command_named(const char *slug)
{
	struct command_span command = records__command();

	records__id(command.head.execution_id, next_id);
	snprintf(command.slug, sizeof(command.slug), "%s", slug);
	return command;
}

static inline void feed_begin(const char *slug, uint64_t time_ns)
{
	struct command_span command;

	next_id++;
	command = command_named(slug);
	feed(stream,
	     records__at(records__introducing(PROBE_COMMAND_START, &command, sizeof(command)),
			 time_ns));
}

static inline struct step_span step_named(const char *type, const char *name)
{
	struct step_span step = records__step();

	records__id(step.child.head.execution_id, next_id);
	snprintf(step.type, sizeof(step.type), "%s", type);
	snprintf(step.name, sizeof(step.name), "%s", name);
	return step;
}

static inline void feed_step_named(const char *type, const char *name, uint64_t duration_ns,
				   uint8_t outcome)
{
	struct step_span step = step_named(type, name);

	step.child.head.end_ns = step.child.head.start_ns + duration_ns;
	step.outcome = outcome;
	feed(stream, records__plain(PROBE_STEP_DONE, &step, sizeof(step)));
}

static inline void feed_step_begin(const char *type, const char *name, uint64_t time_ns)
{
	struct step_span step = step_named(type, name);

	feed(stream, records__at(records__plain(PROBE_STEP_START, &step, sizeof(step)), time_ns));
}

static inline void feed_end(const char *slug, uint64_t duration_ns, uint8_t outcome)
{
	struct command_span command = command_named(slug);

	command.head.start_ns = 4000000100;
	command.head.end_ns = command.head.start_ns + duration_ns;
	command.outcome = outcome;
	feed(stream, records__plain(PROBE_COMMAND_DONE, &command, sizeof(command)));
}

static inline void feed_execution(const char *slug, uint64_t duration_ns, uint8_t outcome)
{
	feed_begin(slug, 4 * TOP_SECOND);
	feed_end(slug, duration_ns, outcome);
}

/* ---- the screen */

/* Numbers of this second, from then on. */
static inline void top_now(uint64_t seconds)
{
	top_now_ns = seconds * TOP_SECOND;
}

/* Each character is a key. */
static inline void press(const char *keys)
{
	top__update(&top, stream, top_now_ns);
	for (; *keys; keys++)
		top__press(&top, stream, top_now_ns, (uint32_t)(unsigned char)*keys);
}

static inline void press_key(uint32_t key)
{
	top__update(&top, stream, top_now_ns);
	top__press(&top, stream, top_now_ns, key);
}

static inline const char *text_of_page(const struct page *page)
{
	strbuf__free(&shown_text);
	strbuf__init(&shown_text, SIZE_MAX);
	assert_false(page->is_incomplete);
	page__lines(page, &shown_text);
	assert_int_equal(shown_text.err, 0);
	return shown_text.text ? shown_text.text : "";
}

static inline const char *screen_with(const char *message, unsigned int width, unsigned int height)
{
	top__update(&top, stream, top_now_ns);
	return text_of_page(top__page(&top, width, height, message));
}

static inline const char *screen(unsigned int width, unsigned int height)
{
	return screen_with(NULL, width, height);
}

static inline const char *once(unsigned int width)
{
	top__update(&top, stream, top_now_ns);
	return text_of_page(top__page_once(&top, width));
}

/* The line of the screen, from 0. */
static inline const char *line_at(const char *text, unsigned int number)
{
	static char line[1024];

	while (number-- && strchr(text, '\n'))
		text = strchr(text, '\n') + 1;
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	return line;
}

/* The names of the rows on the screen, with blanks between them. */
static inline const char *names(unsigned int width, unsigned int height)
{
	const char *text = screen(width, height);
	unsigned int line = 0, bytes = 0;
	static char found[1024];

	found[0] = 0;
	while (!strstr(line_at(text, line), "RATE/s"))
		line++;
	while (++line < height - 1) {
		const char *row = line_at(text, line);
		int length = (int)strcspn(row[0] ? row + 1 : row, " ");

		if (length)
			bytes +=
				(unsigned int)snprintf(found + bytes, sizeof(found) - bytes,
						       "%s%.*s", bytes ? " " : "", length, row + 1);
	}
	return found;
}

#endif
