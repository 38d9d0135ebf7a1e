/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The labels of a recording as attributes of its resources.
 *
 *	{"env":"prod"}	->	{"key":"env","value":{"stringValue":"prod"}},
 */
#ifndef STEPTRACE_OTLP_LABELS_H
#define STEPTRACE_OTLP_LABELS_H

#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/json.h"

/* Each resource has them all. The 32 labels that `record` takes always fit. */
enum { OTLP_LABELS_BYTES_MAX = 64 << 10 };

/*
 * Writes `labels`, an object, to `json`, from its beginning on: elements of the array of
 * attributes. A label that does not fit into OTLP_LABELS_BYTES_MAX is left out, and so is one that
 * has the name of an attribute of a resource. 0 or -ENOMEM.
 */
int otlp_labels__write(struct json *json, struct recorded_text labels);

#endif
