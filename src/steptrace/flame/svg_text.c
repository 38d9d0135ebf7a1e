// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/flame/svg_text.h"

#include <string.h>

#include "common/printable.h"

/* U+FFFE and U+FFFF are valid UTF-8, but no characters of XML. */
static const char *replacement(const struct printable *shown)
{
	if (shown->bytes == 3 && (memcmp(shown->text, "\xef\xbf\xbe", 3) == 0 ||
				  memcmp(shown->text, "\xef\xbf\xbf", 3) == 0))
		return "\xef\xbf\xbd";
	if (shown->bytes != 1)
		return NULL;
	switch (shown->text[0]) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	default: return NULL;
	}
}

void svg_text__put(FILE *out, const char *text, size_t columns)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
	size_t room = printable__columns(text, SIZE_MAX) <= columns ? columns : columns - 1;

	for (size_t used = 0; at < end;) {
		struct printable shown = printable__character(at, end);
		const char *instead = replacement(&shown);

		used += shown.columns;
		if (used > room)
			break;
		if (instead)
			fputs(instead, out);
		else
			fwrite(shown.text, 1, shown.bytes, out);
		at += shown.taken;
	}
	if (at < end)
		fputs("…", out);
}
