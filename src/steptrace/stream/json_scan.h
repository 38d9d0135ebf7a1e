/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The members of a JSON object, one after the other, without building anything. For texts of our own
 * (lines that were just written, schemas that are part of the program): what is no JSON ends the scan, within
 * bounds.
 */
#ifndef STEPTRACE_JSON_SCAN_H
#define STEPTRACE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct json_scan {
	const char *at, *end;
};

struct json_member {
	const char *name; /* between the quotes */
	size_t name_bytes;
	const char *value; /* as it stands */
	size_t value_bytes;
};

/* False: the text does not begin with an object. */
bool json_scan__begin(struct json_scan *scan, const char *text, size_t bytes);
bool json_scan__next(struct json_scan *scan, struct json_member *member);

bool json_member__is(const struct json_member *member, const char *name);

#endif
