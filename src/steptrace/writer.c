// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/writer.h"

#include <errno.h>

#include "common/log.h"

enum { JOINED_BYTES = 128 * 1024 }; /* lines that are worth a write of their own */

int writer__open(struct writer *writer, struct sink *sink, bool drops)
{
	writer->sink = sink;
	writer->drops = drops;
	if (json__init(&writer->joined, JOINED_BYTES) || json__init(&writer->kinds, 4096) ||
	    json__init(&writer->words, 4096))
		return -ENOMEM;
	return 0;
}

void writer__close(struct writer *writer)
{
	json__free(&writer->joined);
	json__free(&writer->kinds);
	json__free(&writer->words);
}

/* ---- lines to the sink */

static void on_failure(struct writer *writer, int code, const struct error *err)
{
	if (!writer->drops || code == -ECANCELED) {
		writer->err = *err;
		writer->failed = true;
	} else if (!writer->is_away) {
		log__error("%s; it goes without until that is over", err->text);
	}
	writer->is_away = true;
}

/* 0, or what came of it. */
static int put(struct writer *writer, const char *lines, size_t bytes, size_t *written)
{
	struct error err = {""};
	int code;

	*written = 0;
	if (writer->failed)
		return -ECANCELED;
	code = sink__write(writer->sink, lines, bytes, written, &err);
	if (code) {
		on_failure(writer, code, &err);
	} else if (writer->is_away) {
		log__info("%s is written to again", writer->sink->name);
		writer->is_away = false;
	}
	return code;
}

static int put_words(struct writer *writer)
{
	size_t written;

	return put(writer, writer->words.base, json__length(&writer->words), &written);
}

void writer__begin(struct writer *writer)
{
	size_t written;

	put(writer, "", 0, &written);
}

/* ---- what is missing */

static void take_gap(struct writer *writer, const struct gap *gap)
{
	gap__add(&writer->missing, &gap->lost, gap->since_ns, gap->until_ns);
	line_counts__add(&writer->gone, &gap->lost);
	writer->lost += line_counts__total(&gap->lost);
}

static int put_missing_kind(struct writer *writer, enum event_kind kind)
{
	const struct gap *gap = &writer->missing;
	int code;

	writer->words.at = writer->words.base;
	code = trace_events__put_lost(&writer->words, writer->format, &writer->clock, kind,
				      LOSS_NOT_WRITTEN, gap->lost.events[kind],
				      (const uint64_t[2]){gap->since_ns, gap->until_ns});
	return code ? code : put_words(writer);
}

/* trace.lost for what is missing, line by line: what was said is not said again. 0, or the rest has to
 * be said later. */
static int put_missing(struct writer *writer)
{
	uint64_t *missing = writer->missing.lost.events;
	int code = 0;

	if (line_counts__total(&writer->missing.lost) == 0)
		return 0;
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT && !code; kind++) {
		if (missing[kind] == 0)
			continue;
		code = put_missing_kind(writer, (enum event_kind)kind);
		if (!code)
			missing[kind] = 0;
	}
	if (!code)
		writer->missing = (struct gap){.since_ns = 0};
	return code;
}

/* ---- batches */

static void put_batch(struct writer *writer, const struct batch *batch)
{
	size_t written = 0;
	struct gap gap = {.since_ns = 0};

	if (put_missing(writer) == 0 &&
	    put(writer, batch->lines.base, json__length(&batch->lines), &written) == 0)
		return;
	gap__add_batch(&gap, batch, written, clock__now_ns());
	take_gap(writer, &gap);
}

void writer__flush(struct writer *writer)
{
	const struct batch all = {.lines = writer->joined, .kinds = writer->kinds};

	if (writer->gathered_ns == 0)
		return;
	put_batch(writer, &all);
	writer->joined.at = writer->joined.base;
	writer->kinds.at = writer->kinds.base;
	writer->gathered_ns = 0;
}

static void gather(struct writer *writer, const struct batch *batch)
{
	size_t bytes = json__length(&batch->lines), lines = json__length(&batch->kinds);

	if (json__reserve(&writer->joined, bytes) || json__reserve(&writer->kinds, lines)) {
		writer__flush(writer);
		put_batch(writer, batch);
		return;
	}
	if (writer->gathered_ns == 0)
		writer->gathered_ns = clock__now_ns();
	json__bytes(&writer->joined, batch->lines.base, bytes);
	json__bytes(&writer->kinds, batch->kinds.base, lines);
	if (json__length(&writer->joined) >= JOINED_BYTES)
		writer__flush(writer);
}

void writer__put(struct writer *writer, const struct batch *batch, const struct gap *gap)
{
	if (line_counts__total(&gap->lost)) {
		writer__flush(writer);
		take_gap(writer, gap);
	}
	if (writer->sink->gathers_ns && !writer->failed)
		gather(writer, batch);
	else
		put_batch(writer, batch);
}

int writer__patience_ms(const struct writer *writer)
{
	uint64_t waited;

	if (writer->gathered_ns == 0)
		return -1;
	waited = clock__now_ns() - writer->gathered_ns;
	return waited >= writer->sink->gathers_ns
		       ? 0
		       : (int)((writer->sink->gathers_ns - waited) / 1000000) + 1;
}

/* ---- the end */

static void put_stopped(struct writer *writer, struct stream_counts counts,
			const struct trace_totals *totals, uint64_t stopped_ns)
{
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		counts.events[kind] -= writer->gone.events[kind];
		counts.lost[kind][LOSS_NOT_WRITTEN] += writer->gone.events[kind];
		counts.aborted[kind] -= writer->gone.aborted[kind];
	}
	writer->words.at = writer->words.base;
	if (trace_events__put_stopped(&writer->words, writer->format, &writer->clock, &counts,
				      totals, stopped_ns) == 0 &&
	    json__length(&writer->words))
		put_words(writer);
}

void writer__end(struct writer *writer, const struct gap *gap, const struct stream_counts *counts,
		 const struct trace_totals *totals, uint64_t stopped_ns)
{
	writer__flush(writer);
	take_gap(writer, gap);
	put_missing(writer);
	put_stopped(writer, *counts, totals, stopped_ns);
}
