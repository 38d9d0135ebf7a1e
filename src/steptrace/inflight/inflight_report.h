/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is open, as a table for people or as JSON lines for programs.
 *
 *	  AGE    COMMAND  STEP            IN STEP   PID  THREAD  STATE     WAITS IN
 *	4m 02s   triage   AiGenerateStep  4m 01s   4711    4711  sleeping  recvfrom
 *	> 12.0 s import   DbUpdateStep    > 12.0 s 4720    4723  sleeping  futex
 *
 * ">" is in front of an age that is a lower bound. On a terminal that is too narrow, columns are
 * left out, the last ones first. A file or pipe gets all columns.
 */
#ifndef STEPTRACE_INFLIGHT_REPORT_H
#define STEPTRACE_INFLIGHT_REPORT_H

#include "steptrace/inflight/found.h"
#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/json.h"
#include "steptrace/stream/text_line.h"

/* Both append, and return 0 or -ENOMEM. */
int inflight__text(struct json *out, const struct inflight *inflight,
		   const struct inflight_options *options, const struct text_style *style);

/* docs/schema/inflight.row.json, then one docs/schema/inflight.summary.json */
int inflight__json(struct json *out, const struct inflight *inflight,
		   const struct inflight_options *options, struct clock_anchor *clock);

#endif
