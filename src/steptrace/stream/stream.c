// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/stream/aborted.h"
#include "steptrace/stream/event_json.h"
#include "steptrace/stream/event_text.h"
#include "steptrace/stream/executions.h"

enum { EXECUTIONS_LIMIT = 65536 };

struct stream {
	struct stream_options options;
	struct stream_counts counts;
	struct executions *open;
	struct lines lines;
	uint64_t events_total, aborted_total;
	struct decoded decoded;
};

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
	*out = stream;
	return 0;
}

void stream__free(struct stream *stream)
{
	if (!stream)
		return;
	executions__free(stream->open);
	lines__free(&stream->lines);
	free(stream);
}

static uint64_t losses_of(const struct stream *stream, enum event_kind kind)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
		sum += stream->counts.lost[kind][reason];
	return sum;
}

/* The execution that the record is about; made from the record's context where it is new. */
static struct execution *find_execution(struct stream *stream, const struct decoded *decoded)
{
	const uint8_t *id = decoded->head->execution_id;
	uint32_t pid = decoded->record->pid;
	struct execution *execution;

	if (decoded->record->probe != PROBE_COMMAND_START) {
		execution = executions__find(stream->open, pid, id);
		if (execution)
			return execution;
	}
	if (!decoded->context || memcmp(decoded->context->head.execution_id, id, 16) != 0)
		return NULL;
	execution = executions__add(stream->open, pid, decoded->context, decoded->process);
	if (!execution)
		return NULL;
	if (event_json__describe(execution)) {
		executions__remove(stream->open, execution);
		return NULL;
	}
	execution->known_ns = decoded->record->time_ns;
	execution->steps_lost_before = losses_of(stream, EVENT_STEP_EXECUTED);
	execution->ends_lost_before = losses_of(stream, EVENT_COMMAND_COMPLETED);
	return execution;
}

/* What the execution's own counters say against what was seen of it. */
static void settle(struct event *event, const struct execution *execution)
{
	uint64_t executed = event__steps_executed(event);
	uint64_t seen = 0;

	for (int outcome = OUTCOME_SUCCESS; outcome <= OUTCOME_SKIPPED; outcome++)
		seen += execution->steps_seen[outcome];
	event->steps_lost = executed > seen ? executed - seen : 0;
	event->steps_lost_known = true;
	event->complete = execution->start_seen && event->steps_lost == 0;
}

/* Up to when an end may have been lost, in the kernel or here. */
static uint64_t doubt_until_ns(const struct stream *stream, enum steptrace_probe probe,
			       uint64_t lost_before)
{
	const uint64_t *last_lost_ns = stream->options.last_lost_ns;

	if (losses_of(stream, probes[probe].event) != lost_before)
		return UINT64_MAX;
	return last_lost_ns ? __atomic_load_n(&last_lost_ns[probe], __ATOMIC_ACQUIRE) : 0;
}

/* Where steps are filtered, what was not seen says nothing of what was lost. */
static void settle_filtered(const struct stream *stream, struct event *event,
			    const struct execution *execution)
{
	uint64_t doubt_ns = doubt_until_ns(stream, PROBE_STEP_DONE, execution->steps_lost_before);

	event->steps_lost = 0;
	event->complete = execution->start_seen && execution->known_ns > doubt_ns;
	event->steps_lost_known = event->complete;
}

static void write_json(struct stream *stream, const struct event *event)
{
	struct stream_options *options = &stream->options;
	struct json *text = &stream->lines.text;
	size_t before = json__length(text);
	char *line;

	event_json__write(text, event, &options->clock, options->seed_fields_only);
	if (options->fields.count == 0)
		return;
	line = text->base + before;
	text->at = line + fields__apply(&options->fields, line, (size_t)(text->at - line));
}

static int write_line(struct stream *stream, const struct event *event)
{
	struct stream_options *options = &stream->options;
	struct line_mark mark = {.kind = (uint8_t)event->kind,
				 .is_aborted = event->termination != NULL};

	_Static_assert((int)EVENT_LINE_BYTES >= (int)EVENT_JSON_BYTES &&
			       (int)EVENT_LINE_BYTES >= (int)EVENT_TEXT_BYTES,
		       "a line may be longer than its room");
	if (json__reserve(&stream->lines.text, EVENT_LINE_BYTES))
		return -ENOMEM;
	if (options->format == FORMAT_COMPACT)
		event_text__write(&stream->lines.text, event, &options->clock);
	else
		write_json(stream, event);
	if (event->execution) {
		memcpy(mark.execution_id, event->execution->id, sizeof(mark.execution_id));
		mark.pid = event->execution->pid;
		mark.known_ns = event->execution->known_ns;
	}
	return lines__mark(&stream->lines, &mark);
}

static enum event_kind kind_of(const void *bytes, size_t size_bytes)
{
	const struct steptrace_record *record = bytes;

	if (size_bytes < sizeof(*record) || record->probe >= PROBES_COUNT)
		return EVENT_NONE;
	return probes[record->probe].event;
}

static int lose(struct stream *stream, enum event_kind kind, enum loss_reason reason, int result)
{
	stream->counts.lost[kind][reason]++;
	return result;
}

/* Follows the execution's life; what it learns holds even when no line is written. */
static void follow(const struct stream *stream, struct event *event, struct execution *execution)
{
	if (event->kind == EVENT_COMMAND_STARTED) {
		execution->start_seen = true;
		execution->began_ns = event->record->time_ns;
	} else if (event->kind == EVENT_STEP_EXECUTED) {
		execution->steps_seen[event->step->outcome]++;
	} else if (event->kind == EVENT_COMMAND_COMPLETED) {
		if (stream->options.steps_left_out)
			settle_filtered(stream, event, execution);
		else
			settle(event, execution);
	}
}

/* There was no memory for its line: whoever reads the others has not seen it. */
static void follow_back(const struct event *event, struct execution *execution)
{
	if (event->kind == EVENT_COMMAND_STARTED)
		execution->start_seen = false;
	else if (event->kind == EVENT_STEP_EXECUTED)
		execution->steps_seen[event->step->outcome]--;
}

/* Which steps are open. A probe that makes no event may still say so. */
static void follow_steps(struct stream *stream, struct execution *execution,
			 const struct decoded *decoded)
{
	struct open_steps_store *store = executions__steps_store(stream->open);

	if (decoded->record->probe == PROBE_STEP_START)
		open_steps__begin(&execution->open, store, decoded->record, decoded->step);
	else if (decoded->record->probe == PROBE_STEP_DONE)
		open_steps__end(&execution->open, store, decoded->step->step_id);
}

static void close_execution(struct stream *stream, struct execution *execution)
{
	if (!execution->start_seen)
		executions__ended_elsewhere(stream->open, execution);
	executions__remove(stream->open, execution);
}

/* One line, or one loss. */
static int account(struct stream *stream, const struct event *event)
{
	int err;

	if (event->kind == EVENT_COMMAND_STARTED && stream->options.starts_left_out) {
		stream->counts.filtered[event->kind]++;
		return 0;
	}
	if (stream__limit_reached(stream))
		return lose(stream, event->kind, LOSS_NOT_WRITTEN, 0);
	err = write_line(stream, event);
	if (err)
		return lose(stream, event->kind, LOSS_NOT_WRITTEN, err);
	stream->counts.events[event->kind]++;
	stream->events_total++;
	return 0;
}

int stream__record(struct stream *stream, const void *bytes, size_t size_bytes)
{
	enum event_kind kind = kind_of(bytes, size_bytes);
	struct decoded *decoded = &stream->decoded;
	struct event event = {.kind = kind};
	struct execution *execution = NULL;
	int err;

	err = decode__record(bytes, size_bytes, decoded);
	if (err)
		return lose(stream, kind, err == -EPROTONOSUPPORT ? LOSS_LAYOUT : LOSS_INVALID, 0);
	if (stream->options.pseudonymize)
		stream->options.pseudonymize(stream->options.pseudonymize_context, decoded);
	event.record = decoded->record;
	event.head = decoded->head;
	event.process = decoded->process;
	if (kind != EVENT_VALIDATION_FAILED) {
		execution = find_execution(stream, decoded);
		if (!execution && kind == EVENT_NONE)
			return 0;
		if (!execution)
			return lose(stream, kind, LOSS_UNATTRIBUTED, 0);
		event.execution = execution;
		execution->last_ns = decoded->record->time_ns;
		follow_steps(stream, execution, decoded);
		follow(stream, &event, execution);
	}
	if (kind == EVENT_NONE)
		return 0;
	err = account(stream, &event);
	if (err && execution)
		follow_back(&event, execution);
	if (kind == EVENT_COMMAND_COMPLETED)
		close_execution(stream, execution);
	return err;
}

/* An event that no boundary made: nothing is owed for it where it cannot be written. */
static void tell_aborted(void *context, const struct event *event)
{
	struct stream *stream = context;
	uint64_t ns;

	if (event__duration_ns(event, &ns) && ns < stream->options.min_duration_ns)
		return;
	if (stream__limit_reached(stream) || write_line(stream, event))
		return;
	stream->counts.aborted[event->kind]++;
	stream->aborted_total++;
	stream->events_total++;
}

static void abort_execution(struct stream *stream, struct execution *execution,
			    const struct termination *termination)
{
	const struct abort_doubt doubt = {
		.steps_until_ns = stream->options.step_starts_left_out
					  ? UINT64_MAX
					  : doubt_until_ns(stream, PROBE_STEP_DONE,
							   execution->steps_lost_before),
		.command_until_ns =
			doubt_until_ns(stream, PROBE_COMMAND_DONE, execution->ends_lost_before),
	};

	if (!execution->goes_on_elsewhere)
		aborted__tell(execution, termination, &doubt, tell_aborted, stream);
	executions__remove(stream->open, execution);
}

void stream__process_over(struct stream *stream, const struct termination *termination)
{
	struct execution *execution, *next;

	execution = executions__of_process(stream->open, termination->record.pid, NULL);
	for (; execution; execution = next) {
		next = executions__of_process(stream->open, termination->record.pid, execution);
		abort_execution(stream, execution, termination);
	}
}

void stream__command_closed(struct stream *stream, const struct command_closed *closed)
{
	struct execution *execution =
		executions__find(stream->open, closed->record.pid, closed->execution_id);

	if (execution)
		close_execution(stream, execution);
}

void stream__each_open_pid(struct stream *stream, void (*each)(uint32_t pid, void *context),
			   void *context)
{
	executions__each_pid(stream->open, each, context);
}

struct lines *stream__lines(struct stream *stream)
{
	return &stream->lines;
}

int stream__swap(struct stream *stream, struct lines *taken)
{
	struct lines empty = {.text = {0}};

	if (lines__init(&empty, STREAM_LINES_BYTES)) {
		lines__free(&empty);
		return -ENOMEM;
	}
	*taken = stream->lines;
	stream->lines = empty;
	return 0;
}

const struct stream_options *stream__options(const struct stream *stream)
{
	return &stream->options;
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

size_t stream__executions_count(const struct stream *stream)
{
	return executions__count(stream->open);
}
