// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/latency.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "steptrace/stream/executions.h"

int latency__open(struct latency *latency, const struct latency_options *options)
{
	*latency = (struct latency){
		.options = options,
		.table = latency_table__new(options->rows_limit),
	};
	return latency->table ? 0 : -ENOMEM;
}

void latency__close(struct latency *latency)
{
	latency_table__free(latency->table);
	latency->table = NULL;
}

/* ---- events */

void latency__on_event(void *context, const struct event *event)
{
	struct latency *latency = context;
	char key[ROW_KEY_BYTES];
	size_t bytes =
		row_keys__of_event(&latency->options->keys, event, &latency->options->source, key);
	struct latency_value value = {.is_timed = false};

	if (event->kind == EVENT_COMMAND_COMPLETED)
		latency->steps_not_seen += event->steps_lost;
	if (!bytes)
		return;
	value.is_timed = event__duration_ns(event, &value.duration_ns);
	value.has_failed = event__has_failed(event);
	value.cpu = event__cpu(event);
	latency_table__add(latency->table, key, bytes, &value);
}

/* ---- reports */

static int write_table(struct json *out, const struct latency *latency, struct stream *stream,
		       uint64_t now_ns)
{
	const struct latency_options *options = latency->options;
	const struct report report = {
		.keys = &options->keys,
		.from_ns = latency->from_ns,
		.to_ns = now_ns,
		.clock = stream__clock(stream),
		.style = stream__options(stream)->text,
		.has_histograms = options->has_histograms,
		.has_breakdown = options->has_breakdown,
	};

	return options->is_json ? report__json(out, &report, latency->table)
				: report__text(out, &report, latency->table);
}

/* What the table does not show. */
static int write_notes(struct json *out, const struct latency *latency)
{
	char text[160];

	if (latency->options->is_json || !latency->steps_not_seen)
		return 0;
	snprintf(text, sizeof(text), "%llu steps were not seen: their commands count them\n",
		 (unsigned long long)latency->steps_not_seen);
	if (json__reserve(out, sizeof(text)))
		return -ENOMEM;
	json__word(out, text);
	return 0;
}

/* Between two tables of text, an empty line. */
static int write_gap(struct json *out, const struct latency *latency, bool is_first)
{
	if (latency->options->is_json || is_first)
		return 0;
	if (json__reserve(out, 1))
		return -ENOMEM;
	json__raw(out, "\n");
	return 0;
}

static void write_report(struct latency *latency, struct stream *stream, uint64_t now_ns)
{
	struct lines *lines = stream__lines(stream);
	size_t before = lines__bytes(lines);
	int code = write_gap(&lines->text, latency, latency->reports_count == 0);

	if (!code)
		code = write_table(&lines->text, latency, stream, now_ns);
	if (!code)
		code = write_notes(&lines->text, latency);
	if (!code)
		code = lines__mark_own(lines, before);
	else
		lines->text.at = lines->text.base + before;
	latency->reports_failed += code != 0;
	latency->reports_count++;
}

void latency__on_time(void *context, struct stream *stream, uint64_t now_ns, bool is_end)
{
	struct latency *latency = context;
	uint64_t interval_ns = latency->options->interval_ns;

	if (!latency->from_ns)
		latency->from_ns = stream__clock(stream)->monotonic_ns;
	if (!is_end && (!interval_ns || now_ns - latency->from_ns < interval_ns))
		return;
	write_report(latency, stream, now_ns);
	latency_table__clear(latency->table);
	latency->steps_not_seen = 0;
	latency->from_ns = now_ns;
}
