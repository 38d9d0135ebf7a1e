/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Collects durations from events, and reports them as lines: at the end, or every interval.
 *
 * It reads no clock: the caller says what time it is.
 */
#ifndef STEPTRACE_LATENCY_H
#define STEPTRACE_LATENCY_H

#include "steptrace/latency/open_set.h"
#include "steptrace/latency/report.h"
#include "steptrace/latency/row_keys.h"
#include "steptrace/latency/table.h"
#include "steptrace/stream/stream.h"

struct latency_options {
	struct row_keys keys;
	struct row_key_source source;
	size_t rows_limit;
	uint64_t interval_ns;     /* 0: one report, at the end */
	uint64_t min_duration_ns; /* of events; what is open is selected by it as well */
	bool is_json;
	bool has_histograms;
	bool has_breakdown; /* events have a breakdown */
	bool shows_open;    /* open_begin() and the like are called */
	bool counts_open;   /* what is open is in the durations, with its age */
};

struct latency {
	const struct latency_options *options; /* borrowed */
	struct latency_table *table;
	struct open_set *open; /* what is open */
	uint32_t *blind;       /* owned: runners of which only events know */
	size_t blind_count, blind_room;
	bool is_open_known;                     /* it was read since the last table */
	bool is_open_complete;                  /* nothing was left out */
	uint64_t from_ns;                       /* when this interval began; 0: not yet */
	uint64_t steps_not_seen;                /* of commands that ended in this interval */
	uint64_t reports_count, reports_failed; /* failed: there was no memory */
};

/* 0 or -ENOMEM. Call latency__close() in any case. */
int latency__open(struct latency *latency, const struct latency_options *options);
void latency__close(struct latency *latency);

/* The context of all is a struct latency (see struct event_reader in record/session.h, and struct
 * open_items_reader in record/open_looks.h). */
void latency__on_event(void *context, const struct event *event);
void latency__on_time(void *context, struct stream *stream, uint64_t now_ns, bool is_end);
/* Before the probes are detached. */
void latency__on_stop(void *context, struct stream *stream, uint64_t now_ns);
bool latency__is_due(void *context, uint64_t now_ns);
void latency__open_asked(void *context);
void latency__open_begin(void *context);
void latency__open_add(void *context, const struct open_item *item);
void latency__open_add_blind(void *context, uint32_t pid);
void latency__open_end(void *context, bool is_complete);

#endif
