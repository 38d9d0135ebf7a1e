// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/fields.h"

#include <string.h>

#include "steptrace/stream/json_scan.h"

/* Names are cut to what follows the object in which the scan is: of "step.name", "name" in `step`.
 * The path of the object is the part before. */
struct place {
	const char *path; /* "step."; "" outside of all objects */
	size_t bytes;
};

enum { PATH_BYTES = 128 };

enum kept { NOT_KEPT, KEPT_IN_PART, KEPT_WHOLE };

/* KEPT_IN_PART: only fields of the member are named. */
static enum kept is_kept(const struct fields *fields, const struct place *place,
			 const struct json_member *member)
{
	size_t bytes = place->bytes + member->name_bytes;
	enum kept kept = NOT_KEPT;

	for (size_t i = 0; i < fields->count; i++) {
		const char *name = fields->kept[i].name;
		size_t name_bytes = fields->kept[i].bytes;

		if (name_bytes < bytes || memcmp(name, place->path, place->bytes) != 0 ||
		    memcmp(name + place->bytes, member->name, member->name_bytes) != 0)
			continue;
		if (name_bytes == bytes)
			return KEPT_WHOLE;
		if (name[bytes] == '.')
			kept = KEPT_IN_PART;
	}
	return kept;
}

static char *put(char *at, const char *from, const char *to)
{
	memmove(at, from, (size_t)(to - from));
	return at + (to - from);
}

static char *put_kept(const struct fields *fields, const struct place *place, char *at,
		      struct json_scan *scan);

/* Of an object the named fields, of another value (null) all of it; nothing where an object has
 * none of the fields. */
static char *put_part(const struct fields *fields, const struct place *place, char *at,
		      const struct json_member *member)
{
	char path[PATH_BYTES];
	struct place inside = {path, place->bytes + member->name_bytes + 1};
	struct json_scan scan;
	char *begin = at, *first;

	if (inside.bytes > sizeof(path))
		return at;
	memcpy(path, place->path, place->bytes);
	memcpy(path + place->bytes, member->name, member->name_bytes);
	path[inside.bytes - 1] = '.';
	if (!json_scan__begin(&scan, member->value, member->value_bytes))
		return put(at, member->name - 1, member->value + member->value_bytes);
	first = put(at, member->name - 1, scan.at); /* with the bracket */
	at = put_kept(fields, &inside, first, &scan);
	if (at == first)
		return begin;
	*at++ = '}';
	return at;
}

/* Writes the kept members of an object, which lie at or behind `at`. Returns their end. */
static char *put_kept(const struct fields *fields, const struct place *place, char *at,
		      struct json_scan *scan)
{
	struct json_member member;
	char *first = at;

	while (json_scan__next(scan, &member)) {
		enum kept kept = is_kept(fields, place, &member);
		char *begin = at, *value = at > first ? at + 1 : at;

		if (kept == KEPT_WHOLE)
			at = put(value, member.name - 1, member.value + member.value_bytes);
		else if (kept == KEPT_IN_PART)
			at = put_part(fields, place, value, &member);
		if (at == value)
			at = begin;
		else if (value > begin && at > value)
			*begin = ',';
	}
	return at;
}

size_t fields__apply(const struct fields *fields, char *line, size_t bytes)
{
	const struct place outside = {"", 0};
	struct json_scan scan;
	char *at;

	if (fields->count == 0 || !json_scan__begin(&scan, line, bytes))
		return bytes;
	at = put_kept(fields, &outside, line + 1, &scan);
	memcpy(at, "}\n", 2);
	return (size_t)(at + 2 - line);
}
