// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report/text_page.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/printable.h"

/* A line has at most the texts of a key, escaped, and some numbers. */
enum { LINE_BYTES = 16384, TEXT_BYTES = 2048, WORDS_INDENT = 6 };

bool text_page__begin(struct text_page *page)
{
	page->has_failed = page->has_failed || json__reserve(&page->text, LINE_BYTES);
	if (!page->has_failed)
		text_line__begin(&page->line, &page->text, page->style);
	return !page->has_failed;
}

void text_page__put(struct text_page *page, const char *text, unsigned int columns)
{
	text_line__put(&page->line, text, strlen(text), columns);
}

void text_page__put_right(struct text_page *page, const char *text, unsigned int column)
{
	unsigned int columns = (unsigned int)strlen(text);

	text_page__put(page, " ", 1);
	text_line__go_to(&page->line, column > columns ? column - columns : 0);
	text_page__put(page, text, columns);
}

void text_page__end(struct text_page *page)
{
	text_line__end(&page->line);
}

static void put_line(struct text_page *page, enum text_colour colour, const char *text)
{
	if (!text_page__begin(page))
		return;
	text_line__colour(&page->line, colour);
	text_page__put(page, text, text_style__width(page->style));
	text_page__end(page);
}

void text_page__line(struct text_page *page, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put_line(page, TEXT_PLAIN, text);
}

/* How many bytes of the text fit into a line: to the last blank in front of its end, or the whole
 * first word. */
static size_t fitting(const char *text, unsigned int columns)
{
	size_t bytes = strcspn(text, " "), next = bytes;

	while (text[next] && printable__columns(text, next) <= columns) {
		bytes = next;
		next += 1 + strcspn(text + next + 1, " ");
	}
	return printable__columns(text, next) <= columns ? next : bytes;
}

void text_page__words(struct text_page *page, const char *format, ...)
{
	unsigned int columns = text_style__width(page->style) - WORDS_INDENT;
	char text[TEXT_BYTES];
	const char *at = text;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	while (*at) {
		size_t bytes = text_style__cuts(page->style) ? fitting(at, columns) : strlen(at);

		text_page__line(page, "%*s%.*s", at == text ? 2 : WORDS_INDENT, "", (int)bytes, at);
		at += bytes;
		at += strspn(at, " ");
	}
}

void text_page__heading(struct text_page *page, const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (json__length(&page->text))
		put_line(page, TEXT_PLAIN, "");
	put_line(page, TEXT_BOLD, text);
}
