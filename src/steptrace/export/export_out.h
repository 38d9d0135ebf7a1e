/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where an export goes: a buffer in front of a file. Its text is written with the functions of
 * json.h.
 *
 *	struct json *json = export_out__room(out, 200);
 *
 *	if (json)
 *		json__raw(json, "{\"traceEvents\":[");
 *
 * The first error is kept: from then on export_out__room() returns NULL.
 */
#ifndef STEPTRACE_EXPORT_OUT_H
#define STEPTRACE_EXPORT_OUT_H

#include <stdio.h>

#include "steptrace/stream/json.h"

struct export_out {
	FILE *file; /* borrowed */
	struct json json;
	int err; /* negative errno; 0: none */
};

void export_out__init(struct export_out *out, FILE *file);

/* Frees the buffer. What has not been flushed is lost. */
void export_out__free(struct export_out *out);

/* The buffer, with room for `bytes` more. NULL after an error. */
struct json *export_out__room(struct export_out *out, size_t bytes);

/* Writes all text to the file. Returns the first error, or 0. */
int export_out__flush(struct export_out *out);

#endif
