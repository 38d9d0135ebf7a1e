// SPDX-License-Identifier: BSD-2-Clause
#include "common/prometheus_text.h"

#include <stdint.h>
#include <string.h>

#include "common/utf8.h"

/* OpenMetrics calls a counter by the name of its samples without "_total". */
static int length_of_name(const struct prometheus_text *out, const char *name, const char *type)
{
	static const char suffix[] = "_total";
	size_t length = strlen(name), ends = sizeof(suffix) - 1;

	if (out->is_open && strcmp(type, "counter") == 0 && length > ends &&
	    strcmp(name + length - ends, suffix) == 0)
		length -= ends;
	return (int)length;
}

void prometheus_text__head(const struct prometheus_text *out, const char *name, const char *type,
			   const char *help)
{
	int length = length_of_name(out, name, type);

	strbuf__printf(out->text, "# HELP %.*s %s\n# TYPE %.*s %s\n", length, name, help, length,
		       name, type);
}

/* Label values escape backslash, quote and newline. */
static void put_character(struct strbuf *text, char character)
{
	if (character == '\n') {
		strbuf__text(text, "\\n");
		return;
	}
	if (character == '\\' || character == '"')
		strbuf__char(text, '\\');
	strbuf__char(text, character);
}

void prometheus_text__label(const struct prometheus_text *out, const char *value)
{
	const uint8_t *at = (const uint8_t *)value, *end = at + strlen(value);

	while (at < end) {
		int bytes = *at < 0x80 ? 1 : utf8__sequence_bytes(at, end);

		if (bytes == 0)
			strbuf__text(out->text, "\xef\xbf\xbd");
		for (int i = 0; i < bytes; i++)
			put_character(out->text, (char)at[i]);
		at += bytes ? bytes : 1;
	}
}

void prometheus_text__end(const struct prometheus_text *out)
{
	if (out->is_open)
		strbuf__text(out->text, "# EOF\n");
}
