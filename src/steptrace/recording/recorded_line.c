// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recorded_line.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

#include "steptrace/recording/recorded_scan.h"

static int make_room(struct recorded_line *reader, size_t bytes)
{
	char *room;

	if (bytes <= reader->room_bytes)
		return 0;
	room = realloc(reader->room, bytes);
	if (!room)
		return -ENOMEM;
	reader->room = room;
	reader->room_bytes = bytes;
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_json(const char *line, size_t bytes)
{
	const char *end = NULL;
	cJSON *json = cJSON_ParseWithLengthOpts(line, bytes, &end, 0);
	bool is_object = cJSON_IsObject(json);

	cJSON_Delete(json);
	while (is_object && end < line + bytes && is_blank(*end))
		end++;
	return is_object && end == line + bytes;
}

/* Copies JSON text without the blanks between its tokens. Returns the bytes of the copy. */
static size_t without_blanks(char *to, const char *line, size_t bytes)
{
	const char *const start = to;
	bool is_in_text = false;

	for (size_t i = 0; i < bytes; i++) {
		if (!is_in_text && is_blank(line[i]))
			continue;
		*to++ = line[i];
		if (is_in_text && line[i] == '\\' && i + 1 < bytes)
			*to++ = line[++i];
		else if (line[i] == '"')
			is_in_text = !is_in_text;
	}
	return (size_t)(to - start);
}

/* The copy and the decoded texts lie one behind the other. */
static int read_slowly(struct recorded_line *reader, struct recorded_event *event, const char *line,
		       size_t bytes)
{
	struct recorded_scan scan;
	size_t copied;

	reader->is_slow = true;
	if (make_room(reader, 2 * bytes + 1))
		return -ENOMEM;
	if (!is_json(line, bytes))
		return -EBADMSG;
	copied = without_blanks(reader->room, line, bytes);
	scan = (struct recorded_scan){.room = reader->room + bytes};
	if (!recorded_scan__line(&scan, event, reader->room, copied))
		return -EBADMSG;
	reader->is_odd = scan.is_odd;
	return 0;
}

static int read_line(struct recorded_line *reader, struct recorded_event *event, const char *line,
		     size_t bytes)
{
	struct recorded_scan scan;

	reader->is_slow = false;
	if (make_room(reader, bytes + 1))
		return -ENOMEM;
	scan = (struct recorded_scan){.room = reader->room};
	if (!recorded_scan__line(&scan, event, line, bytes))
		return read_slowly(reader, event, line, bytes);
	reader->is_odd = scan.is_odd;
	return 0;
}

int recorded_line__read(struct recorded_line *reader, struct recorded_event *event,
			const char *line, size_t bytes)
{
	int code = read_line(reader, event, line, bytes);

	if (code)
		return code;
	if (!event->event_name.text)
		return -ENOENT;
	event->line = (struct recorded_text){line, bytes};
	event->kind = recorded_names__kind(event->event_name);
	event->outcome = recorded_names__outcome(event->outcome_name);
	return 0;
}

void recorded_line__free(struct recorded_line *reader)
{
	free(reader->room);
	*reader = (struct recorded_line){0};
}
