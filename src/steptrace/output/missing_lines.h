/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts the lines that are missing at one place of an output, with the time span in which they
 * were lost (CLOCK_MONOTONIC, ns). Zeroed: none. */
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

/* Adds the lines behind the first `from` bytes, lost now. Returns how many events of runners they
 * are. */
uint64_t missing_lines__add_lines(struct missing_lines *missing, const struct lines *lines,
				  size_t from, uint64_t now_ns);

#endif
