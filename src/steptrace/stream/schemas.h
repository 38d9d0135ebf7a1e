/* SPDX-License-Identifier: BSD-2-Clause */
/* docs/schema as part of the program. The build makes the table with src/steptrace/stream/embed. */
#ifndef STEPTRACE_SCHEMAS_H
#define STEPTRACE_SCHEMAS_H

#include <stddef.h>

struct schema {
	const char *event;
	const char *text, *end; /* the file, from here to there */
};

extern const struct schema schemas[];
extern const size_t schemas_count;

#endif
