// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/accounting.h"

#include "steptrace/stream/trace_events.h"

static void enter(const struct accounting *accounting, struct stream *stream, enum event_kind kind,
		  enum loss_reason reason, uint64_t count)
{
	if (accounting->is_limit_reached)
		stream__add_filtered(stream, kind, count);
	else
		stream__add_loss(stream, kind, reason, count);
}

void accounting__enter(struct accounting *accounting, const struct capture_counts *kernel,
		       struct stream *stream)
{
	const struct capture_counts *last = &accounting->kernel;

	for (int i = 0; i < PROBES_COUNT; i++) {
		enum event_kind kind = probes[i].event;

		enter(accounting, stream, kind, LOSS_BUFFER_FULL, kernel->full[i] - last->full[i]);
		enter(accounting, stream, kind, LOSS_UNREADABLE,
		      kernel->unreadable[i] - last->unreadable[i]);
		enter(accounting, stream, kind, LOSS_MISSED, kernel->missed[i] - last->missed[i]);
		enter(accounting, stream, kind, LOSS_DEGRADED,
		      kernel->degraded[i] - last->degraded[i]);
		stream__add_filtered(stream, kind, kernel->filtered[i] - last->filtered[i]);
	}
	accounting->kernel = *kernel;
	accounting->is_limit_reached = stream__limit_reached(stream);
}

_Static_assert(LOSS_NOT_WRITTEN == LOSS_REASONS_COUNT - 2 && LOSS_REFUSED == LOSS_NOT_WRITTEN + 1,
	       "an event that was not written, or refused, is reported by each output itself");

int accounting__report(struct accounting *accounting, struct stream *stream, uint64_t now_ns)
{
	const struct stream_counts *counts = stream__counts(stream);
	int err = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++) {
		for (int reason = 0; reason < LOSS_NOT_WRITTEN && !err; reason++) {
			uint64_t *reported = &accounting->reported.lost[kind][reason];
			uint64_t lost = counts->lost[kind][reason];

			if (lost == *reported)
				continue;
			err = trace_events__lost(stream, (enum event_kind)kind,
						 (enum loss_reason)reason, lost - *reported,
						 accounting->reported_ns, now_ns);
			if (!err)
				*reported = lost;
		}
	}
	accounting->reported_ns = now_ns;
	return err;
}

uint64_t accounting__hits(const struct accounting *accounting)
{
	uint64_t hits = 0;

	for (int i = 0; i < PROBES_COUNT; i++)
		if (probes[i].event != EVENT_NONE)
			hits += accounting->kernel.hits[i] + accounting->kernel.missed[i];
	return hits;
}

uint64_t accounting__lost(const struct stream *stream)
{
	const struct stream_counts *counts = stream__counts(stream);
	uint64_t lost = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			lost += counts->lost[kind][reason];
	return lost;
}

uint64_t accounting__filtered(const struct stream *stream)
{
	const struct stream_counts *counts = stream__counts(stream);
	uint64_t filtered = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		filtered += counts->filtered[kind];
	return filtered;
}
