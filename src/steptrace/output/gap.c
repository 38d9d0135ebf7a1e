// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/gap.h"

void gap__add(struct gap *gap, const struct gap *more)
{
	if (gap__is_empty(more))
		return;
	if (gap__is_empty(gap) || more->since_ns < gap->since_ns)
		gap->since_ns = more->since_ns;
	if (more->until_ns > gap->until_ns)
		gap->until_ns = more->until_ns;
	line_counts__add(&gap->lost, &more->lost);
}

uint64_t gap__add_lines(struct gap *gap, const struct lines *lines, size_t from, uint64_t now_ns)
{
	struct gap more = {.since_ns = now_ns, .until_ns = now_ns};

	line_counts__count(&more.lost, lines, from);
	if (more.lost.told_since_ns && more.lost.told_since_ns < now_ns)
		more.since_ns = more.lost.told_since_ns;
	gap__add(gap, &more);
	return line_counts__total(&more.lost);
}
