// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/session.h"

#include "common/clock.h"

void session__stop(struct session *session, const char *reason)
{
	if (!session->stop_reason)
		session->stop_reason = reason;
}

/* A table that is due may wait for what is open. */
static bool awaits_look(struct session *session, uint64_t now_ns)
{
	const struct event_reader *reader = session->options->reader;

	if (!reader->open || !reader->open->is_due(reader->context, now_ns))
		return false;
	if (reader->open->waits)
		return open_looks__are_awaited(&session->looks, now_ns, false);
	open_looks__ask(&session->looks, now_ns);
	return false;
}

void session__tell_reader(struct session *session, bool is_end)
{
	const struct event_reader *reader = session->options->reader;
	uint64_t now_ns = clock__now_ns();

	if (!reader || (!is_end && (session->stop_reason || awaits_look(session, now_ns))))
		return;
	reader->on_time(reader->context, session->stream, now_ns, is_end);
	if (reader->open && reader->open->waits && !is_end && session->looks.asked_ns)
		open_looks__forget(&session->looks);
}

void session__stop_reader(struct session *session)
{
	const struct event_reader *reader = session->options->reader;

	if (reader && reader->on_stop)
		reader->on_stop(reader->context, session->stream, clock__now_ns());
}

static void read_outputs(const struct outputs *outputs, struct vitals *vitals)
{
	struct output_state state;

	_Static_assert((int)VITALS_OUTPUTS_MAX >= (int)OUTPUTS_MAX, "an output has no vitals");
	vitals->outputs_count = outputs->count;
	for (size_t i = 0; i < outputs->count; i++) {
		output__state(outputs->items[i], &state);
		vitals->outputs[i] = (struct output_vitals){.name = output__name(outputs->items[i]),
							    .lost = state.lost,
							    .queued_bytes = state.queued_bytes,
							    .queue_bytes = state.queue_bytes};
	}
}

void session__totals(const struct session *session, struct trace_totals *totals)
{
	*totals = (struct trace_totals){
		.hits = accounting__hits(&session->accounting),
		.reason = session->stop_reason,
		.forgotten = stream__forgotten(session->stream),
		.decisions_lost = capture__decisions_lost(session->watch.capture),
		.breakdowns_lost = capture__breakdowns_lost(session->watch.capture),
		.whole = *stream__whole_counts(session->stream),
		.overdue = session->overdue.count,
	};
	watch__untraced(&session->watch, totals->untraced);
}

/* Looking at all open executions takes some time, so this is left out where no client sees it. */
static uint64_t age_of_oldest(const struct session *session, uint64_t now_ns)
{
	uint64_t since_ns =
		session->self_stats.metrics ? stream__oldest_execution_ns(session->stream) : 0;

	return since_ns && now_ns > since_ns ? now_ns - since_ns : 0;
}

void session__vitals(struct session *session, struct vitals *vitals)
{
	struct capture_peaks peaks;

	capture__take_peaks(session->watch.capture, &peaks);
	*vitals = (struct vitals){
		.now_ns = clock__now_ns(),
		.counts = *stream__counts(session->stream),
		.cpu_ns = usage__cpu_ns(),
		.lag_ns = peaks.lag_ns,
		.unread_bytes = peaks.unread_bytes,
		.ring_bytes = peaks.ring_bytes,
		.buffer_bytes = session->options->watch.ring_sizes.buffer_bytes,
		.level = session->governor.budget.level,
		.binaries = session->watch.attachments.count,
		.executions = stream__executions_count(session->stream),
		.held_events = stream__held(session->stream)->events,
		.held_bytes = stream__held(session->stream)->bytes,
		.hold_bytes = stream__held(session->stream)->limit_bytes,
	};
	vitals->oldest_ns = age_of_oldest(session, vitals->now_ns);
	session__totals(session, &vitals->totals);
	usage__memory(&session->self_stats.usage, &vitals->memory_bytes, &vitals->own_memory_bytes);
	read_outputs(&session->outputs, vitals);
}
