// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/writer.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"

enum { GATHERED_BYTES = 128 * 1024 }; /* gathered lines are written when there are so many */

#define REPORT_NS  1000000000ull    /* between two reports of missing lines */
#define LOG_NS     10000000000ull   /* between two messages about failures of the sink */
#define LONGEST_NS 3600000000000ull /* the longest timeout */

static void lose(void *context, const struct line_mark *mark, bool is_refused);

int writer__open(struct writer *writer, struct sink *sink, bool drops)
{
	writer->sink = sink;
	sink->lose = lose;
	sink->lose_context = writer;
	writer->drops = drops;
	writer->incomplete = incomplete__new();
	if (!writer->incomplete || lines__init(&writer->gathered, GATHERED_BYTES) ||
	    json__init(&writer->own_lines, 4096))
		return -ENOMEM;
	return 0;
}

void writer__close(struct writer *writer)
{
	incomplete__free(writer->incomplete);
	untaken__free(&writer->untaken);
	lines__free(&writer->corrected);
	lines__free(&writer->gathered);
	json__free(&writer->own_lines);
}

/* ---- lines to the sink */

static void on_failure(struct writer *writer, int code, const struct error *err)
{
	writer->err = *err;
	if (!writer->drops || code == -ECANCELED) {
		writer->failed = true;
	} else if (!writer->is_failing && clock__now_ns() - writer->logged_ns >= LOG_NS) {
		log__error("%s; lines are dropped until it works again", err->text);
		writer->logged_ns = clock__now_ns();
		writer->logged_failure = true;
	}
	writer->is_failing = true;
}

/* Logged only when the failure was: a sink that fails every moment is not to fill the log. */
static void on_success(struct writer *writer)
{
	if (!writer->is_failing)
		return;
	writer->is_failing = false;
	if (writer->logged_failure)
		log__info("%s works again", writer->sink->name);
	writer->logged_failure = false;
}

/* Lines and their marks. */
struct text {
	const char *lines;
	size_t bytes;
	const struct line_mark *marks;
};

/* Keeps the marks of the lines of the first `bytes` bytes, which the sink has written. Returns the
 * mark behind them. */
static const struct line_mark *remember(struct writer *writer, const char *lines, size_t bytes,
					const struct line_mark *mark)
{
	const char *at = lines, *end = lines + bytes;
	const struct sink_ops *ops = writer->sink->ops;

	if (!ops->untaken_bytes)
		return mark;
	for (; at < end; mark++) {
		const char *next = memchr(at, '\n', (size_t)(end - at));

		next = next ? next + 1 : end;
		untaken__add(&writer->untaken, mark, (size_t)(next - at));
		at = next;
	}
	untaken__keep(&writer->untaken,
		      ops->untaken_bytes(writer->sink) + writer->sink->lost_bytes);
	return mark;
}

static int put(struct writer *writer, const struct text *text, size_t *written)
{
	const struct line_mark *mark = text->marks;
	struct error err = {""};
	int code;

	*written = 0;
	if (writer->failed)
		return -ECANCELED;
	do {
		size_t out = 0;

		writer->sink->marks = mark;
		code = sink__write(writer->sink, text->lines + *written, text->bytes - *written,
				   &out, &err);
		mark = remember(writer, text->lines + *written, out, mark);
		*written += out;
		writer__take_back(writer);
	} while (code == -EAGAIN);
	if (code)
		on_failure(writer, code, &err);
	else
		on_success(writer);
	return code;
}

static int put_own_line(struct writer *writer, const struct line_mark *mark)
{
	struct text text;
	size_t written;

	if (writer->format == FORMAT_JSON)
		labels__put_everywhere(&writer->labels, &writer->own_lines);
	text = (struct text){writer->own_lines.base, json__length(&writer->own_lines), mark};
	return put(writer, &text, &written);
}

void writer__begin(struct writer *writer)
{
	const struct text nothing = {.lines = ""};
	size_t written;

	put(writer, &nothing, &written);
}

/* ---- what is missing */

static void take_missing(struct writer *writer, const struct missing_lines *missing)
{
	missing_lines__add(&writer->missing, missing);
	line_counts__add(&writer->not_written, &missing->lost);
}

/* An event that the peer refused is reported as `refused`. A report that was refused is not
 * repeated. */
static void take_refused(struct writer *writer, const struct line_mark *mark, uint64_t now_ns)
{
	struct missing_lines missing = {.since_ns = now_ns, .until_ns = now_ns};

	line_counts__count_mark(&writer->refused, mark);
	if (mark->kind == EVENT_NONE)
		return;
	missing.lost.told[mark->kind][LOSS_REFUSED] = 1;
	missing.lost.told_since_ns = now_ns;
	missing_lines__add(&writer->missing, &missing);
}

/* The line was counted as written when the sink had passed it on. */
static void lose(void *context, const struct line_mark *mark, bool is_refused)
{
	struct writer *writer = context;
	uint64_t now_ns = clock__now_ns();
	struct missing_lines missing = {.since_ns = now_ns, .until_ns = now_ns};

	line_counts__count_mark(&missing.lost, mark);
	if (writer->format == FORMAT_JSON)
		incomplete__miss_mark(writer->incomplete, mark);
	writer->lost += line_counts__total(&missing.lost);
	if (is_refused)
		take_refused(writer, mark, now_ns);
	else
		take_missing(writer, &missing);
}

/* The lines were counted as written when the sink had passed them on. */
void writer__take_back(struct writer *writer)
{
	uint64_t now_ns = clock__now_ns();
	struct missing_lines missing = {.since_ns = now_ns, .until_ns = now_ns};
	struct untaken *untaken = &writer->untaken;

	if (writer->sink->lost_bytes == 0)
		return;
	untaken__keep(untaken, writer->sink->lost_bytes);
	writer->sink->lost_bytes = 0;
	for (size_t i = 0; i < untaken->count; i++) {
		const struct line_mark *mark = &untaken->lines[untaken->first + i].mark;

		line_counts__count_mark(&missing.lost, mark);
		if (writer->format == FORMAT_JSON)
			incomplete__miss_mark(writer->incomplete, mark);
	}
	untaken__keep(untaken, 0);
	writer->lost += line_counts__total(&missing.lost);
	take_missing(writer, &missing);
}

static bool has_missing(const struct writer *writer)
{
	return !missing_lines__is_empty(&writer->missing);
}

static int put_lost(struct writer *writer, const struct missing_lines *missing,
		    enum event_kind kind, enum loss_reason reason, uint64_t lost)
{
	const struct line_mark mark = {.lost = lost,
				       .lost_since_ns = missing->since_ns,
				       .lost_kind = (uint8_t)kind,
				       .lost_reason = (uint8_t)reason};
	int code;

	if (lost == 0)
		return 0;
	writer->own_lines.at = writer->own_lines.base;
	code = trace_events__put_lost(&writer->own_lines, writer->format, &writer->clock, kind,
				      reason, lost,
				      (const uint64_t[2]){missing->since_ns, missing->until_ns});
	return code ? code : put_own_line(writer, &mark);
}

/* Reports events of this kind that were not written here; and those that were lost earlier, when
 * the trace.lost that said so was not written. */
static int put_missing_kind(struct writer *writer, struct missing_lines *missing,
			    enum event_kind kind)
{
	struct line_counts *counts = &missing->lost;
	int code = put_lost(writer, missing, kind, LOSS_NOT_WRITTEN, counts->events[kind]);

	if (!code)
		counts->events[kind] = 0;
	for (int reason = 0; reason < LOSS_REASONS_COUNT && !code; reason++) {
		uint64_t *lost = &counts->told[kind][reason];

		code = put_lost(writer, missing, kind, (enum loss_reason)reason, *lost);
		if (!code)
			*lost = 0;
	}
	return code;
}

/* Writes a trace.lost for each kind and reason. What was written is not reported again. 0, or
 * negative errno: the rest has to be reported later. More may be found missing meanwhile. */
static int put_missing(struct writer *writer)
{
	struct missing_lines missing = writer->missing;
	int code = 0;

	if (!has_missing(writer))
		return 0;
	writer->reported_ns = clock__now_ns();
	writer->missing = (struct missing_lines){.since_ns = 0};
	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT && !code; kind++)
		code = put_missing_kind(writer, &missing, (enum event_kind)kind);
	if (code)
		missing_lines__add(&writer->missing, &missing);
	return code;
}

static uint64_t since_report_ns(const struct writer *writer)
{
	return clock__now_ns() - writer->reported_ns;
}

/* After a failure of the sink the report is written before any other line. */
static int put_missing_if_due(struct writer *writer)
{
	if (!has_missing(writer) || (!writer->is_failing && since_report_ns(writer) < REPORT_NS))
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
	struct missing_lines missing = {.since_ns = 0};
	struct text text;
	size_t written = 0;

	lines = corrected(writer, lines);
	text = (struct text){lines->text.base, lines__bytes(lines), lines__marks(lines)};
	if (put_missing_if_due(writer) == 0 && put(writer, &text, &written) == 0)
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

void writer__add_missing(struct writer *writer, const struct missing_lines *missing)
{
	if (missing_lines__is_empty(missing))
		return;
	writer__flush(writer);
	take_missing(writer, missing);
}

void writer__put(struct writer *writer, const struct lines *lines,
		 const struct missing_lines *missing)
{
	writer__add_missing(writer, missing);
	if (writer->sink->gather_ns && !writer->failed)
		gather(writer, lines);
	else
		put_lines(writer, lines);
}

/* ---- timeouts */

static uint64_t left_of(uint64_t limit_ns, uint64_t waited_ns)
{
	return waited_ns < limit_ns ? limit_ns - waited_ns : 0;
}

static uint64_t flush_in_ns(const struct writer *writer)
{
	return writer->gathered_ns == 0
		       ? UINT64_MAX
		       : left_of(writer->sink->gather_ns, clock__now_ns() - writer->gathered_ns);
}

static uint64_t report_in_ns(const struct writer *writer)
{
	return has_missing(writer) && !writer->failed ? left_of(REPORT_NS, since_report_ns(writer))
						      : UINT64_MAX;
}

static uint64_t timer_in_ns(const struct writer *writer)
{
	return writer->failed ? UINT64_MAX : sink__timer_ns(writer->sink);
}

int writer__timeout_ms(const struct writer *writer)
{
	const uint64_t each_ns[] = {flush_in_ns(writer), report_in_ns(writer), timer_in_ns(writer)};
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
	if (report_in_ns(writer) == 0)
		put_missing(writer);
	if (timer_in_ns(writer) == 0)
		writer->sink->ops->on_timer(writer->sink);
	writer__take_back(writer);
}

/* ---- the end */

/* False: it could not be written. */
static bool put_stopped(struct writer *writer, struct stream_counts counts,
			const struct trace_totals *totals, uint64_t stopped_ns)
{
	static const struct line_mark nothing;
	struct trace_totals written = *totals;

	written.overdue -= writer->not_written.overdue + writer->refused.overdue;
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		counts.events[kind] -= writer->not_written.events[kind];
		counts.lost[kind][LOSS_NOT_WRITTEN] += writer->not_written.events[kind];
		counts.aborted[kind] -= writer->not_written.aborted[kind];
		counts.events[kind] -= writer->refused.events[kind];
		counts.lost[kind][LOSS_REFUSED] += writer->refused.events[kind];
		counts.aborted[kind] -= writer->refused.aborted[kind];
	}
	writer->own_lines.at = writer->own_lines.base;
	if (trace_events__put_stopped(&writer->own_lines, writer->format, &writer->clock, &counts,
				      &written, stopped_ns)) {
		error__set(&writer->err, -ENOMEM, "out of memory");
		return false;
	}
	return json__length(&writer->own_lines) == 0 || put_own_line(writer, &nothing) == 0;
}

/* False: lines did not arrive, or were refused. They are counted now. */
static bool settle(struct writer *writer)
{
	struct error err = {""};
	int code = writer->failed ? 0 : sink__settle(writer->sink, &err);

	if (code == -ECANCELED)
		on_failure(writer, code, &err);
	else if (code)
		writer->err = err;
	writer__take_back(writer);
	return code == 0;
}

void writer__end(struct writer *writer, const struct missing_lines *missing,
		 const struct stream_counts *counts, const struct trace_totals *totals,
		 uint64_t stopped_ns)
{
	writer__add_missing(writer, missing);
	writer__flush(writer);
	settle(writer);
	put_missing(writer);
	settle(writer); /* the totals contain what was refused until then */
	if (!put_stopped(writer, *counts, totals, stopped_ns) || !settle(writer))
		writer->failed = true;
}
