/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as rows for ClickHouse (JSONEachRow): one row for each event, a line each.
 *
 *	{"host":"vm","event":"dsl.step.executed","timestamp":"2026-11-24 09:28:38.620678778",...}
 *
 * The columns are those of clickhouse_columns.h. A column that an event does not have is left out;
 * ClickHouse then takes its default. No name of a column comes from the recording. Integers are
 * exact: durations are in nanoseconds.
 *
 * Rows of executions and rows of trace.* are in one stream, so that nobody loads the events without
 * what was lost; docs/scale.md splits it by the column `event`. Memory is bounded: one row.
 */
#ifndef STEPTRACE_EXPORT_CLICKHOUSE_H
#define STEPTRACE_EXPORT_CLICKHOUSE_H

#include "steptrace/export/export_out.h"
#include "steptrace/recording/recorded_event.h"

struct clickhouse_counts {
	uint64_t rows;
	uint64_t without_time; /* events without a timestamp that a DateTime64 holds: left out */
	uint64_t without_host; /* rows whose host is not known */
	uint64_t lost;         /* events, as the recording says (trace.lost) */
};

struct clickhouse;

/* NULL: no memory. `out` is borrowed. */
struct clickhouse *clickhouse__new(struct export_out *out);

/* 0, or -ENOMEM or the error of the output: it makes no sense to go on. */
int clickhouse__event(struct clickhouse *clickhouse, const struct recorded_event *event);

int clickhouse__end(struct clickhouse *clickhouse, struct clickhouse_counts *counts);

/* NULL does nothing. */
void clickhouse__free(struct clickhouse *clickhouse);

#endif
