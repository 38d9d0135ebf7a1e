/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The key `transforms` of list.map: filters for every result.
 *
 *	transforms: [trim, "truncate: 40"]		parsed when the pack is loaded
 *	transforms: ["truncate: {{ ctx.width }}"]	known when the step runs, and parsed then
 *
 * Functions return 0, or a negative errno with a sentence in run->err.
 */
#ifndef STEPTRACE_RUNNER_LIST_TRANSFORMS_H
#define STEPTRACE_RUNNER_LIST_TRANSFORMS_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "runner/run/step_run.h"

struct list_transform;

/* Zeroed: none. */
struct list_transforms {
	struct list_transform *items; /* owned */
	size_t count;
};

/* Reads the key of the step. Call list_transforms__free() in any case. */
int list_transforms__read(struct list_transforms *transforms, struct step_run *run);
void list_transforms__free(struct list_transforms *transforms);

/* Replaces *value, which the caller owns, by the result of the filters. A filter that cannot be
 * parsed fails here, so that it does not matter for an empty list. */
int list_transforms__apply(struct list_transforms *transforms, struct step_run *run, cJSON **value);

#endif
