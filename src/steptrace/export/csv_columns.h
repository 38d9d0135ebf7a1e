/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables and their columns, and how a row is written. */
#ifndef STEPTRACE_CSV_COLUMNS_H
#define STEPTRACE_CSV_COLUMNS_H

#include "steptrace/export/event_values.h"

enum csv_table { CSV_COMMANDS, CSV_STEPS, CSV_TOOLS, CSV_TABLES_COUNT };

extern const char *const csv_table_names[CSV_TABLES_COUNT]; /* "commands" */

/* A part of a row is a table of values: its columns come from one event. */

/* What the event at the end of the span has. */
extern const struct event_values csv_end_columns[CSV_TABLES_COUNT];

/* What only command.execution.started has; they follow those of the end. */
extern const struct event_values csv_start_columns;

/* Each appends cells with a comma in front of all but the first. 0 or -ENOMEM. */
int csv_columns__names(const struct event_values *columns, struct json *json);
int csv_columns__cells(const struct event_values *columns, const struct recorded_event *event,
		       struct json *json);

#endif
