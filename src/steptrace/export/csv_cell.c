// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export/csv_cell.h"

#include "common/printable.h"

/* A tab or another blank in front of a formula is no protection: spreadsheets skip it. */
static bool is_formula(const char *text, size_t bytes)
{
	size_t at = 0;

	while (at < bytes && (uint8_t)text[at] <= ' ')
		at++;
	return at < bytes && memchr("=+-@", text[at], 4);
}

static bool needs_quotes(const char *text, size_t bytes)
{
	return memchr(text, '"', bytes) || memchr(text, ',', bytes) ||
	       (bytes && (text[0] == ' ' || text[bytes - 1] == ' '));
}

/* Within quotes, a quote is doubled. */
static void put_characters(struct json *json, const char *text, size_t bytes)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + bytes;

	while (at < end) {
		struct printable one = printable__character(at, end);

		if (*at == '"')
			json__raw(json, "\"");
		json__bytes(json, one.text, one.bytes);
		at += one.taken;
	}
}

void csv_cell__text(struct json *json, const char *text, size_t bytes)
{
	bool has_quotes = needs_quotes(text, bytes);

	if (has_quotes)
		json__raw(json, "\"");
	if (is_formula(text, bytes))
		json__raw(json, "'");
	put_characters(json, text, bytes);
	if (has_quotes)
		json__raw(json, "\"");
}
