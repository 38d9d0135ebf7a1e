// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/writer.h"

#include <errno.h>

#include "common/clock.h"
#include "common/log.h"

enum { GATHERED_BYTES = 128 * 1024 }; /* lines that are worth a write of their own */

#define TELL_NS    1000000000ull    /* what is missing is said once in so long */
#define SAY_NS     10000000000ull   /* a sink that fails is spoken of once in so long */
#define LONGEST_NS 3600000000000ull /* of a wait */

int writer__open(struct writer *writer, struct sink *sink, bool drops)
{
	writer->sink = sink;
	writer->drops = drops;
	writer->incomplete = incomplete__new();
	if (!writer->incomplete || lines__init(&writer->gathered, GATHERED_BYTES) ||
	    json__init(&writer->words, 4096))
		return -ENOMEM;
	return 0;
}

void writer__close(struct writer *writer)
{
	incomplete__free(writer->incomplete);
	lines__free(&writer->corrected);
	lines__free(&writer->gathered);
	json__free(&writer->words);
}

/* ---- lines to the sink */

static void on_failure(struct writer *writer, int code, const struct error *err)
{
	writer->err = *err;
	if (!writer->drops || code == -ECANCELED) {
		writer->failed = true;
	} else if (!writer->is_away && clock__now_ns() - writer->said_ns >= SAY_NS) {
		log__error("%s; it goes without until that is over", err->text);
		writer->said_ns = clock__now_ns();
		writer->says_back = true;
	}
	writer->is_away = true;
}

/* Who comes and goes every moment is spoken of now and then. */
static void on_success(struct writer *writer)
{
	if (!writer->is_away)
		return;
	writer->is_away = false;
	if (writer->says_back)
		log__info("%s is written to again", writer->sink->name);
	writer->says_back = false;
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
	if (code)
		on_failure(writer, code, &err);
	else
		on_success(writer);
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

static void take_missing(struct writer *writer, const struct missing_lines *missing)
{
	missing_lines__add(&writer->missing, missing);
	line_counts__add(&writer->gone, &missing->lost);
}

static bool has_missing(const struct writer *writer)
{
	return !missing_lines__is_empty(&writer->missing);
}

static int put_lost(struct writer *writer, enum event_kind kind, enum loss_reason reason,
		    uint64_t lost)
{
	const struct missing_lines *missing = &writer->missing;
	int code;

	if (lost == 0)
		return 0;
	writer->words.at = writer->words.base;
	code = trace_events__put_lost(&writer->words, writer->format, &writer->clock, kind, reason,
				      lost,
				      (const uint64_t[2]){missing->since_ns, missing->until_ns});
	return code ? code : put_words(writer);
}

/* What was not written here, and what a trace.lost said that was not. */
static int put_missing_kind(struct writer *writer, enum event_kind kind)
{
	struct line_counts *missing = &writer->missing.lost;
	int code = put_lost(writer, kind, LOSS_NOT_WRITTEN, missing->events[kind]);

	if (!code)
		missing->events[kind] = 0;
	for (int reason = 0; reason < LOSS_REASONS_COUNT && !code; reason++) {
		uint64_t *lost = &missing->told[kind][reason];

		code = put_lost(writer, kind, (enum loss_reason)reason, *lost);
		if (!code)
			*lost = 0;
	}
	return code;
}

/* trace.lost for what is missing, line by line: what was said is not said again. 0, or the rest has to
 * be said later. */
static int put_missing(struct writer *writer)
{
	int code = 0;

	if (!has_missing(writer))
		return 0;
	writer->told_ns = clock__now_ns();
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT && !code; kind++)
		code = put_missing_kind(writer, (enum event_kind)kind);
	if (!code)
		writer->missing = (struct missing_lines){.since_ns = 0};
	return code;
}

static uint64_t since_told_ns(const struct writer *writer)
{
	return clock__now_ns() - writer->told_ns;
}

/* A sink that comes back hears it first. */
static int put_missing_if_due(struct writer *writer)
{
	if (!has_missing(writer) || (!writer->is_away && since_told_ns(writer) < TELL_NS))
		return 0;
	return put_missing(writer);
}

/* ---- lines */

void writer__miss(struct writer *writer, const struct lines *lines, size_t from)
{
	if (writer->format == FORMAT_JSON)
		incomplete__miss(writer->incomplete, lines, from);
}

static const struct lines *corrected(struct writer *writer, const struct lines *lines)
{
	if (writer->format != FORMAT_JSON)
		return lines;
	return incomplete__correct(writer->incomplete, lines, &writer->corrected);
}

static void put_lines(struct writer *writer, const struct lines *lines)
{
	size_t written = 0;
	struct missing_lines missing = {.since_ns = 0};

	lines = corrected(writer, lines);
	if (put_missing_if_due(writer) == 0 &&
	    put(writer, lines->text.base, lines__bytes(lines), &written) == 0)
		return;
	writer->lost += missing_lines__add_lines(&missing, lines, written, clock__now_ns());
	writer__miss(writer, lines, written);
	take_missing(writer, &missing);
}

void writer__flush(struct writer *writer)
{
	if (writer->gathered_ns == 0)
		return;
	put_lines(writer, &writer->gathered);
	lines__clear(&writer->gathered);
	writer->gathered_ns = 0;
}

static void gather(struct writer *writer, const struct lines *lines)
{
	if (lines__append(&writer->gathered, lines)) {
		writer__flush(writer);
		put_lines(writer, lines);
		return;
	}
	if (writer->gathered_ns == 0)
		writer->gathered_ns = clock__now_ns();
	if (lines__bytes(&writer->gathered) >= GATHERED_BYTES)
		writer__flush(writer);
}

void writer__go_without(struct writer *writer, const struct missing_lines *missing)
{
	if (missing_lines__is_empty(missing))
		return;
	writer__flush(writer);
	take_missing(writer, missing);
}

void writer__put(struct writer *writer, const struct lines *lines,
		 const struct missing_lines *missing)
{
	writer__go_without(writer, missing);
	if (writer->sink->gathers_ns && !writer->failed)
		gather(writer, lines);
	else
		put_lines(writer, lines);
}

/* ---- what may wait, and for how long */

static uint64_t left_of(uint64_t patience_ns, uint64_t waited_ns)
{
	return waited_ns < patience_ns ? patience_ns - waited_ns : 0;
}

static uint64_t flush_in_ns(const struct writer *writer)
{
	return writer->gathered_ns == 0
		       ? UINT64_MAX
		       : left_of(writer->sink->gathers_ns, clock__now_ns() - writer->gathered_ns);
}

static uint64_t tell_in_ns(const struct writer *writer)
{
	return has_missing(writer) && !writer->failed ? left_of(TELL_NS, since_told_ns(writer))
						      : UINT64_MAX;
}

static uint64_t idle_in_ns(const struct writer *writer)
{
	return writer->failed ? UINT64_MAX : sink__idles_ns(writer->sink);
}

int writer__patience_ms(const struct writer *writer)
{
	const uint64_t each_ns[] = {flush_in_ns(writer), tell_in_ns(writer), idle_in_ns(writer)};
	uint64_t first_ns = UINT64_MAX;

	for (size_t i = 0; i < sizeof(each_ns) / sizeof(each_ns[0]); i++)
		first_ns = each_ns[i] < first_ns ? each_ns[i] : first_ns;
	if (first_ns == UINT64_MAX)
		return -1;
	if (first_ns > LONGEST_NS)
		first_ns = LONGEST_NS;
	return (int)((first_ns + 999999) / 1000000);
}

void writer__tick(struct writer *writer)
{
	if (flush_in_ns(writer) == 0)
		writer__flush(writer);
	if (tell_in_ns(writer) == 0)
		put_missing(writer);
	if (idle_in_ns(writer) == 0)
		writer->sink->ops->idled(writer->sink);
}

/* ---- the end */

/* False: it could not be written, and the output ends without it. */
static bool put_stopped(struct writer *writer, struct stream_counts counts,
			const struct trace_totals *totals, uint64_t stopped_ns)
{
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		counts.events[kind] -= writer->gone.events[kind];
		counts.lost[kind][LOSS_NOT_WRITTEN] += writer->gone.events[kind];
		counts.aborted[kind] -= writer->gone.aborted[kind];
	}
	writer->words.at = writer->words.base;
	if (trace_events__put_stopped(&writer->words, writer->format, &writer->clock, &counts,
				      totals, stopped_ns)) {
		error__set(&writer->err, -ENOMEM, "out of memory");
		return false;
	}
	return json__length(&writer->words) == 0 || put_words(writer) == 0;
}

void writer__end(struct writer *writer, const struct missing_lines *missing,
		 const struct stream_counts *counts, const struct trace_totals *totals,
		 uint64_t stopped_ns)
{
	writer__go_without(writer, missing);
	writer__flush(writer);
	put_missing(writer);
	if (!put_stopped(writer, *counts, totals, stopped_ns))
		writer->failed = true;
}
