/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A comparison as one JSON object.
 *
 *	{"compare_version":1,
 *	 "old":{"coverage":{...},"selection":{...}},	as in summary_json.h
 *	 "new":{...},
 *	 "doubts":[{"name":"lost","old":210,"new":0,"text":"lost events: 210 in OLD, 0 in NEW"}],
 *	 "tests":{"count":22,"level":0.05,"executions_min":20,"durations":"...",...},
 *	 "commands":[{"command":"triage","old":{"count":100,...},"new":{...},
 *		      "durations":{"verdict":"slower","slower_probability":0.58,"p":1e-9,...},
 *		      "failures":{"verdict":"none","p":0.2,...}}],
 *	 "steps":[{"command":"triage","step_type":"AiGenerateStep",...}]}
 */
#ifndef STEPTRACE_COMPARE_COMPARISON_JSON_H
#define STEPTRACE_COMPARE_COMPARISON_JSON_H

#include <stdio.h>

#include "steptrace/compare/doubts.h"

/* 0 or -ENOMEM. Errors of `out` are the caller's to check. */
int comparison_json__write(FILE *out, const struct comparison *comparison,
			   const struct doubts *doubts,
			   const struct compared_recording sides[COMPARE_SIDES]);

#endif
