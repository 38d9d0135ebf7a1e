/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of docs/schema/ as part of the program. The build generates the table with
 * src/steptrace/stream/embed; it is sorted by the name of the event.
 */
#ifndef STEPTRACE_SCHEMAS_H
#define STEPTRACE_SCHEMAS_H

#include <stddef.h>

struct schema {
	const char *event;      /* "dsl.step.executed": the name of the file */
	const char *text, *end; /* the content of the file; no NUL at its end */
};

extern const struct schema schemas[];
extern const size_t schemas_count;

#endif
