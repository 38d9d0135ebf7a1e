/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that are missing at one place of an output, and between when. Zeroed: none are. */
#ifndef STEPTRACE_MISSING_LINES_H
#define STEPTRACE_MISSING_LINES_H

#include "steptrace/stream/lines.h"

struct missing_lines {
	struct line_counts lost;
	uint64_t since_ns, until_ns;
};

static inline bool missing_lines__is_empty(const struct missing_lines *missing)
{
	return line_counts__is_empty(&missing->lost);
}

void missing_lines__add(struct missing_lines *missing, const struct missing_lines *more);

/* Those behind the first `from` bytes; returns how many runners' events they are. */
uint64_t missing_lines__add_lines(struct missing_lines *missing, const struct lines *lines,
				  size_t from, uint64_t now_ns);

#endif
