// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top/page.h"

#include <stdlib.h>
#include <string.h>

#include "common/printable.h"

void page__begin(struct page *page, unsigned int width, unsigned int height)
{
	page->width = width;
	page->height = height;
	page->count = page->text.length = 0;
	page->text.limit = SIZE_MAX;
	page->text.err = 0;
	page->has_cursor = page->is_incomplete = false;
}

void page__free(struct page *page)
{
	strbuf__free(&page->text);
	free(page->pieces);
	*page = (struct page){.width = 0};
}

static bool make_room(struct page *page)
{
	size_t room = page->room ? 2 * page->room : 256;
	struct page_piece *pieces;

	if (page->count < page->room)
		return true;
	pieces = reallocarray(page->pieces, room, sizeof(*pieces));
	if (!pieces)
		return false;
	page->pieces = pieces;
	page->room = room;
	return true;
}

static void add(struct page *page, const struct page_piece *piece)
{
	if (piece->line >= page->height)
		return;
	if (page->text.err || !make_room(page))
		page->is_incomplete = true;
	else
		page->pieces[page->count++] = *piece;
}

void page__fill(struct page *page, unsigned int line, enum page_look look)
{
	add(page, &(struct page_piece){.line = line, .look = look, .is_fill = true});
}

/* Appends at most `width` columns of the text. Returns how many. */
static unsigned int append(struct strbuf *out, const char *text, unsigned int width)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + strlen(text);
	bool is_cut = printable__columns(text, SIZE_MAX) > width;
	unsigned int columns = 0, limit = width - is_cut;

	while (at < end) {
		struct printable shown = printable__character(at, end);

		if (columns + shown.columns > limit)
			break;
		strbuf__bytes(out, shown.text, shown.bytes);
		columns += shown.columns;
		at += shown.taken;
	}
	if (is_cut)
		strbuf__text(out, "…");
	return columns + is_cut;
}

unsigned int page__put(struct page *page, unsigned int line, unsigned int column,
		       unsigned int width, enum page_look look, const char *text)
{
	struct page_piece piece = {
		.line = line, .column = column, .from = page->text.length, .look = look};
	unsigned int left = column < page->width ? page->width - column : 0;
	unsigned int columns;

	if (width > left)
		width = left;
	if (width == 0 || !text[0])
		return column;
	columns = append(&page->text, text, width);
	piece.bytes = page->text.length - piece.from;
	add(page, &piece);
	return column + columns;
}

void page__put_right(struct page *page, unsigned int line, unsigned int end, enum page_look look,
		     const char *text)
{
	unsigned int columns = (unsigned int)printable__columns(text, SIZE_MAX);
	unsigned int at = columns < end ? end - columns : 0;

	page__put(page, line, at, end - at, look, text);
}

static unsigned int write_piece(const struct page *page, const struct page_piece *piece,
				unsigned int column, struct strbuf *out)
{
	const char *text = page->text.text + piece->from;

	if (piece->column > column)
		strbuf__repeat(out, " ", piece->column - column);
	strbuf__bytes(out, text, piece->bytes);
	return piece->column + (unsigned int)printable__columns(text, piece->bytes);
}

void page__lines(const struct page *page, struct strbuf *out)
{
	unsigned int line = 0, column = 0;

	for (size_t i = 0; i < page->count; i++) {
		const struct page_piece *piece = &page->pieces[i];

		for (; line < piece->line; line++) {
			strbuf__char(out, '\n');
			column = 0;
		}
		if (!piece->is_fill)
			column = write_piece(page, piece, column, out);
	}
	if (page->count)
		strbuf__char(out, '\n');
}
