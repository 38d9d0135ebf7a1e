/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that are missing at one place of an output, and between when. Zeroed: none are. */
#ifndef STEPTRACE_GAP_H
#define STEPTRACE_GAP_H

#include "steptrace/stream/lines.h"

struct gap {
	struct line_counts lost;
	uint64_t since_ns, until_ns;
};

static inline bool gap__is_empty(const struct gap *gap)
{
	return line_counts__is_empty(&gap->lost);
}

void gap__add(struct gap *gap, const struct gap *more);

/* Those behind the first `from` bytes; returns how many runners' events they are. */
uint64_t gap__add_lines(struct gap *gap, const struct lines *lines, size_t from, uint64_t now_ns);

#endif
