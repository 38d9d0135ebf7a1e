// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/coverage.h"

#include <errno.h>

int coverage__init(struct coverage *coverage)
{
	memset(coverage, 0, sizeof(*coverage));
	coverage->losses = report_rows__new(200);
	return coverage->losses ? 0 : -ENOMEM;
}

void coverage__free(struct coverage *coverage)
{
	report_rows__free(coverage->losses);
	coverage->losses = NULL;
}

static void copy_text(char *to, size_t room, struct recorded_text text)
{
	size_t bytes = text.bytes < room ? text.bytes : room - 1;

	if (bytes)
		memcpy(to, text.text, bytes);
	to[bytes] = 0;
}

#define COPY_TEXT(array, text) copy_text(array, sizeof(array), text)

/* ---- traces */

bool coverage_trace__is_same(const struct coverage_trace *one, const struct coverage_trace *other)
{
	return one->monotonic_ns == other->monotonic_ns && one->started_ns == other->started_ns &&
	       strcmp(one->boot_id, other->boot_id) == 0 && strcmp(one->host, other->host) == 0;
}

static void read_started(struct coverage_trace *started, const struct recorded_event *event)
{
	memset(started, 0, sizeof(*started));
	COPY_TEXT(started->host, event->host);
	COPY_TEXT(started->boot_id, event->boot_id);
	COPY_TEXT(started->version, event->version);
	started->monotonic_ns = event->monotonic_ns;
	started->started_ns = event->timestamp_ns;
	started->has_breakdown = event->breakdown;
}

/* Parts come one after the other as a rule, so the newest trace is looked at first. */
static struct coverage_trace *trace_of(struct coverage *coverage,
				       const struct coverage_trace *started)
{
	for (size_t i = coverage->traces_count; i > 0; i--)
		if (coverage_trace__is_same(&coverage->traces[i - 1], started))
			return &coverage->traces[i - 1];
	if (coverage->traces_count == COVERAGE_TRACES) {
		coverage->others_count++;
		return &coverage->others;
	}
	coverage->traces[coverage->traces_count] = *started;
	return &coverage->traces[coverage->traces_count++];
}

static void begin_part(struct coverage *coverage, const struct recorded_event *event)
{
	struct coverage_trace started;

	read_started(&started, event);
	coverage->now = trace_of(coverage, &started);
	coverage->now->parts++;
	if (event->part > coverage->now->last_part)
		coverage->now->last_part = event->part;
}

/* The sum of the numbers in {"dsl.step.executed":5,...}; record --safe-integers quotes large ones.
 * The text is valid JSON. */
static uint64_t sum_of_members(struct recorded_text object)
{
	const char *at = object.bytes ? object.text : "", *end = at + object.bytes;
	uint64_t sum = 0;

	while ((at = memchr(at, ':', (size_t)(end - at)))) {
		uint64_t value = 0;

		while (at < end && !(*at >= '0' && *at <= '9') && *at != ',')
			at++;
		for (; at < end && *at >= '0' && *at <= '9'; at++)
			if (__builtin_mul_overflow(value, 10u, &value) ||
			    __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value))
				return UINT64_MAX;
		if (__builtin_add_overflow(sum, value, &sum))
			return UINT64_MAX;
	}
	return sum;
}

static void stop(struct coverage_trace *trace, const struct recorded_event *event)
{
	trace->has_stopped = true;
	trace->stopped_ns = event->timestamp_ns;
	trace->lost_total += event->lost;
	trace->hits += event->hits;
	trace->untraced += event->processes_untraced;
	trace->filtered += sum_of_members(event->filtered);
	COPY_TEXT(trace->reason, event->reason);
}

uint64_t coverage_trace__lost(const struct coverage_trace *trace)
{
	return trace->lost_total > trace->lost_lines ? trace->lost_total : trace->lost_lines;
}

uint64_t coverage__lost(const struct coverage *coverage)
{
	uint64_t lost = coverage_trace__lost(&coverage->others);

	for (size_t i = 0; i < coverage->traces_count; i++)
		lost += coverage_trace__lost(&coverage->traces[i]);
	return lost;
}

/* ---- events */

static int add_loss(struct coverage *coverage, struct coverage_trace *trace,
		    const struct recorded_event *event)
{
	struct report_key key = {0};
	struct report_row *row;

	trace->lost_lines += event->lost;
	report_key__add(&key, event->lost_kind);
	report_key__add(&key, event->reason);
	row = report_rows__at(coverage->losses, &key);
	if (!row)
		return -ENOMEM;
	row->count += event->lost;
	report_row__see(row, event);
	return 0;
}

static void count_of_trace(struct coverage_trace *trace, const struct recorded_event *event)
{
	trace->degraded +=
		event->kind == RECORDED_TRACE_DEGRADED && !recorded_text__is(event->level, "all");
	trace->clock_changes += event->kind == RECORDED_TRACE_CLOCK;
	trace->attached += event->kind == RECORDED_TRACE_ATTACHED;
	trace->detached += event->kind == RECORDED_TRACE_DETACHED;
}

static void add_runner_event(struct coverage *coverage, struct coverage_trace *trace,
			     const struct recorded_event *event)
{
	trace->events++;
	if (!coverage->now)
		coverage->unattributed++;
	if (!RECORDED_HAS(event, timestamp_ns))
		return;
	if (!coverage->last_ns || event->timestamp_ns < coverage->first_ns)
		coverage->first_ns = event->timestamp_ns;
	if (event->timestamp_ns > coverage->last_ns)
		coverage->last_ns = event->timestamp_ns;
}

int coverage__add(struct coverage *coverage, const struct recorded_event *event)
{
	struct coverage_trace *trace;

	if (event->place.file_index != coverage->file_index)
		coverage->now = NULL;
	coverage->file_index = event->place.file_index;
	if (event->kind == RECORDED_TRACE_STARTED)
		begin_part(coverage, event);
	trace = coverage->now ? coverage->now : &coverage->others;
	if (event->timestamp_ns > trace->last_ns)
		trace->last_ns = event->timestamp_ns;
	if (event->kind == RECORDED_TRACE_STOPPED)
		stop(trace, event);
	count_of_trace(trace, event);
	if (event->kind == RECORDED_TRACE_LOST)
		return add_loss(coverage, trace, event);
	if (recorded_event__is_of_runner(event))
		add_runner_event(coverage, trace, event);
	return 0;
}
