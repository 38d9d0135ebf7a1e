/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A summary as one JSON object. Times are integers in nanoseconds, so that every number can be
 * compared exactly; rows have a null where the events had no text.
 *
 *	{"report_version":1,
 *	 "coverage":{"lines":712,"skipped":{"torn":1,...},"traces":[{"host":"web-1",...}],...},
 *	 "selection":{"events":700,...},
 *	 "commands":[{"command":"triage","count":100,"success":98,...,"p50_ns":1250800,...}],
 *	 ...
 *	 "bottlenecks":{"commands_over_ns":5000000000,...},
 *	 "timeline":{"width_ns":60000000000,"slots":[{"start":"...","count":5,...}]},
 *	 "slowest":[{"execution_id":"...","steps":[{"step_type":"...","start_ns":0,...}]}]}
 */
#ifndef STEPTRACE_REPORT_SUMMARY_JSON_H
#define STEPTRACE_REPORT_SUMMARY_JSON_H

#include <stdio.h>

#include "steptrace/report/json_members.h"
#include "steptrace/report/summary.h"

/* 0 or -ENOMEM. Errors of `out` are the caller's to check. */
int summary_json__write(FILE *out, const struct summary *summary,
			const struct recording_counts *counts);

/* Single members of this object, "coverage" and "selection". 0 or -ENOMEM. */
int summary_json__put_coverage(struct json_members *out, const struct summary *summary,
			       const struct recording_counts *counts);
void summary_json__put_selection(struct json_members *out, const struct summary *summary);

#endif
