// SPDX-License-Identifier: BSD-2-Clause
/* One record of a probe becomes one line or one counted loss. */
#include <errno.h>

#include "steptrace/stream/event_json.h"
#include "steptrace/stream/stream_private.h"

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

/* ---- which execution the record belongs to */

/* NULL: the record does not say enough about the command, or there is no memory. */
static struct execution *add_execution(struct stream *stream, const struct decoded *decoded)
{
	const uint8_t *id = decoded->head->execution_id;
	struct execution *execution;

	if (!decoded->context || memcmp(decoded->context->head.execution_id, id, 16) != 0)
		return NULL;
	execution = executions__add(stream->open, decoded->record->pid, decoded->context,
				    decoded->process);
	if (!execution)
		return NULL;
	if (event_json__describe(execution)) {
		executions__remove(stream->open, execution);
		return NULL;
	}
	execution->known_ns = decoded->record->time_ns;
	execution->steps_lost_before = stream__losses_of(stream, EVENT_STEP_EXECUTED);
	execution->ends_lost_before = stream__losses_of(stream, EVENT_COMMAND_COMPLETED);
	return execution;
}

/* The start of a command always makes a new execution, which replaces one of the same id. */
static struct execution *find_or_add_execution(struct stream *stream, const struct decoded *decoded)
{
	struct execution *execution = NULL;

	if (decoded->record->probe != PROBE_COMMAND_START)
		execution = executions__find(stream->open, decoded->record->pid,
					     decoded->head->execution_id);
	return execution ? execution : add_execution(stream, decoded);
}

/* ---- what the record changes in its execution */

/* Compares the command's own counters with the steps that were written. */
static void count_lost_steps(struct event *event, const struct execution *execution)
{
	uint64_t executed = event__steps_executed(event);
	uint64_t seen = 0;

	for (int outcome = OUTCOME_SUCCESS; outcome < OUTCOMES_COUNT; outcome++)
		seen += execution->steps_seen[outcome];
	event->steps_lost = executed > seen ? executed - seen : 0;
	event->steps_lost_known = true;
	event->complete = execution->start_seen && event->steps_lost == 0;
}

/* With a filter of steps the counters cannot tell a lost step from a filtered one. The command is
 * complete only if no step was lost since the execution became known. */
static void count_lost_filtered_steps(const struct stream *stream, struct event *event,
				      const struct execution *execution)
{
	uint64_t lost_until_ns =
		stream__lost_until_ns(stream, PROBE_STEP_DONE, execution->steps_lost_before);

	event->steps_lost = 0;
	event->complete = execution->start_seen && execution->known_ns > lost_until_ns;
	event->steps_lost_known = event->complete;
}

static void update_execution(const struct stream *stream, struct event *event,
			     struct execution *execution)
{
	if (event->kind == EVENT_COMMAND_STARTED) {
		execution->start_seen = true;
		execution->began_ns = event->record->time_ns;
	} else if (event->kind == EVENT_STEP_EXECUTED) {
		execution->steps_seen[event->step->outcome]++;
	} else if (event->kind == EVENT_COMMAND_COMPLETED) {
		if (stream->options.steps_left_out)
			count_lost_filtered_steps(stream, event, execution);
		else
			count_lost_steps(event, execution);
	}
}

/* There was no memory for the line, so a reader of the lines has not seen the event. */
static void undo_update(const struct event *event, struct execution *execution)
{
	if (event->kind == EVENT_COMMAND_STARTED)
		execution->start_seen = false;
	else if (event->kind == EVENT_STEP_EXECUTED)
		execution->steps_seen[event->step->outcome]--;
}

static void update_open_steps(struct stream *stream, struct execution *execution,
			      const struct decoded *decoded)
{
	struct open_steps_store *store = executions__steps_store(stream->open);

	if (decoded->record->probe == PROBE_STEP_START)
		open_steps__begin(&execution->open, store, decoded->record, decoded->step);
	else if (decoded->record->probe == PROBE_STEP_DONE)
		open_steps__end(&execution->open, store, decoded->step->step_id);
}

/* ---- the line */

/* Writes the line and counts the event; or counts why there is no line. */
static int write_event(struct stream *stream, const struct event *event)
{
	int err;

	if (event->kind == EVENT_COMMAND_STARTED && stream->options.starts_left_out) {
		stream->counts.filtered[event->kind]++;
		return 0;
	}
	if (stream__limit_reached(stream))
		return lose(stream, event->kind, LOSS_NOT_WRITTEN, 0);
	err = stream__write_line(stream, event);
	if (err)
		return lose(stream, event->kind, LOSS_NOT_WRITTEN, err);
	stream->counts.events[event->kind]++;
	stream->events_total++;
	return 0;
}

static int write_event_of_execution(struct stream *stream, struct event *event,
				    const struct decoded *decoded)
{
	struct execution *execution = find_or_add_execution(stream, decoded);
	int err;

	if (!execution)
		return event->kind == EVENT_NONE ? 0
						 : lose(stream, event->kind, LOSS_UNATTRIBUTED, 0);
	event->execution = execution;
	execution->last_ns = decoded->record->time_ns;
	update_open_steps(stream, execution, decoded);
	if (event->kind == EVENT_NONE)
		return 0;
	update_execution(stream, event, execution);
	err = write_event(stream, event);
	if (err)
		undo_update(event, execution);
	if (event->kind == EVENT_COMMAND_COMPLETED)
		stream__close_execution(stream, execution);
	return err;
}

int stream__record(struct stream *stream, const void *bytes, size_t size_bytes)
{
	enum event_kind kind = kind_of(bytes, size_bytes);
	struct decoded *decoded = &stream->decoded;
	struct event event = {.kind = kind};
	int err;

	err = decode__record(bytes, size_bytes, decoded);
	if (err)
		return lose(stream, kind, err == -EPROTONOSUPPORT ? LOSS_LAYOUT : LOSS_INVALID, 0);
	if (stream->options.pseudonymize)
		stream->options.pseudonymize(stream->options.pseudonymize_context, decoded);
	event.record = decoded->record;
	event.head = decoded->head;
	event.process = decoded->process;
	if (kind == EVENT_COMMAND_STARTED)
		event.realtime_ns =
			clock_anchor__realtime_ns(&stream->options.clock, decoded->record->time_ns);
	if (kind == EVENT_VALIDATION_FAILED) /* a rejected command has no execution */
		return write_event(stream, &event);
	return write_event_of_execution(stream, &event, decoded);
}
