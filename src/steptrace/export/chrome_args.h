/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name and the arguments of a slice, from an event:
 *
 *	"name":"set-title FragmentUpdateStep","args":{"kind":"step","outcome":"success",...
 *
 * The brace of the arguments is not closed: chrome_lines.h adds to them.
 */
#ifndef STEPTRACE_CHROME_ARGS_H
#define STEPTRACE_CHROME_ARGS_H

#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/json.h"

/* Appends name and arguments. Returns 0, or -ENOMEM: nothing is appended. *name_bytes is the length
 * of the name alone. */
int chrome_args__write(struct json *json, const struct recorded_event *event, size_t *name_bytes);

/* Appends what command.execution.started alone knows, as further arguments with a comma in front of
 * each. 0 or -ENOMEM. */
int chrome_args__start(struct json *json, const struct recorded_event *event);

#endif
