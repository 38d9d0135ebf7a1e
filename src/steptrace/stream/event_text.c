// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/event_text.h"

#include <stdio.h>

#include "common/printable.h"
#include "steptrace/stream/executions.h"
#include "steptrace/stream/termination.h"

/* Pads to `width` columns. */
static void put_padded(struct json *line, const char *text, size_t bytes, int width)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + strnlen(text, bytes);
	int columns = 0;

	while (at < end) {
		struct printable shown = printable__character(at, end);

		json__bytes(line, shown.text, shown.bytes);
		columns += shown.columns;
		at += shown.taken;
	}
	for (; columns < width; columns++)
		*line->at++ = ' ';
}

#define PADDED(line, field, width) put_padded(line, field, sizeof(field), width)

static void put_word(struct json *line, const char *word, int width)
{
	put_padded(line, word, strlen(word), width);
}

static void put_count(struct json *line, uint64_t count, const char *noun)
{
	json__raw(line, "  ");
	json__u64(line, count);
	json__raw(line, " ");
	json__word(line, noun);
	if (count != 1)
		json__raw(line, "s");
}

/* Right-aligned, rounded, in the unit that fits. JSON lines have every digit. */
static void put_duration(struct json *line, const struct event *event)
{
	char text[32] = "?   ";
	uint64_t ns;

	if (event__duration_ns(event, &ns)) {
		if (ns < 1000)
			snprintf(text, sizeof(text), "%u ns", (unsigned int)ns);
		else if (ns < 1000000)
			snprintf(text, sizeof(text), "%.1f us", (double)ns / 1e3);
		else if (ns < 10000000000)
			snprintf(text, sizeof(text), "%.3f ms", (double)ns / 1e6);
		else
			snprintf(text, sizeof(text), "%.3f s ", (double)ns / 1e9);
	}
	for (size_t i = strlen(text); i < 13; i++)
		*line->at++ = ' ';
	json__word(line, text);
}

static void put_trouble(struct json *line, unsigned int outcome, unsigned int category)
{
	const char *name = error_category__name(category);

	if (outcome == OUTCOME_SUCCESS)
		return;
	json__raw(line, "  ");
	json__word(line, outcome__name(outcome));
	if (name) {
		json__raw(line, ": ");
		json__word(line, name);
	}
}

static void put_front(struct json *line, const struct event *event, struct clock_anchor *clock)
{
	struct json stamp;
	char room[CLOCK_TIMESTAMP_BYTES];
	char pid[16];

	stamp = (struct json){.base = room, .at = room, .limit = room + sizeof(room)};
	clock_anchor__timestamp(clock, &stamp, event->record->time_ns);
	json__bytes(line, room + 11, 15); /* the time of day with microseconds */
	snprintf(pid, sizeof(pid), "  %7u  ", event->record->pid);
	json__word(line, pid);
	if (event->execution)
		PADDED(line, event->execution->command.slug, 20);
	else
		PADDED(line, event->rejected->slug, 20);
	json__raw(line, "  ");
}

static void started_text(struct json *line, const struct event *event)
{
	put_word(line, "started", 9);
	PADDED(line, event->command->request_source, 0);
	json__raw(line, "  by ");
	PADDED(line, event->command->user_id, 0);
	if (event->head->flags & SPAN_DRY_RUN)
		json__raw(line, "  (dry run)");
}

static void step_text(struct json *line, const struct event *event)
{
	const struct step_span *step = event->step;

	for (unsigned int i = 0; i < 2u + 2u * (step->depth < 8 ? step->depth : 8u); i++)
		*line->at++ = ' ';
	PADDED(line, step->type, 20);
	json__raw(line, "  ");
	PADDED(line, step->name, 18);
	put_duration(line, event);
	if (step->mutations_count)
		put_count(line, step->mutations_count, "row");
	if (event->head->flags & SPAN_ITEMS) {
		put_count(line, step->items_in, "item");
		json__raw(line, " to ");
		json__u64(line, step->items_out);
	}
	if (ai_cache__name(step->ai_cache)) {
		json__raw(line, "  cache ");
		json__word(line, ai_cache__name(step->ai_cache));
		put_count(line, (uint64_t)step->prompt_tokens + step->completion_tokens, "token");
	}
	put_trouble(line, step->outcome, step->error_category);
}

static void put_termination(struct json *line, const struct event *event)
{
	char text[TERMINATION_TEXT_BYTES];

	termination__text(event->termination, text);
	json__raw(line, "  ");
	json__word(line, text);
	if (!event->innermost)
		return;
	json__raw(line, " in ");
	if (event->innermost->name[0])
		PADDED(line, event->innermost->name, 0);
	else
		PADDED(line, event->innermost->type, 0);
}

static void put_unseen(struct json *line, const struct event *event)
{
	if (event->complete)
		return;
	if (event->steps_lost_known) {
		json__raw(line, "  (");
		json__u64(line, event->steps_lost);
		json__raw(line, " not seen)");
	} else {
		json__raw(line, "  (some not seen)");
	}
}

static void completed_text(struct json *line, const struct event *event)
{
	const struct command_span *command = event->command;

	put_word(line, "done", 9);
	put_word(line, outcome__name(command->outcome), 32);
	put_duration(line, event);
	put_count(line, event__steps_executed(event), "step");
	if (command->steps_failed) {
		json__raw(line, ", ");
		json__u64(line, command->steps_failed);
		json__raw(line, " failed");
	}
	if (event->termination)
		put_termination(line, event);
	put_unseen(line, event);
}

static void rejected_text(struct json *line, const struct event *event)
{
	put_word(line, "rejected", 9);
	PADDED(line, event->rejected->reason, 0);
	if (event->rejected->invalid_fields[0]) {
		json__raw(line, ": ");
		PADDED(line, event->rejected->invalid_fields, 0);
	}
}

static void tool_text(struct json *line, const struct event *event)
{
	json__raw(line, "  tool ");
	PADDED(line, event->tool->slug, 35);
	put_duration(line, event);
	put_trouble(line, event->tool->outcome, 0);
}

static void fragment_text(struct json *line, const struct event *event)
{
	json__raw(line, "  fragment ");
	json__i64(line, event->fragment->fragment_id);
	json__raw(line, " ");
	json__word(line, operation__name(event->fragment->operation));
}

typedef void put_event(struct json *line, const struct event *event);

#define FORM(kind, writer, name) [EVENT_##kind] = writer##_text,

static put_event *const forms[] = {STEPTRACE_EVENT_KINDS(FORM)};

void event_text__write(struct json *line, const struct event *event, struct clock_anchor *clock)
{
	put_front(line, event, clock);
	forms[event->kind](line, event);
	json__raw(line, "\n");
}
