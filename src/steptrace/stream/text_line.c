// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/text_line.h"

#include <limits.h>
#include <string.h>

#include "common/printable.h"

unsigned int text_style__width(const struct text_style *style)
{
	if (style->columns == 0)
		return TEXT_COLUMNS;
	if (style->columns < TEXT_COLUMNS_MIN)
		return TEXT_COLUMNS_MIN;
	return style->columns < TEXT_COLUMNS_MAX ? style->columns : TEXT_COLUMNS_MAX;
}

void text_line__begin(struct text_line *line, struct json *out, const struct text_style *style)
{
	*line = (struct text_line){.out = out, .style = style};
}

void text_line__end(struct text_line *line)
{
	text_line__colour(line, TEXT_PLAIN);
	json__raw(line->out, "\n");
}

void text_line__put(struct text_line *line, const char *text, size_t bytes, unsigned int columns)
{
	const uint8_t *at = (const uint8_t *)text;
	const uint8_t *end = at + strnlen(text, bytes);
	unsigned int limit = UINT_MAX; /* the column behind the text */
	bool is_cut = text_style__cuts(line->style) && printable__columns(text, bytes) > columns;

	if (is_cut)
		limit = line->at + columns - (columns > 0);
	while (at < end) {
		struct printable shown = printable__character(at, end);

		if (limit - line->at < shown.columns)
			break;
		json__bytes(line->out, shown.text, shown.bytes);
		line->at += shown.columns;
		at += shown.taken;
	}
	if (is_cut && columns > 0) {
		json__raw(line->out, "…");
		line->at++;
	}
}

void text_line__go_to(struct text_line *line, unsigned int column)
{
	for (; line->at < column; line->at++)
		*line->out->at++ = ' ';
}

void text_line__colour(struct text_line *line, enum text_colour colour)
{
	static const char *const codes[] = {
		[TEXT_PLAIN] = "\033[0m",
		[TEXT_BOLD] = "\033[1m",
		[TEXT_RED] = "\033[31m",
		[TEXT_YELLOW] = "\033[33m",
	};

	if (!line->style->has_colours || colour == line->colour)
		return;
	json__word(line->out, codes[colour]);
	line->colour = colour;
}
