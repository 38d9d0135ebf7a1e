// SPDX-License-Identifier: BSD-2-Clause
#include "line_template.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { UUID_BYTES = 36, TIME_BYTES = 30 };

/* In a text, a quote has a backslash in front: so each of these is the name of a field. */
static const struct field {
	const char *name;
	enum slot_kind kind;
} fields[] = {
	{"\"timestamp\":\"", SLOT_TIME},
	{"\"since\":\"", SLOT_TIME},
	{"\"until\":\"", SLOT_TIME},
	{"\"planned_run_at\":\"", SLOT_TIME},
	{"\"realtime_ns\":", SLOT_REALTIME},
	{"\"monotonic_ns\":", SLOT_MONOTONIC},
	{"\"correlation_id\":\"", SLOT_UUID},
	{"\"execution_id\":\"", SLOT_UUID},
	{"\"parent_execution_id\":\"", SLOT_UUID},
	{"\"step_id\":\"", SLOT_UUID},
	{"\"parent_step_id\":\"", SLOT_UUID},
	{"\"invocation_id\":\"", SLOT_UUID},
	{"\"boot_id\":\"", SLOT_UUID},
	{"\"host\":\"", SLOT_HOST},
};

/* ---- parse */

static const struct field *field_at(const char *at, size_t bytes)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		size_t length = strlen(fields[i].name);

		if (length <= bytes && memcmp(at, fields[i].name, length) == 0)
			return &fields[i];
	}
	return NULL;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Returns the bytes of the value; 0: it is none that is replaced. */
static size_t parse_uuid(struct slot *slot, const char *at, size_t bytes)
{
	size_t digits = 0;

	slot->id[0] = slot->id[1] = 0;
	if (bytes < UUID_BYTES + 1 || at[UUID_BYTES] != '"')
		return 0;
	for (size_t i = 0; i < UUID_BYTES; i++) {
		int digit = digit_of(at[i]);

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (at[i] != '-')
				return 0;
			continue;
		}
		if (digit < 0)
			return 0;
		slot->id[digits / 16] = slot->id[digits / 16] << 4 | (uint64_t)digit;
		digits++;
	}
	return slot->id[0] & 0xf000 ? UUID_BYTES : 0;
}

static size_t parse_time(struct slot *slot, const char *at, size_t bytes)
{
	struct tm tm = {0};
	long fraction;

	if (bytes < TIME_BYTES || at[TIME_BYTES - 1] != 'Z' ||
	    sscanf(at, "%4d-%2d-%2dT%2d:%2d:%2d.%9ldZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		   &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &fraction) != 7)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	slot->ns = (int64_t)timegm(&tm) * 1000000000 + fraction;
	return TIME_BYTES;
}

static size_t parse_number(struct slot *slot, const char *at, size_t bytes)
{
	size_t digits = 0;

	slot->ns = 0;
	while (digits < bytes && at[digits] >= '0' && at[digits] <= '9' && digits < 18)
		slot->ns = slot->ns * 10 + (at[digits++] - '0');
	return digits;
}

static size_t parse_value(struct slot *slot, const char *at, size_t bytes)
{
	const char *quote;

	switch (slot->kind) {
	case SLOT_TIME: return parse_time(slot, at, bytes);
	case SLOT_REALTIME:
	case SLOT_MONOTONIC: return parse_number(slot, at, bytes);
	case SLOT_UUID: return parse_uuid(slot, at, bytes);
	default: quote = memchr(at, '"', bytes); return quote ? (size_t)(quote - at) : 0;
	}
}

static void note_time(struct line_template *line, const struct slot *slot)
{
	if (slot->kind == SLOT_TIME && !line->realtime_ns)
		line->realtime_ns = slot->ns;
	if (slot->kind == SLOT_MONOTONIC && !line->monotonic_ns)
		line->monotonic_ns = slot->ns;
}

const char *line_template__parse(struct line_template *line, const char *text, size_t bytes)
{
	static const char start[] = "{\"event\":\"trace.started\"";
	size_t from = 0;

	*line = (struct line_template){.text = text, .bytes_max = bytes + HOST_NAME_BYTES * 2 + 64};
	line->is_start = bytes > strlen(start) && memcmp(text, start, strlen(start)) == 0;
	if (bytes < 2 || text[0] != '{' || text[bytes - 1] != '}')
		return "it is no JSON object";
	if (memmem(text, bytes, "\"labels\":{", 10))
		return "it has labels already";
	for (size_t at = 0; at < bytes; at++) {
		const struct field *field =
			text[at] == '"' ? field_at(text + at, bytes - at) : NULL;
		struct slot *slot = &line->slots[line->count];
		size_t value, taken;

		if (!field)
			continue;
		if (line->count == SLOTS_MAX - 1)
			return "it has too many ids and times";
		slot->kind = field->kind;
		value = at + strlen(field->name);
		taken = parse_value(slot, text + value, bytes - value);
		if (!taken)
			continue;
		slot->at = (uint32_t)from;
		slot->bytes = (uint32_t)(value - from);
		note_time(line, slot);
		line->count++;
		from = value + taken;
		at = from - 1;
	}
	line->slots[line->count++] = (struct slot){
		.at = (uint32_t)from, .bytes = (uint32_t)(bytes - 1 - from), .kind = SLOT_NONE};
	return line->realtime_ns ? NULL : "it has no timestamp";
}

/* ---- render */

static char *put(char *to, const char *text, size_t bytes)
{
	memcpy(to, text, bytes);
	return to + bytes;
}

static char *put_digits(char *to, uint64_t value, int digits)
{
	for (int i = digits - 1; i >= 0; i--, value /= 10)
		to[i] = (char)('0' + value % 10);
	return to + digits;
}

static char *put_number(char *to, uint64_t value)
{
	int digits = 1;

	for (uint64_t rest = value; rest >= 10; rest /= 10)
		digits++;
	return put_digits(to, value, digits);
}

/* The day as year, month and day: the algorithm of Howard Hinnant. The year begins in March. */
static char *put_date(char *to, int64_t day)
{
	uint64_t shifted = (uint64_t)(day + 719468), era = shifted / 146097;
	uint64_t of_era = shifted % 146097;
	uint64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * of_year + 2) / 153;

	to = put_digits(to, year + era * 400 + (month >= 10), 4);
	*to++ = '-';
	to = put_digits(to, month < 10 ? month + 3 : month - 9, 2);
	*to++ = '-';
	return put_digits(to, of_year - (153 * month + 2) / 5 + 1, 2);
}

static char *put_time(char *to, int64_t ns)
{
	int64_t second = ns / 1000000000, of_day = second % 86400;

	to = put_date(to, second / 86400);
	*to++ = 'T';
	to = put_digits(to, (uint64_t)(of_day / 3600), 2);
	*to++ = ':';
	to = put_digits(to, (uint64_t)(of_day / 60 % 60), 2);
	*to++ = ':';
	to = put_digits(to, (uint64_t)(of_day % 60), 2);
	*to++ = '.';
	to = put_digits(to, (uint64_t)(ns % 1000000000), 9);
	*to++ = 'Z';
	return to;
}

static char *put_uuid(char *to, uint64_t high, uint64_t low)
{
	static const char digits[] = "0123456789abcdef";

	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			*to++ = '-';
		*to++ = digits[(i < 16 ? high >> (60 - 4 * i) : low >> (124 - 4 * i)) & 15];
	}
	return to;
}

static char *put_slot(const struct slot *slot, const struct rendering *how, char *to)
{
	int64_t realtime = (slot->ns - how->realtime_from) / how->speed_up + how->realtime_to;
	int64_t monotonic = (slot->ns - how->monotonic_from) / how->speed_up + how->monotonic_to;

	switch (slot->kind) {
	case SLOT_TIME: return put_time(to, realtime);
	case SLOT_REALTIME: return put_number(to, (uint64_t)realtime);
	case SLOT_MONOTONIC: return put_number(to, (uint64_t)monotonic);
	case SLOT_UUID:
		return put_uuid(to, slot->id[0] ^ how->id_mask[0], slot->id[1] ^ how->id_mask[1]);
	case SLOT_HOST: return put(to, how->host, strlen(how->host));
	default: return to;
	}
}

char *line_template__render(const struct line_template *line, const struct rendering *how, char *to)
{
	for (size_t i = 0; i < line->count; i++) {
		const struct slot *slot = &line->slots[i];

		to = put(to, line->text + slot->at, slot->bytes);
		to = put_slot(slot, how, to);
	}
	if (how->has_label) {
		to = put(to, ",\"labels\":{\"host\":\"", 19);
		to = put(to, how->host, strlen(how->host));
		to = put(to, "\"}", 2);
	}
	return put(to, "}\n", 2);
}
