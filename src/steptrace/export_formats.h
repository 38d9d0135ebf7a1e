/* SPDX-License-Identifier: BSD-2-Clause */
/* The formats of `steptrace export`: one row for each, from which options, help and conversion
 * take it. The room export/ writes them. */
#ifndef STEPTRACE_EXPORT_FORMATS_H
#define STEPTRACE_EXPORT_FORMATS_H

#include "steptrace/export/csv.h"
#include "steptrace/export/export_out.h"
#include "steptrace/recording/recorded_event.h"

struct export_format {
	const char *name;
	/* NULL: no memory. `out` is borrowed. The table is that of a format that has tables. */
	void *(*open)(struct export_out *out, enum csv_table table);
	/* 0 or negative errno: it makes no sense to go on. */
	int (*event)(void *export, const struct recorded_event *event);
	/* Ends the document, and says what was left out. `status` is the exit status. */
	int (*end)(void *export, enum csv_table table, int *status);
	void (*free)(void *export);
	bool has_tables;
	/* The same for an export that goes on after an interruption. NULL: it cannot. What is
	 * written for an event must need only the events of its execution, and the host. */
	void *(*reopen)(struct export_out *out, enum csv_table table);
};

/* NULL: there is no such format. */
const struct export_format *export_format__named(const char *name);

/* "chrome, speedscope, csv or clickhouse", and what export_send.h does */
extern const char export_format_names[];

#endif
