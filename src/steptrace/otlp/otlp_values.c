// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/otlp/otlp_values.h"

#include "steptrace/stream/clock_anchor.h"

static void put_hex(struct json *json, uint64_t value)
{
	static const char digits[] = "0123456789abcdef";

	for (int shift = 60; shift >= 0; shift -= 4)
		*json->at++ = digits[value >> shift & 15];
}

void otlp__span_id(struct json *json, uint64_t id)
{
	*json->at++ = '"';
	put_hex(json, id);
	*json->at++ = '"';
}

void otlp__trace_id(struct json *json, const struct otlp_trace *trace)
{
	*json->at++ = '"';
	put_hex(json, trace->high);
	put_hex(json, trace->low);
	*json->at++ = '"';
}

static void put_time(struct json *json, uint64_t ns)
{
	struct clock_anchor anchor = {.realtime_ns = ns};

	*json->at++ = '"';
	clock_anchor__timestamp(&anchor, json, 0);
	*json->at++ = '"';
}

static void put_value(struct json *json, const struct otlp_attribute *row, const void *member)
{
	const struct recorded_text *text = member;
	uint64_t number;
	int64_t signed_number;
	bool flag;

	switch ((enum otlp_type)row->type) {
	case OTLP_TEXT: json__text(json, text->text, text->bytes); break;
	case OTLP_BOOL:
		memcpy(&flag, member, sizeof(flag));
		json__bool(json, flag);
		break;
	case OTLP_I64:
		memcpy(&signed_number, member, sizeof(signed_number));
		otlp__i64(json, signed_number);
		break;
	default:
		memcpy(&number, member, sizeof(number));
		if (row->type == OTLP_U64) /* an int64 in OTLP */
			otlp__u64(json, number < INT64_MAX ? number : INT64_MAX);
		else if (row->type == OTLP_MS)
			json__milliseconds(json, number);
		else
			put_time(json, number);
	}
}

void otlp__put_attributes(struct json *json, const struct otlp_attribute *rows, size_t count,
			  const struct recorded_event *event)
{
	for (const struct otlp_attribute *row = rows; row < rows + count; row++) {
		if (!(event->has[row->bit / 64] >> (row->bit % 64) & 1))
			continue;
		json__bytes(json, row->begin, row->begin_bytes);
		put_value(json, row, (const char *)event + row->offset);
		json__raw(json, "}},");
	}
}
