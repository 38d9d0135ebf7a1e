/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What --metrics says about commands and steps: their durations as histograms, and how they ended
 * as counters.
 *
 *	steptrace_command_duration_seconds{command}
 *	steptrace_step_duration_seconds{command,step_type}
 *	steptrace_commands_ended_total{command,outcome,error_category}
 *	steptrace_steps_ended_total{command,step_type,outcome}
 *
 * The bounds of the buckets are exact, and fixed for the whole recording: Prometheus adds up the
 * buckets of several recordings. The number of label sets of each metric is limited. What belongs
 * to a further label set is counted under the labels "other".
 *
 * A bucket of a histogram remembers the last execution that it counted. OpenMetrics shows this as
 * an exemplar.
 */
#ifndef STEPTRACE_DURATION_METRICS_H
#define STEPTRACE_DURATION_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/prometheus_text.h"
#include "steptrace/stream/event.h"

enum { DURATION_BOUNDS_MAX = 40, DURATION_LABEL_SETS_MAX = 500 };

/* Upper bounds of buckets, in ascending order; a duration that is equal to a bound is within. */
struct duration_bounds {
	uint64_t ns[DURATION_BOUNDS_MAX];
	size_t count; /* 0: the default: 100 us to 5 min */
};

/* "1ms,10ms,100ms". 0, or -EINVAL with a sentence. */
int duration_bounds__parse(const char *text, struct duration_bounds *bounds, struct error *err);

struct duration_metrics;

/* `realtime_ahead_ns` is what CLOCK_REALTIME is ahead of the times of events. NULL: no memory. */
struct duration_metrics *duration_metrics__new(const struct duration_bounds *bounds,
					       uint64_t realtime_ahead_ns);
void duration_metrics__free(struct duration_metrics *metrics);

/* `context` is a struct duration_metrics. Without memory the event is not counted. */
void duration_metrics__on_event(void *context, const struct event *event);

void duration_metrics__put(const struct duration_metrics *metrics,
			   const struct prometheus_text *out);

#endif
