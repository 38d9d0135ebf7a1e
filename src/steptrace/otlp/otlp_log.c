// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_log.h"

#include <errno.h>

#include "steptrace/stream/json_scan.h"

/* BYTES_PER_BYTE: how many bytes one byte of the line becomes at most. `1,` of an array becomes
 * {"intValue":"1"}, . */
enum { DEPTH_MAX = 8, BYTES_PER_BYTE = 24 };

static void put_any(struct json *json, const char *value, size_t bytes, unsigned int depth);

/* In the event, these are shown elsewhere. */
static bool is_shown_elsewhere(const struct json_member *member)
{
	return json_member__is(member, "event") || json_member__is(member, "timestamp");
}

static void put_members(struct json *json, const char *text, size_t bytes, unsigned int depth)
{
	struct json_scan scan;
	struct json_member member;

	if (!json_scan__begin(&scan, text, bytes))
		return;
	while (json_scan__next(&scan, &member)) {
		if (memcmp(member.value, "null", member.value_bytes < 4 ? member.value_bytes : 4) ==
		    0)
			continue;
		if (depth == 0 && is_shown_elsewhere(&member))
			continue;
		json__raw(json, "{\"key\":\"");
		if (depth == 0)
			json__raw(json, "steptrace.");
		json__bytes(json, member.name, member.name_bytes);
		json__raw(json, "\",\"value\":");
		put_any(json, member.value, member.value_bytes, depth + 1);
		json__raw(json, "},");
	}
}

static void put_elements(struct json *json, const char *text, size_t bytes, unsigned int depth)
{
	const char *at = text + 1, *end = text + bytes - 1;

	while (at < end) {
		const char *from = at;
		unsigned int nested = 0;
		bool is_in_text = false;

		for (; at < end && (is_in_text || nested || *at != ','); at++) {
			if (is_in_text && *at == '\\')
				at++;
			else if (*at == '"')
				is_in_text = !is_in_text;
			else if (!is_in_text && (*at == '[' || *at == '{'))
				nested++;
			else if (!is_in_text && (*at == ']' || *at == '}'))
				nested--;
		}
		put_any(json, from, (size_t)(at - from), depth);
		json__raw(json, ",");
		at++;
	}
}

/* Digits, which a double can have as well. */
static bool has_only(const char *value, size_t bytes, const char *others)
{
	for (size_t i = 0; i < bytes; i++)
		if (!(value[i] >= '0' && value[i] <= '9') && !strchr(others, value[i]))
			return false;
	return true;
}

/* Of up to 18 digits it always is. */
static bool is_int64(const char *value, size_t bytes)
{
	return bytes <= 18 || (bytes == 19 && memcmp(value, "9223372036854775807", 19) <= 0);
}

/* A number that may not fit into the type of OTLP is a text: one such value would make a receiver
 * refuse the whole request. */
static void put_number(struct json *json, const char *value, size_t bytes)
{
	if (has_only(value, bytes, "-") && is_int64(value, bytes)) {
		json__raw(json, "{\"intValue\":\"");
		json__bytes(json, value, bytes);
		json__raw(json, "\"}");
	} else if (has_only(value, bytes, "-.") && memchr(value, '.', bytes) && bytes <= 40) {
		json__raw(json, "{\"doubleValue\":");
		json__bytes(json, value, bytes);
		json__raw(json, "}");
	} else {
		json__raw(json, "{\"stringValue\":\"");
		json__bytes(json, value, bytes);
		json__raw(json, "\"}");
	}
}

static void put_nested(struct json *json, const char *value, size_t bytes, unsigned int depth)
{
	bool is_array = value[0] == '[';

	if (is_array)
		json__raw(json, "{\"arrayValue\":{\"values\":[");
	else
		json__raw(json, "{\"kvlistValue\":{\"values\":[");
	if (depth < DEPTH_MAX && is_array)
		put_elements(json, value, bytes, depth + 1);
	else if (depth < DEPTH_MAX)
		put_members(json, value, bytes, depth);
	otlp__end_array(json);
	json__raw(json, "}}");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The JSON text of a value as an AnyValue. Lines of other programs may have blanks around it. */
static void put_any(struct json *json, const char *value, size_t bytes, unsigned int depth)
{
	for (; bytes && is_blank(*value); bytes--)
		value++;
	while (bytes && is_blank(value[bytes - 1]))
		bytes--;
	if (bytes == 0) {
		json__raw(json, "{}");
	} else if (value[0] == '{' || value[0] == '[') {
		put_nested(json, value, bytes, depth);
	} else if (value[0] == '"') {
		json__raw(json, "{\"stringValue\":");
		json__bytes(json, value, bytes);
		json__raw(json, "}");
	} else if (value[0] == 't' || value[0] == 'f') {
		json__raw(json, "{\"boolValue\":");
		json__bytes(json, value, bytes);
		json__raw(json, "}");
	} else if (value[0] == 'n') {
		json__raw(json, "{}");
	} else {
		put_number(json, value, bytes);
	}
}

static bool is_warning(const struct recorded_event *event)
{
	return event->kind == RECORDED_TRACE_LOST || event->kind == RECORDED_TRACE_DEGRADED ||
	       event->kind == RECORDED_COMMAND_OVERDUE ||
	       (event->kind == RECORDED_TRACE_STOPPED && event->lost > 0);
}

static void put_ids(struct json *json, const struct otlp_trace *trace, uint64_t span)
{
	if (!trace)
		return;
	json__raw(json, ",\"traceId\":");
	otlp__trace_id(json, trace);
	if (!span)
		return;
	json__raw(json, ",\"spanId\":");
	otlp__span_id(json, span);
}

int otlp_log__put(struct json *json, const struct recorded_event *event,
		  const struct otlp_trace *trace, uint64_t span)
{
	if (json__reserve(json, 4096 + BYTES_PER_BYTE * event->line.bytes))
		return -ENOMEM;
	json__raw(json, "{\"timeUnixNano\":");
	otlp__u64(json, event->timestamp_ns);
	json__raw(json, ",\"observedTimeUnixNano\":");
	otlp__u64(json, event->timestamp_ns);
	if (is_warning(event))
		json__raw(json, ",\"severityNumber\":13,\"severityText\":\"WARN\"");
	else
		json__raw(json, ",\"severityNumber\":9,\"severityText\":\"INFO\"");
	put_ids(json, trace, span);
	json__raw(json, ",\"body\":{\"stringValue\":");
	json__text(json, event->event_name.text, event->event_name.bytes);
	json__raw(json, "},\"attributes\":[{\"key\":\"event.name\",\"value\":{\"stringValue\":");
	json__text(json, event->event_name.text, event->event_name.bytes);
	json__raw(json, "}},");
	put_members(json, event->line.text, event->line.bytes, 0);
	otlp__end_array(json);
	json__raw(json, "},");
	return 0;
}
