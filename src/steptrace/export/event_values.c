// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/event_values.h"

#include "steptrace/export/csv_cell.h"
#include "steptrace/stream/clock_anchor.h"

enum member_type {
	MEMBER_TEXT,
	MEMBER_RAW,
	MEMBER_U64,
	MEMBER_I64,
	MEMBER_BOOL,
	MEMBER_MS,
	MEMBER_TIME,
};

static const struct member {
	enum member_type type;
	size_t offset;
} members[RECORDED_BITS_COUNT] = {
#define MEMBER_ROW(kind, member)                                                                   \
	[RECORDED_BIT_##member] = {MEMBER_##kind, offsetof(struct recorded_event, member)},
	RECORDED_MEMBERS(MEMBER_ROW)
#undef MEMBER_ROW
};

static const void *place_of(const struct event_value *value, const struct recorded_event *event)
{
	return (const char *)event + members[value->member].offset;
}

bool event_value__is_present(const struct event_value *value, const struct recorded_event *event)
{
	return (event->has[value->member / 64] >> (value->member % 64) & 1) != 0;
}

size_t event_value__bytes(const struct event_value *value, const struct recorded_event *event)
{
	switch (members[value->member].type) {
	case MEMBER_TEXT:
	case MEMBER_RAW: {
		const struct recorded_text *text = place_of(value, event);

		return JSON_TEXT_BYTES(text->bytes) + 1;
	}
	default: return EVENT_TIME_BYTES;
	}
}

size_t event_values__bytes(const struct event_values *values, const struct recorded_event *event)
{
	size_t bytes = 0;

	for (size_t i = 0; i < values->count; i++)
		if (event_value__is_present(&values->values[i], event))
			bytes += event_value__bytes(&values->values[i], event);
	return bytes;
}

void event_time__write(struct json *json, uint64_t ns)
{
	/* An anchor at 0 maps each stamp to itself. */
	struct clock_anchor identity = {.formatted_s = 0};

	clock_anchor__timestamp(&identity, json, ns);
}

static void put_number(enum member_type type, const void *place, struct json *json)
{
	switch (type) {
	case MEMBER_U64: json__u64(json, *(const uint64_t *)place); break;
	case MEMBER_I64: json__i64(json, *(const int64_t *)place); break;
	case MEMBER_BOOL: json__bool(json, *(const bool *)place); break;
	case MEMBER_MS: json__milliseconds(json, *(const uint64_t *)place); break;
	default: break;
	}
}

void event_value__json(const struct event_value *value, const struct recorded_event *event,
		       struct json *json)
{
	const void *place = place_of(value, event);
	const struct recorded_text *text = place;
	enum member_type type = members[value->member].type;

	if (!event_value__is_present(value, event)) {
		json__raw(json, "null");
	} else if (type == MEMBER_TEXT) {
		json__text(json, text->text, text->bytes);
	} else if (type == MEMBER_RAW) {
		json__bytes(json, text->text, text->bytes);
	} else if (type == MEMBER_TIME) {
		json__raw(json, "\"");
		event_time__write(json, *(const uint64_t *)place);
		json__raw(json, "\"");
	} else {
		put_number(type, place, json);
	}
}

/* "2026-11-24 09:28:38.620678778", which no setting of the reader changes. */
static void put_column_time(struct json *json, uint64_t ns)
{
	enum { DATE_BYTES = 10 };
	char *time;

	json__raw(json, "\"");
	time = json->at;
	event_time__write(json, ns);
	time[DATE_BYTES] = ' ';
	json->at[-1] = '"'; /* instead of the Z */
}

bool event_value__column(const struct event_value *value, const struct recorded_event *event,
			 struct json *json)
{
	const void *place = place_of(value, event);
	const struct recorded_text *text = place;
	const uint64_t *ns = place;

	switch (members[value->member].type) {
	case MEMBER_TEXT:
	case MEMBER_RAW: json__text(json, text->text, text->bytes); break;
	case MEMBER_MS: json__u64(json, *ns); break;
	case MEMBER_TIME:
		if (*ns > INT64_MAX)
			return false;
		put_column_time(json, *ns);
		break;
	default: put_number(members[value->member].type, place, json);
	}
	return true;
}

void event_value__cell(const struct event_value *value, const struct recorded_event *event,
		       struct json *json)
{
	const void *place = place_of(value, event);
	const struct recorded_text *text = place;
	enum member_type type = members[value->member].type;

	if (!event_value__is_present(value, event))
		return;
	if (type == MEMBER_TEXT || type == MEMBER_RAW)
		csv_cell__text(json, text->text, text->bytes);
	else if (type == MEMBER_TIME)
		event_time__write(json, *(const uint64_t *)place);
	else
		put_number(type, place, json);
}
