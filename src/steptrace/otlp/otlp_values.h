/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values of OTLP in JSON: ids as hexadecimal digits, 64-bit numbers as strings, and attributes:
 *
 *	{"key":"steptrace.step.index","value":{"intValue":"3"}},
 *
 * Each element of an array is written with a comma behind it; otlp__end_array() removes the last
 * one. The functions check no space, as those of stream/json.h.
 */
#ifndef STEPTRACE_OTLP_VALUES_H
#define STEPTRACE_OTLP_VALUES_H

#include "steptrace/otlp/otlp_ids.h"
#include "steptrace/stream/json.h"

/* 16 hexadecimal digits in quotes. */
void otlp__span_id(struct json *json, uint64_t id);
void otlp__trace_id(struct json *json, const struct otlp_trace *trace);

/* In quotes. */
static inline void otlp__u64(struct json *json, uint64_t value)
{
	*json->at++ = '"';
	json__u64(json, value);
	*json->at++ = '"';
}

static inline void otlp__i64(struct json *json, int64_t value)
{
	*json->at++ = '"';
	json__i64(json, value);
	*json->at++ = '"';
}

/* Attributes; the key is a literal. */
#define otlp__put_text(json, name, value)                                                          \
	(json__raw(json, "{\"key\":\"" name "\",\"value\":{\"stringValue\":"),                     \
	 json__text(json, (value).text, (value).bytes), json__raw(json, "}},"))
#define otlp__put_word(json, name, word)                                                           \
	(json__raw(json, "{\"key\":\"" name "\",\"value\":{\"stringValue\":\""),                   \
	 json__word(json, word), json__raw(json, "\"}},"))
#define otlp__put_u64(json, name, value)                                                           \
	(json__raw(json, "{\"key\":\"" name "\",\"value\":{\"intValue\":"),                        \
	 otlp__u64(json, value), json__raw(json, "}},"))

/* Closes an array: replaces the comma behind the last element. */
static inline void otlp__end_array(struct json *json)
{
	if (json->at[-1] == ',')
		json->at--;
	*json->at++ = ']';
}

/* ---- tables of attributes */

/* How a member of struct recorded_event is written. */
enum otlp_type {
	OTLP_TEXT,
	OTLP_U64,
	OTLP_I64,
	OTLP_BOOL,
	OTLP_MS,   /* nanoseconds, as a double of milliseconds */
	OTLP_TIME, /* as a text: RFC 3339 */
};

struct otlp_attribute {
	const char *begin; /* {"key":"steptrace.step.index","value":{"intValue": */
	uint16_t begin_bytes, offset;
	uint8_t bit, type;
};

#define OTLP_ROW(key, value, member, kind)                                                         \
	{                                                                                          \
		"{\"key\":\"" key "\",\"value\":{\"" value "\":",                                  \
			sizeof("{\"key\":\"" key "\",\"value\":{\"" value "\":") - 1,              \
			offsetof(struct recorded_event, member), RECORDED_BIT_##member, kind       \
	}
#define OTLP_ROW_TEXT(key, member) OTLP_ROW(key, "stringValue", member, OTLP_TEXT)
#define OTLP_ROW_U64(key, member)  OTLP_ROW(key, "intValue", member, OTLP_U64)
#define OTLP_ROW_I64(key, member)  OTLP_ROW(key, "intValue", member, OTLP_I64)
#define OTLP_ROW_BOOL(key, member) OTLP_ROW(key, "boolValue", member, OTLP_BOOL)
#define OTLP_ROW_MS(key, member)   OTLP_ROW(key, "doubleValue", member, OTLP_MS)
#define OTLP_ROW_TIME(key, member) OTLP_ROW(key, "stringValue", member, OTLP_TIME)

/* Writes those that the event has. */
void otlp__put_attributes(struct json *json, const struct otlp_attribute *rows, size_t count,
			  const struct recorded_event *event);

#define OTLP_PUT_ALL(json, rows, event)                                                            \
	otlp__put_attributes(json, rows, sizeof(rows) / sizeof((rows)[0]), event)

/* So many bytes are enough for what one event becomes. */
static inline size_t otlp__room_for(const struct recorded_event *event)
{
	return 16384 + 8 * event->line.bytes;
}

#endif
