// SPDX-License-Identifier: BSD-2-Clause
/* One record of a probe becomes one line or one counted loss. */
#include <errno.h>
#include <string.h>

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
static struct member *add_execution(struct stream *stream, const struct decoded *decoded)
{
	struct execution *execution = executions__add(stream->open, decoded->record->pid,
						      decoded->context, decoded->process);

	if (!execution)
		return NULL;
	if (event_json__describe(execution)) {
		executions__remove(stream->open, execution);
		return NULL;
	}
	event_json__describe_process(execution->members.newest, decoded->process,
				     stream->options.safe_integers);
	execution->end_told = decoded->record->probe != PROBE_COMMAND_START &&
			      stream__was_aborted(stream, execution->id);
	execution->known_ns = decoded->record->time_ns;
	execution->steps_lost_before = stream__losses_of(stream, EVENT_STEP_EXECUTED);
	execution->ends_lost_before = stream__losses_of(stream, EVENT_COMMAND_COMPLETED);
	stream__meet(stream, execution, decoded->record->probe == PROBE_COMMAND_START);
	return execution->members.newest;
}

/* A process that is not in the execution's list: its events have the right source, but nothing can
 * be said about its end. */
static struct member *make_unlisted(struct stream *stream, struct execution *execution,
				    uint32_t pid)
{
	execution->members_left_out = true;
	stream->unlisted = (struct member){.execution = execution, .pid = pid, .has_told = true};
	return &stream->unlisted;
}

/* Another process of an execution that is known, or the first of one that is not. */
static struct member *add_member(struct stream *stream, const struct decoded *decoded)
{
	const uint8_t *id = decoded->head->execution_id;
	const struct steptrace_process *process = decoded->process;
	struct execution *execution;
	struct member *member;

	if (!decoded->context || memcmp(decoded->context->head.execution_id, id, 16) != 0)
		return NULL;
	execution = executions__find_to_join(stream->open, id, process->uid, process->parent_pid);
	if (!execution || decoded->record->probe == PROBE_COMMAND_START)
		return add_execution(stream, decoded);
	member = executions__join(stream->open, execution, decoded->record->pid);
	return member ? member : make_unlisted(stream, execution, decoded->record->pid);
}

/* The first boundary that an heir or another new process reports. */
static void welcome(struct stream *stream, struct member *member, const struct decoded *decoded)
{
	struct execution *execution = member->execution;

	if (member != &stream->unlisted)
		members__has_told(executions__members(stream->open), member);
	execution->told_by_several = true;
	memcpy(member->steps_before, execution->steps_seen, sizeof(member->steps_before));
	if (decoded->process)
		event_json__describe_process(member, decoded->process,
					     stream->options.safe_integers);
}

/* The start of a command always makes a new execution, which replaces one of the same id in the
 * same process. */
static struct member *find_or_add_member(struct stream *stream, const struct decoded *decoded)
{
	struct member *member = NULL;

	if (decoded->record->probe != PROBE_COMMAND_START)
		member = executions__find(stream->open, decoded->record->pid,
					  decoded->head->execution_id);
	if (!member)
		member = add_member(stream, decoded);
	if (member && (!member->has_told || member == &stream->unlisted))
		welcome(stream, member, decoded);
	return member;
}

/* ---- what the record changes in its execution */

static uint64_t add(uint64_t one, uint64_t other)
{
	uint64_t sum;

	return __builtin_add_overflow(one, other, &sum) ? UINT64_MAX : sum;
}

/*
 * The counters of a process contain its own steps, and those that its parent had counted before the
 * fork. So the steps that other processes reported later come on top, unless the counters contain
 * all steps that were seen. The sum may be too small, because it is not known when the process was
 * forked; then the steps that were seen are more.
 */
static uint64_t steps_of_all(uint64_t counted, const struct member *member, int outcome)
{
	const struct execution *execution = member->execution;
	uint64_t seen = execution->steps_seen[outcome];
	uint64_t later = seen - member->steps[outcome] - member->steps_before[outcome];
	uint64_t all = counted == seen ? seen : add(counted, later);

	return all > seen ? all : seen;
}

/* Writes the sum of the steps of several processes into a copy of the event's span. */
static void add_up_steps(struct event *event, const struct member *member)
{
	struct execution *execution = member->execution;
	struct command_span *command = &execution->command;

	*command = *event->command;
	command->steps_successful =
		steps_of_all(command->steps_successful, member, OUTCOME_SUCCESS);
	command->steps_failed = steps_of_all(command->steps_failed, member, OUTCOME_FAILURE);
	command->steps_skipped = steps_of_all(command->steps_skipped, member, OUTCOME_SKIPPED);
	command->steps_aborted = steps_of_all(command->steps_aborted, member, OUTCOME_ABORTED);
	command->steps_cancelled =
		steps_of_all(command->steps_cancelled, member, OUTCOME_CANCELLED);
	event->command = command;
}

static uint64_t steps_seen(const struct execution *execution)
{
	uint64_t seen = execution->steps_aborted;

	for (int outcome = OUTCOME_SUCCESS; outcome < OUTCOMES_COUNT; outcome++)
		seen += execution->steps_seen[outcome];
	return seen;
}

/* Compares the command's own counters with the steps that were written. */
static void count_lost_steps(struct event *event, const struct execution *execution)
{
	uint64_t executed = event__steps_executed(event);
	uint64_t seen = steps_seen(execution);

	event->steps_lost = executed > seen ? executed - seen : 0;
	event->steps_lost_known = true;
	event->complete = execution->start_seen && event->steps_lost == 0;
}

/*
 * The counters cannot tell how many steps were lost: a filter drops steps, or there are steps of
 * other processes that these counters do not contain. The command is complete only if no step was
 * lost since the execution became known.
 */
static void doubt_lost_steps(const struct stream *stream, struct event *event,
			     const struct execution *execution)
{
	uint64_t lost_until_ns =
		stream__lost_until_ns(stream, PROBE_STEP_DONE, execution->steps_lost_before);
	bool are_all_seen = stream->options.steps_left_out ||
			    event__steps_executed(event) <= steps_seen(execution);

	event->steps_lost = 0;
	event->complete = execution->start_seen && !execution->members_left_out && are_all_seen &&
			  execution->known_ns > lost_until_ns;
	event->steps_lost_known = event->complete;
}

static void complete(const struct stream *stream, struct event *event, const struct member *member)
{
	const struct execution *execution = member->execution;

	event->steps_aborted = execution->steps_aborted;
	if (execution->told_by_several)
		add_up_steps(event, member);
	if (!execution->told_by_several && !stream->options.steps_left_out)
		count_lost_steps(event, execution);
	else
		doubt_lost_steps(stream, event, execution);
}

static void update_execution(const struct stream *stream, struct event *event,
			     struct member *member)
{
	struct execution *execution = member->execution;

	if (event->kind == EVENT_COMMAND_STARTED) {
		execution->start_seen = true;
		execution->began_ns = event->record->time_ns;
	} else if (event->kind == EVENT_STEP_EXECUTED) {
		execution->steps_seen[event->step->outcome]++;
		member->steps[event->step->outcome]++;
	} else if (event->kind == EVENT_COMMAND_COMPLETED) {
		complete(stream, event, member);
	}
}

/* There was no memory for the line, so a reader of the lines has not seen the event. */
static void undo_update(const struct event *event, struct member *member)
{
	if (event->kind == EVENT_COMMAND_STARTED) {
		member->execution->start_seen = false;
	} else if (event->kind == EVENT_STEP_EXECUTED) {
		member->execution->steps_seen[event->step->outcome]--;
		member->steps[event->step->outcome]--;
	}
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
static int write_event(struct stream *stream, const struct event *event,
		       struct execution *execution)
{
	int err;

	if (event->kind == EVENT_COMMAND_STARTED && stream->options.starts_left_out) {
		stream->counts.filtered[event->kind]++;
		return 0;
	}
	err = stream__tell(stream, event, execution);
	return err ? lose(stream, event->kind, LOSS_NOT_WRITTEN, err) : 0;
}

/* Compact lines do not have it. */
static const char *cgroup_path_of(const struct stream *stream, const struct execution *execution)
{
	const struct stream_options *options = &stream->options;

	if (!options->cgroup_path || options->format != FORMAT_JSON)
		return NULL;
	return options->cgroup_path(options->cgroup_path_context, execution->process.cgroup_id,
				    execution->pid);
}

static void remember_failed_step(struct execution *execution, const struct event *event)
{
	struct failed_step *failed = &execution->failed_step;

	if (failed->is_known || event->kind != EVENT_STEP_EXECUTED ||
	    event->step->outcome != OUTCOME_FAILURE)
		return;
	failed->is_known = true;
	memcpy(failed->step_id, event->step->step_id, sizeof(failed->step_id));
	memcpy(failed->type, event->step->type, sizeof(failed->type));
	memcpy(failed->name, event->step->name, sizeof(failed->name));
}

/* After a command was reported as aborted, a fork may still report steps, but no second end. */
static int write_event_of_member(struct stream *stream, struct event *event, struct member *member)
{
	int err;

	if (event->kind == EVENT_COMMAND_COMPLETED && member->execution->end_told)
		return lose(stream, event->kind, LOSS_UNATTRIBUTED, 0);
	update_execution(stream, event, member);
	if (event->kind == EVENT_COMMAND_STARTED)
		event->cgroup_path = cgroup_path_of(stream, member->execution);
	err = write_event(stream, event, member->execution);
	if (err)
		undo_update(event, member);
	else
		remember_failed_step(member->execution, event);
	return err;
}

static int write_event_of_execution(struct stream *stream, struct event *event,
				    const struct decoded *decoded)
{
	struct member *member = find_or_add_member(stream, decoded);
	int err;

	if (!member)
		return event->kind == EVENT_NONE ? 0
						 : lose(stream, event->kind, LOSS_UNATTRIBUTED, 0);
	event->execution = member->execution;
	event->member = member;
	member->execution->last_ns = decoded->record->time_ns;
	update_open_steps(stream, member->execution, decoded);
	if (event->kind == EVENT_NONE)
		return 0;
	err = write_event_of_member(stream, event, member);
	if (event->kind == EVENT_COMMAND_COMPLETED)
		stream__remove(stream, member->execution);
	return err;
}

/* Usually a rejected command has no execution, because it did not begin. */
static int write_rejected(struct stream *stream, const struct event *event)
{
	const uint8_t *id = event->head->execution_id;
	const struct steptrace_process *process = event->process;
	struct member *member = executions__find(stream->open, event->record->pid, id);

	if (member)
		member->execution->rejected = true;
	return write_event(stream, event,
			   member ? member->execution
				  : executions__find_to_join(stream->open, id, process->uid,
							     process->parent_pid));
}

int stream__record(struct stream *stream, const void *bytes, size_t size_bytes)
{
	enum event_kind kind = kind_of(bytes, size_bytes);
	struct decoded *decoded = &stream->decoded;
	struct event event = {.kind = kind};
	int err;

	if (stream__limit_reached(stream)) {
		stream->counts.filtered[kind]++;
		return 0;
	}
	err = decode__record(bytes, size_bytes, decoded);
	if (err)
		return lose(stream, kind, err == -EPROTONOSUPPORT ? LOSS_LAYOUT : LOSS_INVALID, 0);
	if (stream->options.pseudonymize)
		stream->options.pseudonymize(stream->options.pseudonymize_context, decoded);
	event.record = decoded->record;
	event.head = decoded->head;
	event.process = decoded->process;
	event.has_breakdown = stream->options.has_breakdown;
	event.cpu = decoded->cpu;
	if (kind == EVENT_COMMAND_STARTED)
		event.realtime_ns =
			clock_anchor__realtime_ns(&stream->options.clock, decoded->record->time_ns);
	if (kind == EVENT_VALIDATION_FAILED)
		return write_rejected(stream, &event);
	return write_event_of_execution(stream, &event, decoded);
}
