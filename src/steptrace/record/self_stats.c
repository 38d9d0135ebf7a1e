// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/self_stats.h"

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/setup.h"

static void put_text(void *context, struct strbuf *text)
{
	const struct self_stats *pulse = context;

	vitals__prometheus(&pulse->now, text);
}

int self_stats__open(struct self_stats *pulse, const char *address, struct error *err)
{
	int code;

	usage__open(&pulse->usage);
	if (!address)
		return 0;
	code = metrics__open(address, put_text, pulse, &pulse->metrics, err);
	if (!code)
		log__info("metrics at %s", metrics__url(pulse->metrics));
	return code;
}

void self_stats__close(struct self_stats *pulse)
{
	metrics__close(pulse->metrics);
	usage__close(&pulse->usage);
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

static void read_vitals(const struct session *session, struct vitals *vitals)
{
	struct capture_peaks peaks;

	capture__take_peaks(session->capture, &peaks);
	*vitals = (struct vitals){
		.now_ns = clock__now_ns(),
		.counts = *stream__counts(session->stream),
		.hits = accounting__hits(&session->accounting),
		.cpu_ns = usage__cpu_ns(),
		.lag_ns = peaks.lag_ns,
		.unread_bytes = peaks.unread_bytes,
		.ring_bytes = peaks.ring_bytes,
		.buffer_bytes = session->options->ring_sizes.buffer_bytes,
		.level = session->governor.budget.level,
		.binaries = session->attachments.count,
		.executions = stream__executions_count(session->stream),
	};
	usage__memory(&session->pulse.usage, &vitals->memory_bytes, &vitals->own_memory_bytes);
	read_outputs(&session->outputs, vitals);
}

void self_stats__beat(struct session *session)
{
	struct self_stats *pulse = &session->pulse;
	char line[VITALS_LINE_BYTES];

	pulse->before = pulse->now;
	read_vitals(session, &pulse->now);
	if (!pulse->says || pulse->before.now_ns == 0)
		return;
	vitals__line(&pulse->before, &pulse->now, line);
	log__info("%s", line);
}
