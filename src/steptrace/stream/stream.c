// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/event_json.h"
#include "steptrace/stream/event_text.h"
#include "steptrace/stream/stream_private.h"

int stream__new(const struct stream_options *options, struct stream **out)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	stream->options = *options;
	stream->open = executions__new(options->executions_limit ? options->executions_limit
								 : EXECUTIONS_LIMIT);
	if (!stream->open || lines__init(&stream->lines, STREAM_LINES_BYTES)) {
		stream__free(stream);
		return -ENOMEM;
	}
	stream->lines.text.safe_integers = options->safe_integers;
	if (stream__open_whole(stream)) {
		stream__free(stream);
		return -ENOMEM;
	}
	*out = stream;
	return 0;
}

void stream__free(struct stream *stream)
{
	if (!stream)
		return;
	executions__free(stream->open);
	stream__close_whole(stream);
	lines__free(&stream->lines);
	free(stream);
}

void stream__finish_json(const struct stream_options *options, struct json *text, size_t from_bytes)
{
	char *line = text->base + from_bytes;

	if (options->fields.count)
		text->at = line + fields__apply(&options->fields, line, (size_t)(text->at - line));
	labels__put_everywhere(&options->labels, text);
}

static void write_json(struct stream *stream, const struct event *event, struct json *text)
{
	struct stream_options *options = &stream->options;
	size_t before = json__length(text);

	event_json__write(text, event, &options->clock, options->seed_fields_only);
	stream__finish_json(options, text, before);
}

/* The path of a cgroup may be longer than all other text of an event. */
static size_t bytes_of_cgroup(const struct event *event)
{
	return event->cgroup_path ? JSON_TEXT_BYTES(strlen(event->cgroup_path)) : 0;
}

/* Appends the line of an event and its mark. */
static int write_line(struct stream *stream, const struct event *event, struct lines *lines)
{
	struct stream_options *options = &stream->options;
	struct line_mark mark = {.kind = (uint8_t)event->kind,
				 .is_aborted = event->termination != NULL};

	_Static_assert((int)EVENT_LINE_BYTES >= (int)EVENT_JSON_BYTES &&
			       (int)EVENT_LINE_BYTES >= (int)EVENT_TEXT_BYTES,
		       "a line of an event can be longer than its room");
	if (json__reserve(&lines->text, EVENT_LINE_BYTES + bytes_of_cgroup(event)))
		return -ENOMEM;
	if (options->format == FORMAT_COMPACT)
		event_text__write(&lines->text, event, &options->clock, &options->text);
	else
		write_json(stream, event, &lines->text);
	if (event->execution) {
		memcpy(mark.execution_id, event->execution->id, sizeof(mark.execution_id));
		mark.pid = event->execution->pid;
		mark.known_ns = event->execution->known_ns;
	}
	return lines__mark(lines, &mark);
}

void stream__count_written(struct stream *stream, enum event_kind kind, bool is_aborted,
			   uint64_t count)
{
	if (is_aborted) {
		stream->counts.aborted[kind] += count;
		stream->aborted_total += count;
	} else {
		stream->counts.events[kind] += count;
	}
	stream->events_total += count;
}

/* A line that is held is counted when it is known whether it is written. */
static void count(struct stream *stream, const struct event *event, const struct lines *lines)
{
	bool is_aborted = event->termination != NULL;

	if (lines == &stream->lines)
		stream__count_written(stream, event->kind, is_aborted, 1);
	else if (!lines && !is_aborted)
		stream->counts.filtered[event->kind]++;
}

int stream__tell(struct stream *stream, const struct event *event, struct execution *execution)
{
	struct stream_options *options = &stream->options;
	struct lines *lines = &stream->lines;
	int code = stream->fates ? stream__choose_lines(stream, event, execution, &lines) : 0;

	if (!code && lines && !options->leaves_out_lines)
		code = write_line(stream, event, lines);
	if (!code && lines == &stream->line)
		code = stream__hold_line(stream, execution);
	if (code)
		return code;
	if (options->on_event)
		options->on_event(options->on_event_context, event);
	count(stream, event, lines);
	return 0;
}

uint64_t stream__losses_of(const struct stream *stream, enum event_kind kind)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
		sum += stream->counts.lost[kind][reason];
	return sum;
}

/* The time of a loss in the kernel is known. The time of a loss here is not. */
uint64_t stream__lost_until_ns(const struct stream *stream, enum steptrace_probe probe,
			       uint64_t lost_before)
{
	const uint64_t *last_lost_ns = stream->options.last_lost_ns;

	if (stream__losses_of(stream, probes[probe].event) != lost_before)
		return UINT64_MAX;
	return last_lost_ns ? __atomic_load_n(&last_lost_ns[probe], __ATOMIC_ACQUIRE) : 0;
}

void stream__remember_aborted(struct stream *stream, const uint8_t id[16])
{
	memcpy(stream->aborted_ids[stream->aborted_ids_total++ % ABORTED_IDS_COUNT], id, 16);
}

bool stream__was_aborted(const struct stream *stream, const uint8_t id[16])
{
	for (uint64_t i = 0; i < stream->aborted_ids_total && i < ABORTED_IDS_COUNT; i++)
		if (memcmp(stream->aborted_ids[i], id, 16) == 0)
			return true;
	return false;
}

int stream__each_open_pid(struct stream *stream, void (*each)(uint32_t pid, void *context),
			  void *context)
{
	return executions__each_pid(stream->open, each, context);
}

struct visit {
	const struct stream *stream;
	const struct open_visitor *visitor;
};

static bool may_have_ended(const struct begun_step *step, uint64_t lost_until_ns)
{
	return step->record.time_ns <= lost_until_ns;
}

static bool has_open_step(const struct execution *execution, uint64_t lost_until_ns)
{
	for (const struct begun_step *step = execution->open.newest; step; step = step->older)
		if (!may_have_ended(step, lost_until_ns))
			return true;
	return false;
}

static void visit_execution(void *context, const struct execution *execution)
{
	const struct visit *visit = context;
	const struct open_visitor *visitor = visit->visitor;
	uint64_t steps_ns =
		stream__lost_until_ns(visit->stream, PROBE_STEP_DONE, execution->steps_lost_before);
	uint64_t commands_ns = stream__lost_until_ns(visit->stream, PROBE_COMMAND_DONE,
						     execution->ends_lost_before);

	if (execution->rejected ||
	    (execution->last_ns <= commands_ns && !has_open_step(execution, steps_ns)))
		return;
	visitor->execution(visitor->context, execution);
	for (const struct begun_step *step = execution->open.newest; step; step = step->older)
		if (!may_have_ended(step, steps_ns))
			visitor->step(visitor->context, execution, step);
}

void stream__each_open(const struct stream *stream, const struct open_visitor *visitor)
{
	struct visit visit = {stream, visitor};

	executions__each(stream->open, visit_execution, &visit);
}

struct lines *stream__lines(struct stream *stream)
{
	return &stream->lines;
}

int stream__take_lines(struct stream *stream, struct lines *taken)
{
	struct lines empty = {.text = {0}};

	if (lines__init(&empty, STREAM_LINES_BYTES)) {
		lines__free(&empty);
		return -ENOMEM;
	}
	empty.text.safe_integers = stream->options.safe_integers;
	*taken = stream->lines;
	stream->lines = empty;
	return 0;
}

const struct stream_options *stream__options(const struct stream *stream)
{
	return &stream->options;
}

void stream__set_columns(struct stream *stream, unsigned int columns)
{
	stream->options.text.columns = columns;
}

struct clock_anchor *stream__clock(struct stream *stream)
{
	return &stream->options.clock;
}

const struct stream_counts *stream__counts(const struct stream *stream)
{
	return &stream->counts;
}

void stream__add_loss(struct stream *stream, enum event_kind kind, enum loss_reason reason,
		      uint64_t count)
{
	stream->counts.lost[kind][reason] += count;
}

void stream__add_filtered(struct stream *stream, enum event_kind kind, uint64_t count)
{
	stream->counts.filtered[kind] += count;
}

uint64_t stream__events_total(const struct stream *stream)
{
	return stream->events_total;
}

uint64_t stream__events_of_boundaries(const struct stream *stream)
{
	return stream->events_total - stream->aborted_total;
}

bool stream__limit_reached(const struct stream *stream)
{
	return stream->options.events_limit && stream->events_total >= stream->options.events_limit;
}

uint64_t stream__forgotten(const struct stream *stream)
{
	return executions__forgotten(stream->open);
}

size_t stream__heirs_count(const struct stream *stream)
{
	return executions__members(stream->open)->heirs_count;
}

static void find_oldest(void *context, const struct execution *execution)
{
	uint64_t *oldest_ns = context, since_ns;
	bool is_earlier;

	since_ns = execution__since_ns(execution, &is_earlier);
	if (!*oldest_ns || since_ns < *oldest_ns)
		*oldest_ns = since_ns;
}

uint64_t stream__oldest_execution_ns(const struct stream *stream)
{
	uint64_t oldest_ns = 0;

	executions__each(stream->open, find_oldest, &oldest_ns);
	return oldest_ns;
}

size_t stream__executions_count(const struct stream *stream)
{
	return executions__count(stream->open);
}
