/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording as a table for spreadsheets: CSV after RFC 4180, with a header line, in UTF-8. One
 * row is one command, one step or one tool call; csv_cell.h says how texts are written. Numbers are
 * exact decimals with a point. An empty cell: not known, or it has none.
 *
 * A row is written where the span ends. Commands whose end was not seen come last; their outcome is
 * empty. Of commands, what is known at their start is held until their end (see held_executions.h).
 */
#ifndef STEPTRACE_EXPORT_CSV_H
#define STEPTRACE_EXPORT_CSV_H

#include "steptrace/export/csv_columns.h"
#include "steptrace/export/export_out.h"
#include "steptrace/recording/recorded_event.h"

struct csv_counts {
	uint64_t rows;
	uint64_t without_start; /* commands whose start was not seen */
	uint64_t without_end;   /* commands whose end was not seen */
	uint64_t lost;          /* events, as the recording says (trace.lost) */
};

struct csv;

/* Writes the header line, unless the table goes on. NULL: no memory. `out` is borrowed. */
struct csv *csv__new(struct export_out *out, enum csv_table table);
struct csv *csv__continue(struct export_out *out, enum csv_table table);

/* 0, or -ENOMEM or the error of the output: it makes no sense to go on. */
int csv__event(struct csv *csv, const struct recorded_event *event);

/* Writes the rows of what is still open. */
int csv__end(struct csv *csv, struct csv_counts *counts);

/* NULL does nothing. */
void csv__free(struct csv *csv);

#endif
