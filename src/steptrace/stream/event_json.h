/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events as lines of JSON (the schema is in docs/schema/).
 *
 *	{"event":"dsl.step.executed","correlation_id":"…","execution_id":"…","step_id":"…",
 *	 "step_type":"DatabaseUpdateStep","command_slug":"fragment.update","fragment_id":123,
 *	 "duration_ms":45.2,"mutations_count":3,"dry_run":false,"outcome":"success",
 *	 "user_id":"local-default","timestamp":"…","monotonic_ns":…,"source":{…},"step":{…}}
 */
#ifndef STEPTRACE_EVENT_JSON_H
#define STEPTRACE_EVENT_JSON_H

#include <stdbool.h>

#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/executions.h"
#include "steptrace/stream/json.h"

/* The longest line of a runner's event, newline included: every text field full of characters
 * that need six bytes. (command.validation.failed: 432 bytes of text, 2.6 kB.) */
enum { EVENT_JSON_BYTES = 6144 };

/* Writes what all events of an execution repeat into execution->json; 0 or -ENOMEM. */
int event_json__describe(struct execution *execution);

/* Appends one line. The caller has reserved EVENT_JSON_BYTES. */
void event_json__write(struct json *json, const struct event *event, struct clock_anchor *clock,
		       bool seed_fields_only);

#endif
