/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes events as lines of JSON; docs/schema/ has a schema for each.
 *
 *	{"event":"dsl.step.executed","correlation_id":"…","execution_id":"…","step_id":"…",
 *	 "step_type":"DatabaseUpdateStep","command_slug":"fragment.update","fragment_id":123,
 *	 "duration_ms":45.2,"mutations_count":3,"dry_run":false,"outcome":"success",
 *	 "user_id":"local-default","timestamp":"…","monotonic_ns":…,"source":{…},"step":{…}}
 *
 * event_json_command.c and event_json_step.c have a function for the fields of each event,
 * event_json_cpu.c one for what several of them share.
 */
#ifndef STEPTRACE_EVENT_JSON_H
#define STEPTRACE_EVENT_JSON_H

#include <stdbool.h>

#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/executions.h"
#include "steptrace/stream/json.h"

/* The longest line with its newline. A character takes up to six bytes ("\u001f"); the event with
 * most text is command.validation.failed: 432 characters, 2.6 kB. */
enum { EVENT_JSON_BYTES = 6144 };

/* Writes the fields that all events of an execution repeat into execution->json. 0 or -ENOMEM. */
int event_json__describe(struct execution *execution);
/* Writes the fields that all events of a process repeat into member->json. `safe_integers` as in
 * struct json. */
void event_json__describe_process(struct member *member, const struct steptrace_process *process,
				  bool safe_integers);

/* Appends one line. The caller has reserved EVENT_JSON_BYTES. `seed_fields_only` leaves out what
 * the event schema of the seed system does not have (--fields seed). */
void event_json__write(struct json *json, const struct event *event, struct clock_anchor *clock,
		       bool seed_fields_only);

#endif
