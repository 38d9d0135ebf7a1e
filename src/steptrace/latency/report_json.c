// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/latency/report.h"
#include "steptrace/stream/event.h"

enum {
	HEAD_BYTES = 2048 + ROW_KEYS_COUNT * 32,
	BUCKET_BYTES = 3 * JSON_MILLISECONDS_BYTES + 8,
};

/* ---- buckets */

struct buckets {
	struct json *out;
	int code;
	bool is_first;
};

/* [from, below, count]: milliseconds from <= duration < below. */
static void put_bucket(void *context, const struct histogram_bucket *bucket)
{
	struct buckets *buckets = context;
	struct json *out = buckets->out;

	if (!buckets->code)
		buckets->code = json__reserve(out, BUCKET_BYTES);
	if (buckets->code)
		return;
	if (!buckets->is_first)
		json__raw(out, ",");
	buckets->is_first = false;
	json__raw(out, "[");
	json__milliseconds(out, bucket->from_ns);
	json__raw(out, ",");
	json__milliseconds(out, bucket->below_ns);
	json__raw(out, ",");
	json__u64(out, bucket->count);
	json__raw(out, "]");
}

/* ---- the members of a row */

static void put_by(struct json *out, const struct report *report, const struct latency_row *row)
{
	const char *value = row->key;

	json__raw(out, "\"by\":{");
	for (size_t i = 0; i < report->keys->count; i++) {
		const struct row_key_names *key = &row_keys[report->keys->items[i]];

		json__word(out, i ? ",\"" : "\"");
		json__word(out, key->member);
		json__raw(out, "\":");
		if (!value || !value[0])
			json__raw(out, "null");
		else if (key->is_number)
			json__word(out, value);
		else
			json__text(out, value, strlen(value));
		value = value ? value + strlen(value) + 1 : NULL;
	}
	json__raw(out, "},\"other\":");
	json__bool(out, !row->key);
}

static void put_ms(struct json *out, const char *name, const struct latency_row *row, uint64_t ns)
{
	json__raw(out, ",\"");
	json__word(out, name);
	json__raw(out, "_ms\":");
	if (row->durations.count)
		json__milliseconds(out, ns);
	else
		json__raw(out, "null");
}

static void put_durations(struct json *out, const struct latency_row *row)
{
	static const struct {
		const char *name;
		double fraction;
	} percentiles[] = {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};
	const struct histogram *durations = &row->durations;

	put_ms(out, "sum", row, durations->sum_ns);
	put_ms(out, "min", row, durations->min_ns);
	put_ms(out, "max", row, durations->max_ns);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		put_ms(out, percentiles[i].name, row,
		       histogram__percentile_ns(durations, percentiles[i].fraction));
}

static void put_counts(struct json *out, const struct latency_row *row)
{
	json__raw(out, ",\"count\":");
	json__u64(out, row->count);
	json__raw(out, ",\"untimed\":");
	json__u64(out, row->untimed);
	json__raw(out, ",\"failures\":");
	json__u64(out, row->failures);
}

static void put_cpu_time(struct json *out, const char *name, uint64_t ns)
{
	json__raw(out, "\"");
	json__word(out, name);
	json__raw(out, "\":");
	json__milliseconds(out, ns);
}

/* ,"cpu":{…} with --breakdown; null if nothing was measured */
static void put_cpu(struct json *out, const struct cpu_sums *cpu)
{
	if (!cpu->measured) {
		json__raw(out, ",\"cpu\":null");
		return;
	}
	json__raw(out, ",\"cpu\":{\"measured\":");
	json__u64(out, cpu->measured);
	json__raw(out, ",");
	put_cpu_time(out, "on_cpu_ms", cpu->on_cpu_ns);
	json__raw(out, ",");
	put_cpu_time(out, "runnable_ms", cpu->runnable_ns);
	json__raw(out, ",\"blocked_ms\":{");
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++) {
		if (kind > 0)
			json__raw(out, ",");
		put_cpu_time(out, blocked_names[kind], cpu->blocked_ns[kind]);
	}
	json__raw(out, "},");
	put_cpu_time(out, "threads_ms", cpu->threads_ns);
	json__raw(out, "}");
}

/* "open":2,"open_is_complete":true,"oldest_open_ms":…,"oldest_open_at_least_ms":…; null: it is not
 * known */
static void put_open(struct json *out, const struct report *report, const struct latency_row *row)
{
	bool has_age = report->is_open_known && row->open;

	json__raw(out, ",\"open\":");
	if (report->is_open_known)
		json__u64(out, row->open);
	else
		json__raw(out, "null");
	json__raw(out, ",\"open_is_complete\":");
	json__bool(out, report->is_open_known && report->is_open_complete);
	json__raw(out, ",\"oldest_open_ms\":");
	if (has_age && row->is_oldest_known)
		json__milliseconds(out, row->oldest_open_ns);
	else
		json__raw(out, "null");
	json__raw(out, ",\"oldest_open_at_least_ms\":");
	if (has_age)
		json__milliseconds(out, row->oldest_open_ns);
	else
		json__raw(out, "null");
	json__raw(out, ",\"open_in_durations\":");
	json__bool(out, report->counts_open);
}

static int put_row(struct json *out, const struct report *report, const struct latency_row *row)
{
	struct buckets buckets = {.out = out, .is_first = true};
	size_t text_bytes = JSON_TEXT_BYTES(row->key_bytes) + 2 * ROW_KEYS_COUNT;

	if (json__reserve(out, HEAD_BYTES + text_bytes))
		return -ENOMEM;
	json__raw(out, "{\"event\":\"latency.row\",\"timestamp\":\"");
	clock_anchor__timestamp(report->clock, out, report->to_ns);
	json__raw(out, "\",\"monotonic_ns\":");
	json__u64(out, report->to_ns);
	json__raw(out, ",\"interval_ms\":");
	json__milliseconds(out, report->to_ns - report->from_ns);
	json__raw(out, ",\"of\":");
	json__word(out, report->keys->of_steps ? "\"step\"," : "\"command\",");
	put_by(out, report, row);
	put_counts(out, row);
	put_durations(out, row);
	if (report->has_open)
		put_open(out, report, row);
	if (report->has_breakdown)
		put_cpu(out, &row->cpu);
	json__raw(out, ",\"buckets\":[");
	histogram__each(&row->durations, put_bucket, &buckets);
	if (buckets.code || json__reserve(out, 8))
		return -ENOMEM;
	json__raw(out, "]}\n");
	return 0;
}

int report__json(struct json *out, const struct report *report, const struct latency_table *table)
{
	size_t count, whole = json__length(out);
	const struct latency_row **rows = latency_table__sorted(table, &count);
	int code = rows ? 0 : -ENOMEM;

	for (size_t i = 0; i < count && !code; i++) {
		code = put_row(out, report, rows[i]);
		if (!code)
			whole = json__length(out);
	}
	out->at = out->base + whole;
	free(rows);
	return code;
}
