/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of text of limited width, with columns and a colour (event_text.c).
 *
 *	text_line__begin(&line, out, style);
 *	text_line__put(&line, "4711", 4, 7);		at most 7 columns, else cut: "471100…"
 *	text_line__go_to(&line, 9);			blanks up to column 9
 *	text_line__colour(&line, TEXT_RED);		to the end of the line
 *	text_line__end(&line);
 */
#ifndef STEPTRACE_TEXT_LINE_H
#define STEPTRACE_TEXT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "steptrace/stream/json.h"

/* How lines of text look. A zeroed struct is for a file. */
struct text_style {
	unsigned int columns; /* the width of the terminal; 0: not a terminal */
	bool has_colours;
	bool has_ids; /* --ids: whole ids at the end of each line, which is not cut */
};

enum {
	TEXT_COLUMNS = 100, /* the width that lines are laid out for, if there is no terminal */
	TEXT_COLUMNS_MIN = 60,
	TEXT_COLUMNS_MAX = 240,
};

enum text_colour { TEXT_PLAIN, TEXT_BOLD, TEXT_RED, TEXT_YELLOW };

struct text_line {
	struct json *out; /* has enough room */
	const struct text_style *style;
	unsigned int at; /* the column that is written next */
	enum text_colour colour;
};

/* The width for which lines are laid out, in columns. */
unsigned int text_style__width(const struct text_style *style);

/* Whether texts that are too wide are cut. A file gets all of them. */
static inline bool text_style__cuts(const struct text_style *style)
{
	return style->columns != 0 && !style->has_ids;
}

void text_line__begin(struct text_line *line, struct json *out, const struct text_style *style);
/* Writes the newline. */
void text_line__end(struct text_line *line);

/* Appends a printable copy (printable.h) of the text, which ends at a NUL or after `bytes` bytes.
 * Where the style cuts, a text of more than `columns` columns ends with "…" there. */
void text_line__put(struct text_line *line, const char *text, size_t bytes, unsigned int columns);

/* Appends blanks up to that column; nothing where the line is longer. */
void text_line__go_to(struct text_line *line, unsigned int column);

/* What follows has this colour, where the style has colours. */
void text_line__colour(struct text_line *line, enum text_colour colour);

#endif
