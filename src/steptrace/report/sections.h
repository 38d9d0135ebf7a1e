/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sections of a report that are tables: one table. The JSON and the text of a section come from
 * its row here.
 *
 * keys		the texts by which events are grouped
 * outcomes	whether the rows say how what they count ended
 * time		what the durations of a row are; NULL: it has none
 * has_share	whether the rows say their share of the sum of all durations
 * numbers	what the numbers of a row count
 * limit	of rows; 24 KiB is the most that the durations of a row take
 */
#ifndef STEPTRACE_REPORT_SECTIONS_H
#define STEPTRACE_REPORT_SECTIONS_H

#include "steptrace/report/rows.h"

enum section_id {
	SECTION_COMMANDS, /* completed executions */
	SECTION_STEPS,
	SECTION_ERRORS,  /* failed steps, and failed commands that name no failed step */
	SECTION_ABORTED, /* aborted executions by the step in which they died */
	SECTION_AI,      /* steps that asked a model */
	SECTION_CHANGES, /* steps that changed rows, and changed fragments */
	SECTION_TOOLS,
	SECTION_SCHEDULES, /* started executions of a schedule */
	SECTION_QUEUES,    /* started executions from a queue */
	SECTION_OVERDUE,   /* reports of commands and steps that were open for too long */
	SECTION_REJECTED,  /* requests that were refused */
	SECTIONS_COUNT,
};

enum { COMMANDS_STARTED, COMMANDS_INCOMPLETE, COMMANDS_DRY, COMMANDS_SLOW, COMMANDS_SLOW_NS };
enum { STEPS_SLOW, STEPS_SLOW_NS };
enum { AI_HITS, AI_MISSES, AI_OFF, AI_PROMPT_TOKENS, AI_COMPLETION_TOKENS };
enum { CHANGES_STEPS, CHANGES_ROWS, CHANGES_CREATED, CHANGES_UPDATED, CHANGES_DELETED };
enum { SCHEDULES_EARLY };
enum { QUEUES_RETRIES };
enum { OVERDUE_EXECUTIONS, OVERDUE_AT_LEAST };

struct section {
	const char *name;  /* in JSON */
	const char *title; /* in text */
	const char *keys[REPORT_KEY_TEXTS];
	bool has_outcomes;
	const char *time;
	bool has_share;
	const char *numbers[REPORT_NUMBERS];
	size_t limit;
};

extern const struct section sections[SECTIONS_COUNT];

#endif
