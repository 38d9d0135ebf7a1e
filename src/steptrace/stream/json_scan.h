/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks over the members of a JSON object, in place and without memory of its own.
 *
 * It is for text that the program wrote itself: lines of the stream and the schemas inside the
 * program. It does not check that the text is valid JSON. On invalid text the walk ends early; it
 * never reads beyond the end.
 */
#ifndef STEPTRACE_JSON_SCAN_H
#define STEPTRACE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct json_scan {
	const char *at, *end;
};

struct json_member {
	const char *name; /* without the quotes; escapes are not decoded */
	size_t name_bytes;
	const char *value; /* the JSON text of the value */
	size_t value_bytes;
};

/* False: the text does not begin with an object. */
bool json_scan__begin(struct json_scan *scan, const char *text, size_t bytes);
/* Fills in the next member. False: there is none. */
bool json_scan__next(struct json_scan *scan, struct json_member *member);

bool json_member__is(const struct json_member *member, const char *name);

#endif
