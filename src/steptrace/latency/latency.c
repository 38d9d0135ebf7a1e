// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency/latency.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/executions.h"

int latency__open(struct latency *latency, const struct latency_options *options)
{
	*latency = (struct latency){
		.options = options,
		.table = latency_table__new(options->rows_limit),
		.open = open_set__new(),
	};
	return latency->table && latency->open ? 0 : -ENOMEM;
}

void latency__close(struct latency *latency)
{
	latency_table__free(latency->table);
	open_set__free(latency->open);
	free(latency->blind);
	latency->table = NULL;
	latency->open = NULL;
	latency->blind = NULL;
}

/* ---- events */

void latency__on_event(void *context, const struct event *event)
{
	struct latency *latency = context;
	char key[ROW_KEY_BYTES];
	size_t bytes =
		row_keys__of_event(&latency->options->keys, event, &latency->options->source, key);
	struct latency_value value = {.is_timed = false};

	open_set__on_event(latency->open, event);
	if (event->kind == EVENT_COMMAND_COMPLETED)
		latency->steps_not_seen += event->steps_lost;
	if (!bytes)
		return;
	value.is_timed = event__duration_ns(event, &value.duration_ns);
	value.has_failed = event__has_failed(event);
	value.cpu = event__cpu(event);
	latency_table__add(latency->table, key, bytes, &value);
}

/* ---- what is open */

void latency__open_asked(void *context)
{
	open_set__expect(((struct latency *)context)->open);
}

void latency__open_begin(void *context)
{
	struct latency *latency = context;

	open_set__clear(latency->open);
	latency->blind_count = 0;
	latency->is_open_known = false;
}

void latency__open_add(void *context, const struct open_item *item)
{
	struct latency *latency = context;
	char key[ROW_KEY_BYTES];
	size_t bytes =
		row_keys__of_open(&latency->options->keys, item, &latency->options->source, key);

	if (bytes)
		open_set__add(latency->open, item, key, bytes);
}

/* Without memory, what the runner has open is left out: with it, the table is not complete,
 * either. */
void latency__open_add_blind(void *context, uint32_t pid)
{
	struct latency *latency = context;

	if (latency->blind_count == latency->blind_room) {
		size_t room = latency->blind_room ? 2 * latency->blind_room : 16;
		uint32_t *moved = realloc(latency->blind, room * sizeof(*moved));

		if (!moved)
			return;
		latency->blind = moved;
		latency->blind_room = room;
	}
	latency->blind[latency->blind_count++] = pid;
}

void latency__open_end(void *context, bool is_complete)
{
	struct latency *latency = context;

	latency->is_open_known = true;
	latency->is_open_complete = is_complete && !open_set__left_out(latency->open);
}

/* ---- what is open in runners whose memory is not understood */

struct adding {
	struct latency *latency;
	uint64_t now_ns;
};

static bool is_blind(const struct latency *latency, uint32_t pid)
{
	for (size_t i = 0; i < latency->blind_count; i++)
		if (latency->blind[i] == pid)
			return true;
	return false;
}

/* An item that is open for less than --min-duration may end before that. */
static void add_item(const struct adding *adding, const struct open_item *item)
{
	struct latency *latency = adding->latency;

	if (is_blind(latency, item->pid) && item->age_ns >= latency->options->min_duration_ns)
		latency__open_add(latency, item);
}

static void add_execution(void *context, const struct execution *execution)
{
	const struct adding *adding = context;
	struct open_item item;

	open_item__of_execution(&item, execution, adding->now_ns);
	add_item(adding, &item);
}

static void add_step(void *context, const struct execution *execution,
		     const struct begun_step *step)
{
	const struct adding *adding = context;
	struct open_item item;

	open_item__of_step(&item, execution, step, adding->now_ns);
	add_item(adding, &item);
}

static void add_blind(struct latency *latency, struct stream *stream, uint64_t now_ns)
{
	struct adding adding = {latency, now_ns};
	const struct open_visitor visitor = {add_execution, add_step, &adding};

	if (latency->blind_count)
		stream__each_open(stream, &visitor);
	latency->blind_count = 0;
}

void latency__on_stop(void *context, struct stream *stream, uint64_t now_ns)
{
	add_blind(context, stream, now_ns);
}

static void count_open(void *context, const char *key, size_t key_bytes,
		       const struct open_value *value)
{
	struct latency *latency = context;

	latency_table__add_open(latency->table, key, key_bytes, value,
				latency->options->counts_open);
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
		.has_open = options->shows_open,
		.is_open_known = latency->is_open_known,
		.is_open_complete = latency->is_open_complete,
		.counts_open = options->counts_open,
	};

	return options->is_json ? report__json(out, &report, latency->table)
				: report__text(out, &report, latency->table);
}

/* What the table does not show. */
static int write_notes(struct json *out, const struct latency *latency)
{
	char text[128];

	if (latency->options->is_json || json__reserve(out, 2 * sizeof(text)))
		return latency->options->is_json ? 0 : -ENOMEM;
	if (latency->steps_not_seen) {
		snprintf(text, sizeof(text),
			 "%llu steps were not seen: their commands count them\n",
			 (unsigned long long)latency->steps_not_seen);
		json__word(out, text);
	}
	if (open_set__left_out(latency->open)) {
		snprintf(text, sizeof(text), "%zu open commands and steps are not in OPEN\n",
			 open_set__left_out(latency->open));
		json__word(out, text);
	}
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

	if (latency->is_open_known)
		open_set__each(latency->open, count_open, latency);
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

bool latency__is_due(void *context, uint64_t now_ns)
{
	const struct latency *latency = context;
	uint64_t interval_ns = latency->options->interval_ns;

	return latency->from_ns && interval_ns && now_ns - latency->from_ns >= interval_ns;
}

void latency__on_time(void *context, struct stream *stream, uint64_t now_ns, bool is_end)
{
	struct latency *latency = context;

	if (!latency->from_ns)
		latency->from_ns = stream__clock(stream)->monotonic_ns;
	if (!is_end && !latency__is_due(latency, now_ns))
		return;
	add_blind(latency, stream, now_ns);
	write_report(latency, stream, now_ns);
	latency_table__clear(latency->table);
	latency__open_begin(latency);
	latency->steps_not_seen = 0;
	latency->from_ns = now_ns;
}
