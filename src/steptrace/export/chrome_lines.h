/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of a Chrome trace (the "Trace Event Format", which Perfetto, the Firefox profiler and
 * others open). One JSON object, with one event per line:
 *
 *	{"traceEvents":[
 *	{"ph":"M","pid":1,"name":"process_name","args":{"name":"vm/4711 steprun"}},
 *	{"ph":"b","cat":"execution","id":"9f0c...","pid":1,"tid":4711,"ts":86400.123,"name":...
 *	{"ph":"e","cat":"execution","id":"9f0c...","pid":1,"tid":4711,"ts":86400.456,"name":...
 *	...
 *	{}],"displayTimeUnit":"ms","otherData":{"time_base":"2026-11-29T00:00:00.000000000Z",...}}
 *
 * Times are microseconds with three decimals: exact. They count from the midnight (UTC) before the
 * day of the first event. Counted from 1970, they would not fit into a double without rounding.
 */
#ifndef STEPTRACE_CHROME_LINES_H
#define STEPTRACE_CHROME_LINES_H

#include "steptrace/export/export_out.h"
#include "steptrace/export/spans.h"
#include "steptrace/recording/recorded_event.h"

struct chrome_lines {
	struct export_out *out;
	uint64_t base_ns; /* 0: no event so far */
};

/* Where something is drawn. */
struct chrome_place {
	uint64_t process, tid;
};

/* The id of asynchronous slices: "9f0c...", "9f0c.../2", "loss/4". */
struct chrome_id {
	const char *text;
	size_t bytes;
	unsigned int part; /* 0: the first */
	int lane;          /* 0: the first */
};

void chrome_lines__begin(struct chrome_lines *lines);

/* The first time that is written chooses the base. */
void chrome_lines__base(struct chrome_lines *lines, uint64_t ns);

/* kind: process_name or thread_name; `name` is a JSON text, with quotes. */
void chrome_lines__name(struct chrome_lines *lines, const char *kind,
			const struct chrome_place *place, const char *name, size_t bytes);

/* phase: b, e or n. The body of the span is its name and arguments, as chrome_args.h writes it. */
void chrome_lines__span(struct chrome_lines *lines, char phase, const char *category,
			const struct chrome_id *id, const struct chrome_place *place,
			const struct span *span);

/* An instant of a thread. */
void chrome_lines__instant(struct chrome_lines *lines, const struct chrome_place *place,
			   uint64_t ns, const char *body, size_t bytes);

/* A flow, and below it a slice of a nanosecond that it is bound to: viewers draw flows between
 * slices of threads only. phase: s (where it begins) or f. `name` is a JSON text. */
void chrome_lines__flow(struct chrome_lines *lines, char phase, const char *category,
			uint64_t number, const struct chrome_place *place, uint64_t ns,
			struct recorded_text slug);

void chrome_lines__counter(struct chrome_lines *lines, const struct chrome_place *place,
			   uint64_t ns, uint64_t value);

/* A named number of otherData, and the end of the document. */
struct chrome_count {
	const char *name;
	uint64_t value;
};
void chrome_lines__end(struct chrome_lines *lines, const struct chrome_count *counts, size_t count);

#endif
