/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A page of text: pieces with a place and a look, and no terminal. The screen draws it
 * (screen/screen.h), or page__lines() writes it as plain text.
 *
 *	page__begin(&page, 80, 24);
 *	page__fill(&page, 0, LOOK_BAR);				the whole line
 *	page__put(&page, 0, 1, 20, LOOK_BAR, "steptrace top");	at most 20 columns, or cut: "step…"
 *	page__put_right(&page, 0, 79, LOOK_BAR, "12 s");	ends before column 79
 *
 * Pieces are put line by line, and from left to right within a line.
 */
#ifndef STEPTRACE_TOP_PAGE_H
#define STEPTRACE_TOP_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"

enum page_look {
	LOOK_PLAIN,
	LOOK_BAR,      /* the first line */
	LOOK_TITLE,    /* of a column */
	LOOK_SORTED,   /* of the column that the rows are sorted by */
	LOOK_SELECTED, /* fills the line of the selected row */
	LOOK_FAILED,   /* failures and losses */
	LOOK_OLD,      /* it takes longer than usual */
	LOOK_KEY,      /* a key to press */
	LOOK_FAINT,
	LOOKS_COUNT,
};

struct page_piece {
	uint32_t line, column;
	size_t from, bytes; /* of `text` */
	enum page_look look;
	bool is_fill; /* the whole line looks like this; there is no text */
};

/* Zeroed: empty. page__free() in any case. */
struct page {
	unsigned int width, height; /* in columns and lines; what lies beyond is left out */
	struct strbuf text;         /* UTF-8, printable */
	struct page_piece *pieces;
	size_t count, room;
	bool has_cursor; /* a blinking cursor where text is typed */
	unsigned int cursor_line, cursor_column;
	bool is_incomplete; /* there was no memory for all pieces */
};

/* Empties the page, and keeps its memory. */
void page__begin(struct page *page, unsigned int width, unsigned int height);
void page__free(struct page *page);

void page__fill(struct page *page, unsigned int line, enum page_look look);

/* Puts a printable copy of the text (printable.h). Returns the column behind it. */
unsigned int page__put(struct page *page, unsigned int line, unsigned int column,
		       unsigned int width, enum page_look look, const char *text);

/* The same, so that the text ends before the column `end`. */
void page__put_right(struct page *page, unsigned int line, unsigned int end, enum page_look look,
		     const char *text);

/* Appends all lines as plain text. Errors are in `out`. */
void page__lines(const struct page *page, struct strbuf *out);

#endif
