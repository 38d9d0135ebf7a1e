// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/missing_lines.h"

void missing_lines__add(struct missing_lines *missing, const struct missing_lines *more)
{
	if (missing_lines__is_empty(more))
		return;
	if (missing_lines__is_empty(missing) || more->since_ns < missing->since_ns)
		missing->since_ns = more->since_ns;
	if (more->until_ns > missing->until_ns)
		missing->until_ns = more->until_ns;
	line_counts__add(&missing->lost, &more->lost);
}

uint64_t missing_lines__add_lines(struct missing_lines *missing, const struct lines *lines,
				  size_t from, uint64_t now_ns)
{
	struct missing_lines more = {.since_ns = now_ns, .until_ns = now_ns};

	line_counts__count(&more.lost, lines, from);
	if (more.lost.told_since_ns && more.lost.told_since_ns < now_ns)
		more.since_ns = more.lost.told_since_ns;
	missing_lines__add(missing, &more);
	return line_counts__total(&more.lost);
}
