// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/kafka_event.h"

#include <stdio.h>
#include <string.h>

/* The text of a member: what is between `before`, which has to be at `at`, and the closing quote.
 * NULL: it is not there. */
static const char *member_at(const char *at, const char *end, const char *before, size_t *bytes)
{
	const char *text = at + strlen(before), *quote = text;

	if ((size_t)(end - at) < strlen(before) || memcmp(at, before, strlen(before)) != 0)
		return NULL;
	while (quote < end && *quote != '"')
		quote += *quote == '\\' ? 2 : 1;
	if (quote >= end)
		return NULL;
	*bytes = (size_t)(quote - text);
	return text;
}

static bool take_key(struct kafka_event *event, const char *at, const char *end, const char *before)
{
	size_t bytes = 0;
	const char *text = member_at(at, end, before, &bytes);

	if (!text || !bytes)
		return false;
	event->key = text;
	event->key_bytes = bytes;
	return true;
}

/* The members stand at the beginning of a line, in this order (event_json_parts.h). */
void kafka_event__find(struct kafka_event *event, const char *line, size_t bytes, const char *host)
{
	const char *end = line + bytes, *behind = line;

	event->name_bytes = 0;
	event->name = member_at(line, end, "{\"event\":\"", &event->name_bytes);
	if (event->name)
		behind = event->name + event->name_bytes;
	if (take_key(event, behind, end, "\",\"correlation_id\":\"") ||
	    take_key(event, behind, end, "\",\"execution_id\":\""))
		return;
	event->key = host;
	event->key_bytes = strlen(host);
}

bool kafka_event__host(const char *line, size_t bytes, char *host, size_t room)
{
	static const char member[] = ",\"host\":\"";
	const char *at = memmem(line, bytes, member, sizeof(member) - 1), *text;
	size_t host_bytes;

	text = at ? member_at(at, line + bytes, member, &host_bytes) : NULL;
	if (text)
		snprintf(host, room, "%.*s", (int)host_bytes, text);
	return text != NULL;
}
