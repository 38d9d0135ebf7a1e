// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/json_scan.h"

#include <string.h>

static void skip_space(struct json_scan *scan)
{
	while (scan->at < scan->end && strchr(" \t\r\n", *scan->at) && *scan->at)
		scan->at++;
}

static bool take(struct json_scan *scan, char wanted)
{
	skip_space(scan);
	if (scan->at >= scan->end || *scan->at != wanted)
		return false;
	scan->at++;
	return true;
}

/* Moves behind the closing quote. The opening quote was taken already. */
static bool skip_string(struct json_scan *scan)
{
	for (; scan->at < scan->end; scan->at++) {
		if (*scan->at == '\\')
			scan->at++;
		else if (*scan->at == '"')
			break;
	}
	if (scan->at >= scan->end) {
		scan->at = scan->end;
		return false;
	}
	scan->at++;
	return true;
}

/* Moves to the comma or the bracket that follows the value. */
static bool skip_value(struct json_scan *scan)
{
	size_t depth = 0;

	for (; scan->at < scan->end; scan->at++) {
		switch (*scan->at) {
		case '"':
			scan->at++;
			if (!skip_string(scan))
				return false;
			scan->at--;
			break;
		case '{':
		case '[': depth++; break;
		case '}':
		case ']':
			if (depth == 0)
				return true;
			depth--;
			break;
		case ',':
			if (depth == 0)
				return true;
			break;
		default: break;
		}
	}
	return false;
}

bool json_scan__begin(struct json_scan *scan, const char *text, size_t bytes)
{
	*scan = (struct json_scan){text, text + bytes};
	return take(scan, '{');
}

bool json_scan__next(struct json_scan *scan, struct json_member *member)
{
	take(scan, ',');
	if (!take(scan, '"'))
		return false;
	member->name = scan->at;
	if (!skip_string(scan))
		return false;
	member->name_bytes = (size_t)(scan->at - 1 - member->name);
	if (!take(scan, ':'))
		return false;
	skip_space(scan);
	member->value = scan->at;
	if (!skip_value(scan))
		return false;
	member->value_bytes = (size_t)(scan->at - member->value);
	return true;
}

bool json_member__is(const struct json_member *member, const char *name)
{
	return strlen(name) == member->name_bytes &&
	       memcmp(member->name, name, member->name_bytes) == 0;
}
