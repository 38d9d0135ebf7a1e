/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a viewer calls an event:
 *
 *	note				a command
 *	set-title FragmentUpdateStep	a step
 *	tool shell.grep			a tool call
 *	loss dsl.step.executed		lost events
 */
#ifndef STEPTRACE_EVENT_NAME_H
#define STEPTRACE_EVENT_NAME_H

#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/json.h"

/* "command", "step", "tool" */
const char *event_name__kind(const struct recorded_event *event);

/* The most that the next function writes. */
size_t event_name__bytes(const struct recorded_event *event);

/* Appends the name as a JSON string; "?" if nothing is known. The caller has reserved the bytes. */
void event_name__put(struct json *json, const struct recorded_event *event);

#endif
