/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The labels of a recording (--label KEY=VALUE): what its user says about it. They are in
 * trace.started, and with --labels-everywhere at the end of every event.
 *
 *	--label env=prod --label team=notes	,"labels":{"env":"prod","team":"notes"}
 */
#ifndef STEPTRACE_LABELS_H
#define STEPTRACE_LABELS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "steptrace/stream/json.h"

enum { LABELS_MAX = 32, LABEL_KEY_BYTES = 64, LABEL_VALUE_BYTES = 256 };

/* A zeroed struct has no labels. */
struct labels {
	const char *texts[LABELS_MAX]; /* borrowed: "KEY=VALUE" */
	size_t count;
	bool is_everywhere;
};

/* Adds "KEY=VALUE". A key has letters, digits, and - _ . and /, and is used once; a value is UTF-8.
 * 0, or -EINVAL with a sentence. `text` is not copied. */
int labels__add(struct labels *labels, const char *text, struct error *err);

/* Appends the member ,"labels":{...} and reserves space for it; nothing if there are no labels. 0
 * or -ENOMEM. */
int labels__put(const struct labels *labels, struct json *json);

/* Inserts the member at the end of the last line of `json`, which is an object. Nothing unless the
 * labels are wanted everywhere. 0, or -ENOMEM: the line is unchanged. */
int labels__put_everywhere(const struct labels *labels, struct json *json);

#endif
