// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/fields.h"

#include <string.h>

#include "steptrace/stream/json_scan.h"

static bool is_kept(const struct fields *fields, const struct json_member *member)
{
	for (size_t i = 0; i < fields->count; i++)
		if (fields->kept[i].bytes == member->name_bytes &&
		    memcmp(fields->kept[i].name, member->name, member->name_bytes) == 0)
			return true;
	return false;
}

size_t fields__apply(const struct fields *fields, char *line, size_t bytes)
{
	struct json_scan scan;
	struct json_member member;
	char *at = line + 1;

	if (fields->count == 0 || !json_scan__begin(&scan, line, bytes))
		return bytes;
	while (json_scan__next(&scan, &member)) {
		const char *from = member.name - 1, *to = member.value + member.value_bytes;

		if (!is_kept(fields, &member))
			continue;
		if (at > line + 1)
			*at++ = ',';
		memmove(at, from, (size_t)(to - from));
		at += to - from;
	}
	memcpy(at, "}\n", 2);
	return (size_t)(at + 2 - line);
}
