// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/trace_events.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "steptrace/stream/event_text.h"
#include "steptrace/version.h"

static bool is_json(const struct stream *stream)
{
	return stream__options(stream)->format == FORMAT_JSON;
}

static int mark_own(struct stream *stream)
{
	static const struct line_mark own = {.kind = EVENT_NONE};

	return lines__mark(stream__lines(stream), &own);
}

/* Ends a JSON line other than trace.started, which has the labels anyway. */
static int end_own(struct stream *stream)
{
	labels__put_everywhere(&stream__options(stream)->labels, &stream__lines(stream)->text);
	return mark_own(stream);
}

/* The text may have any length, so this reserves its own space. 0 or -ENOMEM. */
static int put_text(struct json *json, const char *name, const char *text)
{
	size_t bytes = strlen(text);

	if (json__reserve(json, strlen(name) + 8 + JSON_TEXT_BYTES(bytes)))
		return -ENOMEM;
	if (json->at[-1] != '[' && json->at[-1] != '{')
		json__raw(json, ",");
	if (name[0]) {
		json__raw(json, "\"");
		json__word(json, name);
		json__raw(json, "\":");
	}
	json__text(json, text, bytes);
	return 0;
}

static void put_time(struct json *json, struct clock_anchor *clock, const char *name, uint64_t ns)
{
	json__raw(json, ",\"");
	json__word(json, name);
	json__raw(json, "\":\"");
	clock_anchor__timestamp(clock, json, ns);
	json__raw(json, "\"");
}

static void put_number(struct json *json, const char *name, uint64_t value)
{
	if (json->at[-1] != '{')
		json__raw(json, ",");
	json__raw(json, "\"");
	json__word(json, name);
	json__raw(json, "\":");
	json__u64(json, value);
}

static int put_texts(struct json *json, const char *name, const char *const *texts, size_t count)
{
	if (json__reserve(json, 64))
		return -ENOMEM;
	json__raw(json, ",\"");
	json__word(json, name);
	json__raw(json, "\":[");
	for (size_t i = 0; i < count; i++)
		if (put_text(json, "", texts[i]))
			return -ENOMEM;
	if (json__reserve(json, 256))
		return -ENOMEM;
	json__raw(json, "]");
	return 0;
}

static int started_json(struct stream *stream, const struct trace_facts *facts)
{
	struct clock_anchor *clock = stream__clock(stream);
	struct json *json = &stream__lines(stream)->text;

	json__raw(json, "{\"event\":\"trace.started\"");
	put_time(json, clock, "timestamp", clock->monotonic_ns);
	put_number(json, "monotonic_ns", clock->monotonic_ns);
	put_number(json, "schema_version", SCHEMA_VERSION);
	if (put_text(json, "version", STEPTRACE_VERSION) || put_text(json, "host", facts->host) ||
	    put_text(json, "boot_id", facts->boot_id) || put_text(json, "kernel", facts->kernel) ||
	    put_text(json, "probe_site", facts->site) ||
	    put_text(json, "attach_method", facts->method) ||
	    put_texts(json, "targets", facts->targets, facts->targets_count))
		return -ENOMEM;
	if (facts->pseudonymized_count &&
	    put_texts(json, "pseudonymized", facts->pseudonymized, facts->pseudonymized_count))
		return -ENOMEM;
	if (labels__put(&stream__options(stream)->labels, json) || json__reserve(json, 256))
		return -ENOMEM;
	json__raw(json, ",\"breakdown\":");
	json__bool(json, facts->breakdown);
	json__raw(json, ",\"clock\":{\"monotonic_ns\":");
	json__u64(json, clock->monotonic_ns);
	json__raw(json, ",\"realtime_ns\":");
	json__u64(json, clock->realtime_ns);
	json__raw(json, "}");
	if (json->safe_integers)
		json__raw(json, ",\"safe_integers\":true");
	json__raw(json, "}\n");
	return 0;
}

int trace_events__started(struct stream *stream, const struct trace_facts *facts)
{
	struct json *json = &stream__lines(stream)->text;
	size_t before;

	if (stream__options(stream)->format == FORMAT_REPORT)
		return 0;
	if (json__reserve(json, EVENT_LINE_BYTES))
		return -ENOMEM;
	before = json__length(json);
	if (!is_json(stream)) {
		event_text__header(json, &stream__options(stream)->text);
	} else if (started_json(stream, facts)) {
		json->at = json->base + before;
		return -ENOMEM;
	}
	return mark_own(stream);
}

static int put_pids(struct json *json, const struct trace_binary *binary)
{
	if (json__reserve(json, 32 + binary->pids_count * 11))
		return -ENOMEM;
	json__raw(json, ",\"pids\":[");
	for (size_t i = 0; i < binary->pids_count; i++) {
		if (i > 0)
			json__raw(json, ",");
		json__u64(json, binary->pids[i]);
	}
	json__raw(json, "]}\n");
	return 0;
}

/* Only trace.attached has it. */
static void put_late(struct json *json, uint64_t late_ns)
{
	json__raw(json, ",\"late_ms\":");
	if (late_ns)
		json__milliseconds(json, late_ns);
	else
		json__raw(json, "null");
}

static int binary_json(struct stream *stream, const char *event, const struct trace_binary *binary,
		       uint64_t now_ns)
{
	struct json *json = &stream__lines(stream)->text;

	json__raw(json, "{\"event\":\"");
	json__word(json, event);
	json__raw(json, "\"");
	put_time(json, stream__clock(stream), "timestamp", now_ns);
	put_number(json, "monotonic_ns", now_ns);
	if (put_text(json, "exe", binary->exe))
		return -ENOMEM;
	put_number(json, "inode", binary->inode);
	if (binary->build_id[0]) {
		if (put_text(json, "build_id", binary->build_id))
			return -ENOMEM;
	} else {
		json__raw(json, ",\"build_id\":null");
	}
	if (put_text(json, "probe_site", binary->site) || json__reserve(json, 64))
		return -ENOMEM;
	if (strcmp(event, "trace.attached") == 0)
		put_late(json, binary->late_ns);
	return put_pids(json, binary);
}

/* Removes what was written of the line where there is no memory for all of it. */
static int about_binary(struct stream *stream, const char *event, const struct trace_binary *binary,
			uint64_t now_ns)
{
	struct json *json = &stream__lines(stream)->text;
	size_t before;

	if (!is_json(stream))
		return 0;
	if (json__reserve(json, EVENT_LINE_BYTES))
		return -ENOMEM;
	before = json__length(json);
	if (binary_json(stream, event, binary, now_ns)) {
		json->at = json->base + before;
		return -ENOMEM;
	}
	return end_own(stream);
}

int trace_events__attached(struct stream *stream, const struct trace_binary *binary,
			   uint64_t now_ns)
{
	return about_binary(stream, "trace.attached", binary, now_ns);
}

int trace_events__detached(struct stream *stream, const struct trace_binary *binary,
			   uint64_t now_ns)
{
	return about_binary(stream, "trace.detached", binary, now_ns);
}

static void lost_json(struct json *json, struct clock_anchor *clock, enum event_kind kind,
		      enum loss_reason reason, uint64_t lost, const uint64_t window_ns[2])
{
	json__raw(json, "{\"event\":\"trace.lost\"");
	put_time(json, clock, "timestamp", window_ns[1]);
	put_number(json, "monotonic_ns", window_ns[1]);
	json__raw(json, ",\"kind\":\"");
	json__word(json, event_names[kind]);
	json__raw(json, "\"");
	put_number(json, "lost", lost);
	put_time(json, clock, "since", window_ns[0]);
	put_time(json, clock, "until", window_ns[1]);
	json__raw(json, ",\"reason\":\"");
	json__word(json, loss_names[reason]);
	json__raw(json, "\"}\n");
}

static void lost_text(struct json *line, struct clock_anchor *clock, enum event_kind kind,
		      enum loss_reason reason, uint64_t lost, uint64_t now_ns)
{
	char *at = line->at;

	clock_anchor__timestamp(clock, line, now_ns);
	memmove(at, at + 11, 15); /* the time of day with microseconds */
	line->at = at + 15;
	json__raw(line, "           LOST ");
	json__u64(line, lost);
	json__raw(line, " ");
	json__word(line, event_names[kind]);
	json__raw(line, ": ");
	json__word(line, loss_names[reason]);
	json__raw(line, "\n");
}

int trace_events__put_lost(struct json *json, enum stream_format format, struct clock_anchor *clock,
			   enum event_kind kind, enum loss_reason reason, uint64_t lost,
			   const uint64_t window_ns[2])
{
	if (json__reserve(json, EVENT_LINE_BYTES))
		return -ENOMEM;
	if (format == FORMAT_JSON)
		lost_json(json, clock, kind, reason, lost, window_ns);
	else
		lost_text(json, clock, kind, reason, lost, window_ns[1]);
	return 0;
}

int trace_events__lost(struct stream *stream, enum event_kind kind, enum loss_reason reason,
		       uint64_t lost, uint64_t since_ns, uint64_t until_ns)
{
	const uint64_t window_ns[2] = {since_ns, until_ns};
	int code = trace_events__put_lost(&stream__lines(stream)->text,
					  stream__options(stream)->format, stream__clock(stream),
					  kind, reason, lost, window_ns);

	const struct line_mark mark = {.kind = EVENT_NONE,
				       .lost = lost,
				       .lost_since_ns = since_ns,
				       .lost_kind = (uint8_t)kind,
				       .lost_reason = (uint8_t)reason};

	if (code)
		return code;
	if (is_json(stream))
		labels__put_everywhere(&stream__options(stream)->labels,
				       &stream__lines(stream)->text);
	return lines__mark(stream__lines(stream), &mark);
}

/* With one decimal. */
static void put_percent(struct json *json, const char *name, double percent)
{
	json__raw(json, ",\"");
	json__word(json, name);
	json__raw(json, "\":");
	json__milliseconds(json, (uint64_t)(percent * 10 + 0.5) * 100000);
}

static void degraded_json(struct json *json, struct clock_anchor *clock,
			  const struct trace_degree *degree, uint64_t now_ns)
{
	json__raw(json, "{\"event\":\"trace.degraded\"");
	put_time(json, clock, "timestamp", now_ns);
	put_number(json, "monotonic_ns", now_ns);
	json__raw(json, ",\"level\":\"");
	json__word(json, degree->level);
	json__raw(json, "\",\"sample_every\":");
	if (degree->sample_every)
		json__u64(json, degree->sample_every);
	else
		json__raw(json, "null");
	put_percent(json, "cpu_percent", degree->cpu_percent);
	put_percent(json, "max_cpu_percent", degree->max_cpu_percent);
	json__raw(json, "}\n");
}

int trace_events__degraded(struct stream *stream, const struct trace_degree *degree,
			   uint64_t now_ns)
{
	struct json *json = &stream__lines(stream)->text;

	if (!is_json(stream))
		return 0;
	if (json__reserve(json, EVENT_LINE_BYTES))
		return -ENOMEM;
	degraded_json(json, stream__clock(stream), degree, now_ns);
	return end_own(stream);
}

static void clock_json(struct json *json, struct clock_anchor *clock, const struct clock_pair *now,
		       int64_t ahead_ns)
{
	json__raw(json, "{\"event\":\"trace.clock\"");
	put_time(json, clock, "timestamp", now->monotonic_ns);
	put_number(json, "monotonic_ns", now->monotonic_ns);
	put_number(json, "realtime_ns", now->realtime_ns);
	json__raw(json, ",\"ahead_ns\":");
	json__i64(json, ahead_ns);
	json__raw(json, "}\n");
}

int trace_events__clock(struct stream *stream, const struct clock_pair *now, int64_t ahead_ns)
{
	struct json *json = &stream__lines(stream)->text;

	if (!is_json(stream))
		return 0;
	if (json__reserve(json, EVENT_LINE_BYTES))
		return -ENOMEM;
	clock_json(json, stream__clock(stream), now, ahead_ns);
	return end_own(stream);
}

static uint64_t sum(const uint64_t by_kind[EVENT_KINDS_COUNT])
{
	uint64_t total = 0;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		total += by_kind[kind];
	return total;
}

static void put_by_kind(struct json *json, const uint64_t by_kind[EVENT_KINDS_COUNT])
{
	json__raw(json, "{");
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		put_number(json, event_names[kind], by_kind[kind]);
	json__raw(json, "}");
}

static void put_losses(struct json *json, const struct stream_counts *counts)
{
	uint64_t by_kind[EVENT_KINDS_COUNT] = {0}, by_reason[LOSS_REASONS_COUNT] = {0};

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++) {
			by_kind[kind] += counts->lost[kind][reason];
			by_reason[reason] += counts->lost[kind][reason];
		}
	put_number(json, "lost", sum(by_kind));
	json__raw(json, ",\"lost_by_kind\":");
	put_by_kind(json, by_kind);
	json__raw(json, ",\"lost_by_reason\":{");
	for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
		put_number(json, loss_names[reason], by_reason[reason]);
	json__raw(json, "}");
}

const char *const untraced_names[UNTRACED_REASONS_COUNT] = {
	[UNTRACED_PROCESSES] = "process_limit",
	[UNTRACED_OPEN_FILES] = "open_files_limit",
	[UNTRACED_MEMORY] = "memory",
	[UNTRACED_REFUSED] = "refused",
};

uint64_t trace_totals__untraced(const struct trace_totals *totals)
{
	uint64_t total = 0;

	for (int reason = 0; reason < UNTRACED_REASONS_COUNT; reason++)
		total += totals->untraced[reason];
	return total;
}

/* Only where there are any. */
static void put_untraced(struct json *json, const struct trace_totals *totals)
{
	uint64_t total = trace_totals__untraced(totals);

	if (total == 0)
		return;
	put_number(json, "processes_untraced", total);
	json__raw(json, ",\"untraced_by_reason\":{");
	for (int reason = 0; reason < UNTRACED_REASONS_COUNT; reason++)
		put_number(json, untraced_names[reason], totals->untraced[reason]);
	json__raw(json, "}");
}

/* Each only where there are any. */
static void put_executions(struct json *json, const struct trace_totals *totals)
{
	const struct {
		const char *name;
		uint64_t count;
	} members[] = {
		{"executions_forgotten", totals->forgotten},
		{"executions_written", totals->whole.written},
		{"executions_left_out", totals->whole.left_out},
		{"executions_decided_early", totals->whole.early},
		{"executions_unfinished", totals->whole.unfinished},
		{"overdue_events", totals->overdue},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (members[i].count)
			put_number(json, members[i].name, members[i].count);
}

int trace_events__put_stopped(struct json *json, enum stream_format format,
			      struct clock_anchor *clock, const struct stream_counts *counts,
			      const struct trace_totals *totals, uint64_t now_ns)
{
	if (format != FORMAT_JSON)
		return 0;
	if (json__reserve(json, EVENT_LINE_BYTES))
		return -ENOMEM;
	json__raw(json, "{\"event\":\"trace.stopped\"");
	put_time(json, clock, "timestamp", now_ns);
	put_number(json, "monotonic_ns", now_ns);
	put_number(json, "hits", totals->hits);
	put_number(json, "events", sum(counts->events));
	put_number(json, "aborted_events", sum(counts->aborted));
	put_losses(json, counts);
	json__raw(json, ",\"filtered\":");
	put_by_kind(json, counts->filtered);
	put_untraced(json, totals);
	put_executions(json, totals);
	if (totals->decisions_lost)
		put_number(json, "filter_decisions_lost", totals->decisions_lost);
	if (totals->breakdowns_lost)
		put_number(json, "breakdowns_lost", totals->breakdowns_lost);
	json__raw(json, ",\"reason\":\"");
	json__word(json, totals->reason);
	json__raw(json, "\"}\n");
	return 0;
}
