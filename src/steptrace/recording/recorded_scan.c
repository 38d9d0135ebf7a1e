// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recorded_scan.h"

#include "steptrace/recording/recorded_text.h"
#include "steptrace/recording/recorded_value.h"

enum { DEPTH_MAX = 900 }; /* cJSON has 1000 */

static bool scan_object(struct recorded_scan *scan, enum recorded_object object);

static bool take(struct recorded_scan *scan, char wanted)
{
	if (scan->at == scan->end || *scan->at != wanted)
		return false;
	scan->at++;
	return true;
}

static bool take_word(struct recorded_scan *scan, const char *word, size_t bytes)
{
	if ((size_t)(scan->end - scan->at) < bytes || memcmp(scan->at, word, bytes) != 0)
		return false;
	scan->at += bytes;
	return true;
}

static bool scan_text(struct recorded_scan *scan, struct recorded_text *text)
{
	return take(scan, '"') && recorded_text__scan(&scan->at, scan->end, &scan->room, text);
}

/* ---- values of fields that are not in RECORDED_FIELDS: they are passed over */

static bool pass_value(struct recorded_scan *scan);

static bool pass_array(struct recorded_scan *scan)
{
	if (take(scan, ']'))
		return true;
	do {
		if (!pass_value(scan))
			return false;
	} while (take(scan, ','));
	return take(scan, ']');
}

static bool pass_members(struct recorded_scan *scan)
{
	if (take(scan, '}'))
		return true;
	do {
		if (!take(scan, '"') || !recorded_text__pass(&scan->at, scan->end) ||
		    !take(scan, ':') || !pass_value(scan))
			return false;
	} while (take(scan, ','));
	return take(scan, '}');
}

static bool pass_number(struct recorded_scan *scan)
{
	const char *end = recorded_number__end(scan->at, scan->end);

	if (!end)
		return false;
	scan->at = end;
	return true;
}

static bool pass_nested(struct recorded_scan *scan, bool (*pass)(struct recorded_scan *scan))
{
	bool is_good;

	if (++scan->depth > DEPTH_MAX)
		return false;
	scan->at++;
	is_good = pass(scan);
	scan->depth--;
	return is_good;
}

static bool pass_value(struct recorded_scan *scan)
{
	if (scan->at == scan->end)
		return false;
	switch (*scan->at) {
	case '"': scan->at++; return recorded_text__pass(&scan->at, scan->end);
	case '{': return pass_nested(scan, pass_members);
	case '[': return pass_nested(scan, pass_array);
	case 't': return take_word(scan, "true", 4);
	case 'f': return take_word(scan, "false", 5);
	case 'n': return take_word(scan, "null", 4);
	default: return pass_number(scan);
	}
}

/* ---- values of known fields */

static void *member_of(struct recorded_scan *scan, const struct recorded_field *field)
{
	return (char *)scan->event + field->offset;
}

static void set_bit(struct recorded_scan *scan, const struct recorded_field *field)
{
	scan->event->has[field->bit / 64] |= 1ull << (field->bit % 64);
}

static bool store_number(void *member, enum recorded_type type, const char *at, const char *end)
{
	switch (type) {
	case RECORDED_IS_U64: return recorded_number__u64(at, end, 0, member);
	case RECORDED_IS_MS: return recorded_number__u64(at, end, 6, member);
	case RECORDED_IS_I64: return recorded_number__i64(at, end, member);
	default: return false;
	}
}

/* With --safe-integers, large integers are strings. */
static bool store_text(void *member, enum recorded_type type, struct recorded_text text)
{
	const char *end = text.text + text.bytes;

	switch (type) {
	case RECORDED_IS_TEXT: *(struct recorded_text *)member = text; return true;
	case RECORDED_IS_TIME: return recorded_time__read(text.text, text.bytes, member);
	case RECORDED_IS_U64:
	case RECORDED_IS_I64:
		return recorded_number__end(text.text, end) == end &&
		       store_number(member, type, text.text, end);
	default: return false;
	}
}

static bool scan_stored_text(struct recorded_scan *scan, const struct recorded_field *field,
			     bool *is_stored)
{
	struct recorded_text text;

	if (!scan_text(scan, &text))
		return false;
	*is_stored = store_text(member_of(scan, field), field->type, text);
	return true;
}

static bool scan_stored_number(struct recorded_scan *scan, const struct recorded_field *field,
			       bool *is_stored)
{
	const char *start = scan->at;

	if (!pass_number(scan))
		return false;
	*is_stored = store_number(member_of(scan, field), field->type, start, scan->at);
	return true;
}

static bool scan_stored_bool(struct recorded_scan *scan, const struct recorded_field *field,
			     bool *is_stored)
{
	bool value = *scan->at == 't';

	if (!pass_value(scan))
		return false;
	*is_stored = field->type == RECORDED_IS_BOOL;
	if (*is_stored)
		*(bool *)member_of(scan, field) = value;
	return true;
}

static bool scan_raw(struct recorded_scan *scan, const struct recorded_field *field)
{
	const char *start = scan->at;

	if (!pass_value(scan))
		return false;
	*(struct recorded_text *)member_of(scan, field) =
		(struct recorded_text){start, (size_t)(scan->at - start)};
	set_bit(scan, field);
	return true;
}

static bool scan_scalar(struct recorded_scan *scan, const struct recorded_field *field,
			bool *is_stored)
{
	switch (*scan->at) {
	case '"': return scan_stored_text(scan, field, is_stored);
	case 't':
	case 'f': return scan_stored_bool(scan, field, is_stored);
	case '{':
	case '[': return pass_value(scan);
	default: return scan_stored_number(scan, field, is_stored);
	}
}

/* As if the line did not have the field. */
static void forget(struct recorded_scan *scan, const struct recorded_field *field)
{
	static const uint8_t bytes[] = {
		[RECORDED_IS_TEXT] = sizeof(struct recorded_text),
		[RECORDED_IS_RAW] = sizeof(struct recorded_text),
		[RECORDED_IS_U64] = sizeof(uint64_t),
		[RECORDED_IS_I64] = sizeof(int64_t),
		[RECORDED_IS_MS] = sizeof(uint64_t),
		[RECORDED_IS_TIME] = sizeof(uint64_t),
		[RECORDED_IS_BOOL] = sizeof(bool),
	};

	memset(member_of(scan, field), 0, bytes[field->type]);
	scan->event->has[field->bit / 64] &= ~(1ull << (field->bit % 64));
}

static bool scan_member(struct recorded_scan *scan, const struct recorded_field *field)
{
	bool is_stored = false;

	if (scan->at == scan->end)
		return false;
	if (*scan->at == 'n') {
		forget(scan, field);
		return take_word(scan, "null", 4);
	}
	if (field->type == RECORDED_IS_RAW)
		return scan_raw(scan, field);
	if (!scan_scalar(scan, field, &is_stored))
		return false;
	if (is_stored) {
		set_bit(scan, field);
		return true;
	}
	forget(scan, field);
	scan->is_odd = true;
	return true;
}

static bool scan_child(struct recorded_scan *scan, const struct recorded_field *field)
{
	if (take(scan, '{'))
		return scan_object(scan, (enum recorded_object)field->bit);
	scan->is_odd |= scan->at < scan->end && *scan->at != 'n';
	return pass_value(scan);
}

static bool scan_field(struct recorded_scan *scan, enum recorded_object object)
{
	const struct recorded_field *field;
	struct recorded_text name;

	if (!scan_text(scan, &name) || !take(scan, ':'))
		return false;
	field = recorded_names__find(object, name.text, name.bytes);
	if (!field)
		return pass_value(scan);
	return field->type == RECORDED_IS_OBJECT ? scan_child(scan, field)
						 : scan_member(scan, field);
}

static bool scan_object(struct recorded_scan *scan, enum recorded_object object)
{
	if (take(scan, '}'))
		return true;
	do {
		if (!scan_field(scan, object))
			return false;
	} while (take(scan, ','));
	return take(scan, '}');
}

bool recorded_scan__line(struct recorded_scan *scan, struct recorded_event *event, const char *line,
			 size_t bytes)
{
	const struct recorded_place place = event->place;

	memset(event, 0, sizeof(*event));
	event->place = place;
	scan->event = event;
	scan->at = line;
	scan->end = line + bytes;
	return take(scan, '{') && scan_object(scan, RECORDED_IN_TOP) && scan->at == scan->end;
}
