/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scanner: one pass over a line without blanks between its tokens. It checks all of the line,
 * also what it passes over, and accepts nothing that is not JSON.
 */
#ifndef STEPTRACE_RECORDED_SCAN_H
#define STEPTRACE_RECORDED_SCAN_H

#include "steptrace/recording/recorded_names.h"

struct recorded_scan {
	char *room; /* where texts with escapes are decoded: as many bytes as the line has */
	bool is_odd;
	const char *at, *end; /* internal */
	unsigned int depth;   /* internal */
	struct recorded_event *event;
};

/* Sets all members of the event but `place`, `line`, `kind` and `outcome`. False: the line is no
 * JSON object, or it has blanks. */
bool recorded_scan__line(struct recorded_scan *scan, struct recorded_event *event, const char *line,
			 size_t bytes);

#endif
