/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Why two recordings may not be comparable: what one of them lacks, or has been recorded in another
 * way. A doubt is a sentence and, where it counts something, a number for each recording.
 *
 *	lost	"lost events: 210 in OLD, 0 in NEW"
 */
#ifndef STEPTRACE_COMPARE_DOUBTS_H
#define STEPTRACE_COMPARE_DOUBTS_H

#include "steptrace/compare/comparison.h"

enum { DOUBTS_MAX = 20, DOUBT_BYTES = 1024 };

struct doubt {
	const char *name; /* in JSON */
	char text[DOUBT_BYTES];
	uint64_t counts[COMPARE_SIDES];
};

struct doubts {
	size_t count;
	struct doubt doubts[DOUBTS_MAX];
};

/* A recording that was read. */
struct compared_recording {
	const char *name; /* of its first file */
	const struct summary *summary;
	const struct recording_counts *counts;
};

/* The comparison says how much had no row. */
void doubts__find(struct doubts *doubts, const struct compared_recording sides[COMPARE_SIDES],
		  const struct comparison *comparison);

#endif
