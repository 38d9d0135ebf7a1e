/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON document that is written to a file in pieces, with the functions of json.h. Each '<'
 * becomes \u003c, which is the same in JSON: the document can stand inside of an HTML element.
 *
 *	struct json *json = json_out__room(out, 200);
 *
 *	if (json)
 *		json__raw(json, "{\"profiles\":[");
 */
#ifndef STEPTRACE_FLAME_JSON_OUT_H
#define STEPTRACE_FLAME_JSON_OUT_H

#include <stdio.h>

#include "steptrace/stream/json.h"

struct json_out {
	FILE *file; /* borrowed; its errors are left to the caller */
	struct json json;
	bool has_failed; /* no memory: nothing more is written */
};

void json_out__init(struct json_out *out, FILE *file);

/* The buffer, with room for `bytes` more. NULL: no memory. */
struct json *json_out__room(struct json_out *out, size_t bytes);

/* `before` is a literal that needs no escapes. */
void json_out__word(struct json_out *out, const char *word);
void json_out__number(struct json_out *out, const char *before, uint64_t number);
void json_out__text(struct json_out *out, const char *before, const char *text);

/* Writes the rest to the file, and frees the buffer. 0 or -ENOMEM. */
int json_out__end(struct json_out *out);

#endif
