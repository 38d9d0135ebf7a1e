// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tail sampling (--whole). The lines of an execution are held until its end is seen. Then all of
 * them are written, or all of them are left out. An execution that --sample selects is written from
 * its first line on.
 *
 * Some executions have to be decided before their end is seen: the memory for held lines is full,
 * or the stream removes the execution. They may still meet a condition, so they are written.
 *
 *	FATE_OPEN      lines go to execution->held
 *	FATE_WRITTEN   lines go to stream->lines
 *	FATE_LEFT_OUT  lines are counted as filtered
 */
#include <errno.h>

#include "steptrace/stream/stream_private.h"

static struct held_store *store_of(const struct stream *stream)
{
	return executions__held_store(stream->open);
}

static struct execution *execution_of(struct held_lines *held)
{
	return (struct execution *)((char *)held - offsetof(struct execution, held));
}

/* ---- decisions */

static void count_held(struct stream *stream, const struct held_counts *counts)
{
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		stream__count_written(stream, (enum event_kind)kind, false, counts->events[kind]);
		stream__count_written(stream, (enum event_kind)kind, true, counts->aborted[kind]);
	}
}

static void leave_out(struct stream *stream, struct execution *execution)
{
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		stream->counts.filtered[kind] += execution->held.counts.events[kind];
	held_lines__clear(&execution->held, store_of(stream));
	execution->fate = FATE_LEFT_OUT;
	stream->whole.left_out++;
}

/* There was no memory for its lines: its later lines are not written either. */
static void lose(struct stream *stream, struct execution *execution)
{
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		stream->counts.lost[kind][LOSS_NOT_WRITTEN] += execution->held.counts.events[kind];
	held_lines__clear(&execution->held, store_of(stream));
	execution->fate = FATE_LEFT_OUT;
	stream->whole.left_out++;
}

/* `reasons`: why the execution is written; 0: it is left out. 0 or -ENOMEM. */
static int decide(struct stream *stream, struct execution *execution, unsigned int reasons)
{
	struct held_counts counts = execution->held.counts;

	if (!reasons) {
		leave_out(stream, execution);
		return 0;
	}
	if (held_lines__move(&execution->held, store_of(stream), &stream->lines)) {
		lose(stream, execution);
		return -ENOMEM;
	}
	count_held(stream, &counts);
	execution->fate = FATE_WRITTEN;
	execution->selected_by = reasons;
	stream->whole.written++;
	stream->whole.early += (reasons & WHOLE_EARLY) != 0;
	return 0;
}

/* For how long the command has been running, as far as is known. */
static uint64_t open_ns(const struct execution *execution, uint64_t now_ns)
{
	bool is_earlier;
	uint64_t since_ns = execution__since_ns(execution, &is_earlier);

	return now_ns > since_ns ? now_ns - since_ns : 0;
}

/* ---- from the first event of an execution to its end */

/* The fate of an execution that was known before. */
static enum fate fate_of_former(const struct stream *stream, const struct execution *execution)
{
	enum fate fate = fates__of(stream->fates, execution->id);

	if (fate == FATE_OPEN && stream->removed_early &&
	    execution->command.announced_ns <= stream->early_until_ns)
		return FATE_WRITTEN;
	return fate;
}

void stream__meet(struct stream *stream, struct execution *execution, bool is_start)
{
	if (!stream->fates)
		return;
	if (!is_start)
		execution->fate = fate_of_former(stream, execution);
	if (execution->fate == FATE_OPEN && whole__samples(&stream->options.whole, execution->id))
		decide(stream, execution, WHOLE_SAMPLE);
}

static int decide_at_end(struct stream *stream, const struct event *event,
			 struct execution *execution)
{
	const struct whole *whole = &stream->options.whole;
	unsigned int met = whole__met(whole, event, open_ns(execution, event->record->time_ns));
	int code = 0;

	if (execution->rejected)
		met |= whole->conditions & WHOLE_FAILED;
	if (execution->fate == FATE_OPEN)
		code = decide(stream, execution, met);
	else if (execution->fate == FATE_WRITTEN)
		execution->selected_by |= met;
	execution->end_seen = true;
	fates__remember(stream->fates, execution->id, execution->fate);
	return code;
}

/* A command that was rejected before it began counts as failed. */
static bool is_selected(const struct whole *whole, const struct event *rejection)
{
	return whole->conditions & WHOLE_FAILED ||
	       whole__samples(whole, rejection->head->execution_id);
}

int stream__choose_lines(struct stream *stream, const struct event *event,
			 struct execution *execution, struct lines **lines)
{
	int code = 0;

	*lines = &stream->lines;
	if (!execution) {
		*lines = is_selected(&stream->options.whole, event) ? &stream->lines : NULL;
		return 0;
	}
	if (event->kind == EVENT_COMMAND_COMPLETED)
		code = decide_at_end(stream, event, execution);
	if (execution->fate == FATE_OPEN)
		*lines = &stream->line;
	else if (execution->fate == FATE_LEFT_OUT)
		*lines = NULL;
	return code;
}

/* ---- executions that are decided before their end is seen */

static int append_line(struct stream *stream)
{
	const struct line_mark *mark = lines__marks(&stream->line);

	if (lines__append(&stream->lines, &stream->line))
		return -ENOMEM;
	stream__count_written(stream, (enum event_kind)mark->kind, mark->is_aborted, 1);
	return 0;
}

/* Writes the oldest executions until there is room for the line. If the execution of the line is
 * the oldest, the line is written, too. */
static int make_room(struct stream *stream, struct execution *execution)
{
	struct held_store *store = store_of(stream);
	struct execution *oldest;
	int code;

	stream->hold_was_full = true;
	do {
		oldest = store->oldest ? execution_of(store->oldest) : execution;
		code = decide(stream, oldest, WHOLE_EARLY);
		if (oldest == execution)
			return code ? code : append_line(stream);
		code = held_lines__add(&execution->held, store, &stream->line);
	} while (code == -ENOSPC);
	return code;
}

int stream__hold_line(struct stream *stream, struct execution *execution)
{
	int code = held_lines__add(&execution->held, store_of(stream), &stream->line);

	if (code == -ENOSPC)
		code = make_room(stream, execution);
	lines__clear(&stream->line);
	return code;
}

/* The end of the execution will not be seen, or not by this entry. */
static void decide_without_end(struct stream *stream, struct execution *execution)
{
	unsigned int reasons = WHOLE_EARLY;

	if (execution->rejected && stream->options.whole.conditions & WHOLE_FAILED)
		reasons = WHOLE_FAILED;
	decide(stream, execution, stream__limit_reached(stream) ? 0 : reasons);
}

/* Its later events are written, too. This holds also for other executions that began before it and
 * whose start was not seen: they are few, and no memory is needed for each of them. The
 * runner wrote announced_ns: it is wrong if it is later than the first record. */
static void remember_early(struct stream *stream, const struct execution *execution)
{
	uint64_t until_ns = execution->command.announced_ns;

	if (until_ns > execution->known_ns)
		until_ns = execution->known_ns;
	stream->removed_early = true;
	if (until_ns > stream->early_until_ns)
		stream->early_until_ns = until_ns;
}

static void before_removal(void *context, struct execution *execution)
{
	struct stream *stream = context;

	if (execution->held.lines_count)
		decide_without_end(stream, execution);
	if (execution->end_seen || execution->fate == FATE_OPEN)
		return;
	if (execution->selected_by & WHOLE_EARLY)
		remember_early(stream, execution);
	else
		fates__remember(stream->fates, execution->id, execution->fate);
}

void stream__remove(struct stream *stream, struct execution *execution)
{
	before_removal(stream, execution);
	executions__remove(stream->open, execution);
}

void stream__end(struct stream *stream, uint64_t now_ns)
{
	const struct whole *whole = &stream->options.whole;
	struct held_store *store = store_of(stream);

	while (store->oldest) {
		struct execution *execution = execution_of(store->oldest);
		bool is_slow = whole->conditions & WHOLE_SLOWER &&
			       open_ns(execution, now_ns) >= whole->slower_ns;

		if (is_slow && !stream__limit_reached(stream)) {
			decide(stream, execution, WHOLE_SLOWER);
			continue;
		}
		decide(stream, execution, 0);
		stream->whole.unfinished++;
	}
}

/* ---- the stream */

int stream__open_whole(struct stream *stream)
{
	const struct whole *whole = &stream->options.whole;

	if (!whole->conditions)
		return 0;
	stream->fates = fates__new();
	if (!stream->fates || lines__init(&stream->line, EVENT_LINE_BYTES))
		return -ENOMEM;
	stream->line.text.safe_integers = stream->options.safe_integers;
	store_of(stream)->limit_bytes = whole->hold_bytes;
	executions__on_drop(stream->open, before_removal, stream);
	return 0;
}

void stream__close_whole(struct stream *stream)
{
	fates__free(stream->fates);
	lines__free(&stream->line);
}

const struct whole_counts *stream__whole_counts(const struct stream *stream)
{
	return &stream->whole;
}

bool stream__hold_was_full(const struct stream *stream)
{
	return stream->hold_was_full;
}

const struct held_store *stream__held(const struct stream *stream)
{
	return store_of(stream);
}
