// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/overdue_events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "steptrace/inflight/syscall_name.h"
#include "steptrace/record/lookout_news.h"
#include "steptrace/stream/event_text.h"
#include "steptrace/stream/event_text_body.h"

/* Messages before signals and timers get their turn. */
enum { MESSAGES_AT_ONCE = 64 };

/* ---- pseudonyms */

/* The arrays have a zero behind the text, those of a record have none. The length of a pseudonym
 * depends on the room, and has to be the same. */
#define REPLACE(field, text) pseudonyms__replace(pseudonyms, field, text, sizeof(text) - 1)

static void pseudonymize(struct open_row *row, const struct pseudonyms *pseudonyms)
{
	REPLACE(PSEUDONYM_COMMAND_SLUG, row->command.slug);
	REPLACE(PSEUDONYM_USER_ID, row->command.user_id);
	REPLACE(PSEUDONYM_REQUEST_SOURCE, row->command.request_source);
	REPLACE(PSEUDONYM_CORRELATION_ID, row->command.correlation_id);
	REPLACE(PSEUDONYM_STEP_NAME, row->step.name);
	REPLACE(PSEUDONYM_COMM, row->comm);
	REPLACE(PSEUDONYM_COMM, row->thread.comm);
	for (size_t i = 0; i < row->outer_steps_count; i++)
		REPLACE(PSEUDONYM_STEP_NAME, row->outer_steps[i].name);
	for (size_t i = 0; i < row->threads_count; i++)
		REPLACE(PSEUDONYM_COMM, row->threads[i].comm);
}

/* ---- as JSON */

static void put_reached(struct json *out, const struct lookout_message *message)
{
	json__raw(out, ",\"threshold_ms\":");
	json__milliseconds(out, message->overdue.reached_ns);
	json__raw(out, ",\"overdue\":[");
	if (message->overdue.by_command)
		json__raw(out, "\"command\"");
	if (message->overdue.by_command && message->overdue.by_step)
		json__raw(out, ",");
	if (message->overdue.by_step)
		json__raw(out, "\"step\"");
	json__raw(out, "]");
}

static void put_json(struct stream *stream, const struct lookout_message *message)
{
	const struct stream_options *options = stream__options(stream);
	const struct open_row *row = &message->overdue.row;
	struct json *out = &stream__lines(stream)->text;
	size_t before = json__length(out);

	json__raw(out, "{\"event\":\"command.execution.overdue\"");
	open_row__put_identity(out, row);
	put_reached(out, message);
	if (!options->seed_fields_only) {
		json__raw(out, ",\"timestamp\":\"");
		clock_anchor__timestamp(stream__clock(stream), out, row->now_ns);
		json__raw(out, "\",\"monotonic_ns\":");
		json__u64(out, row->now_ns);
		open_row__put_facts(out, row, NULL);
	}
	json__raw(out, "}\n");
	stream__finish_json(options, out, before);
}

/* ---- as text */

/* "  sleeping in recvfrom"; nothing where the thread is not known. */
static void add_wait(struct event_text_words *words, const struct open_row *row)
{
	char name[SYSCALL_NAME_BYTES];

	if (!row->has_thread)
		return;
	event_text_words__add(words, "  %s", thread__state_name(&row->thread));
	syscall_name__write(row->thread.syscall, name);
	if (name[0])
		event_text_words__add(words, " in %s", name);
}

/* A lower bound has ">" in front of it. */
static void write_age(const struct lookout_message *message, char text[DURATION_TEXT_BYTES])
{
	const struct open_row *row = &message->overdue.row;
	const struct age *age = message->overdue.by_command ? &row->command_age : &row->step_age;
	char known[DURATION_TEXT_BYTES];

	duration_text__age(age->ns, known);
	snprintf(text, DURATION_TEXT_BYTES, "%s%.20s", age->is_known ? "" : ">", known);
}

static void add_ids(struct event_text_words *words, const struct open_row *row)
{
	event_text_words__add(words, "  execution ");
	event_text_words__add_uuid(words, row->command.execution_id);
	if (row->command.correlation_id[0])
		event_text_words__add(words, "  req %s", row->command.correlation_id);
	if (row->has_thread)
		event_text_words__add(words, "  thread %d", row->thread.tid);
}

static void put_text(struct stream *stream, const struct lookout_message *message)
{
	const struct open_row *row = &message->overdue.row;
	const struct event_text_front front = {
		.time_ns = row->now_ns,
		.pid = (uint32_t)row->pid,
		.execution_id = row->command.execution_id,
		.slug = row->command.slug[0] ? row->command.slug : "unnamed",
		.slug_bytes = sizeof(row->command.slug),
	};
	struct event_text_body body = {.colour = TEXT_YELLOW};
	char reached[DURATION_TEXT_BYTES];

	event_text_words__add(&body.what, "%s", "overdue");
	if (row->has_step)
		event_text_words__add(&body.what, " in %s",
				      row->step.type[0] ? row->step.type : "unnamed");
	if (row->step.name[0])
		event_text_words__add(&body.what, " %s", row->step.name);
	write_age(message, body.duration);
	duration_text__age(message->overdue.reached_ns, reached);
	event_text_words__add(&body.details, "  over %s", reached);
	body.essential_bytes = body.details.bytes;
	add_wait(&body.details, row);
	if (stream__options(stream)->text.has_ids)
		add_ids(&body.details, row);
	event_text__write_line(&stream__lines(stream)->text, &front, &body, stream__clock(stream),
			       &stream__options(stream)->text);
}

/* Without memory the event is left out, as an aborted event is. */
static void write_event(struct overdue_events *events, struct stream *stream,
			const struct pseudonyms *pseudonyms)
{
	static const struct line_mark own = {.kind = EVENT_NONE, .is_overdue = 1};
	struct lines *lines = stream__lines(stream);
	bool is_json = stream__options(stream)->format == FORMAT_JSON;

	if (json__reserve(&lines->text, is_json ? OPEN_ROW_JSON_BYTES : EVENT_TEXT_BYTES))
		return;
	pseudonymize(&events->message->overdue.row, pseudonyms);
	if (is_json)
		put_json(stream, events->message);
	else
		put_text(stream, events->message);
	events->count += lines__mark(lines, &own) == 0;
}

/* ---- messages */

static void say_ended(struct overdue_events *events)
{
	if (events->has_failed)
		return;
	events->has_failed = true;
	log__error("the process '%s' has ended: --overdue reports nothing any more", LOOKOUT_NAME);
}

/* False: none waits. */
static bool take_one(struct overdue_events *events, struct stream *stream,
		     const struct pseudonyms *pseudonyms)
{
	switch (lookout__next(&events->lookout, events->message)) {
	case LOOKOUT_NOTHING: return false;
	case LOOKOUT_OVERDUE: write_event(events, stream, pseudonyms); return true;
	case LOOKOUT_STATE:
		lookout_news__say(&events->told, &events->message->state, "--overdue", false);
		return true;
	case LOOKOUT_OPEN:
	case LOOKOUT_BLIND: /* it was not asked */
	case LOOKOUT_LOOKED:
	case LOOKOUT_ENDED: break;
	}
	say_ended(events);
	lookout__close(&events->lookout);
	return false;
}

bool overdue_events__take(struct overdue_events *events, struct stream *stream,
			  const struct pseudonyms *pseudonyms)
{
	for (int i = 0; i < MESSAGES_AT_ONCE; i++)
		if (events->lookout.fd < 0 || !take_one(events, stream, pseudonyms))
			return false;
	return true;
}

void overdue_events__finish(struct overdue_events *events, struct stream *stream,
			    const struct pseudonyms *pseudonyms)
{
	bool had_failed = events->has_failed;

	if (events->lookout.fd < 0)
		return;
	lookout__stop(&events->lookout);
	events->has_failed = true; /* it has ended, as it should */
	while (events->lookout.fd >= 0 && take_one(events, stream, pseudonyms))
		continue;
	events->has_failed = had_failed;
	lookout__close(&events->lookout);
}

int overdue_events__open(struct overdue_events *events, const struct lookout_options *options,
			 struct error *err)
{
	events->message = calloc(1, sizeof(*events->message));
	if (!events->message)
		return error__set(err, -ENOMEM, "out of memory");
	return lookout__start(&events->lookout, options, err);
}

void overdue_events__close(struct overdue_events *events)
{
	lookout__close(&events->lookout);
	free(events->message);
	events->message = NULL;
}
