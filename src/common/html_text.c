// SPDX-License-Identifier: BSD-2-Clause
#include "common/html_text.h"

#include <string.h>

#include "common/printable.h"

static const char *entity_of(char character)
{
	switch (character) {
	case '&': return "&amp;";
	case '<': return "&lt;";
	case '>': return "&gt;";
	case '"': return "&quot;";
	case '\'': return "&#39;";
	default: return NULL;
	}
}

void html_text__write(FILE *out, const char *text)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);

	while (at < end) {
		struct printable shown = printable__character(at, end);
		const char *entity = shown.bytes == 1 ? entity_of(shown.text[0]) : NULL;

		if (entity)
			fputs(entity, out);
		else
			fwrite(shown.text, 1, shown.bytes, out);
		at += shown.taken;
	}
}
