/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of docs/schema/ as part of the program. The build generates the tables with
 * src/steptrace/stream/embed; they are sorted by the name of the event.
 */
#ifndef STEPTRACE_SCHEMAS_H
#define STEPTRACE_SCHEMAS_H

#include <stddef.h>

struct schema {
	const char *event;      /* "dsl.step.executed": the name of the file */
	const char *text, *end; /* the content of the file; no NUL at its end */
};

extern const struct schema schemas[];
/* The same events as --safe-integers writes them, in the same order. */
extern const struct schema safe_schemas[];
extern const size_t schemas_count;

#endif
