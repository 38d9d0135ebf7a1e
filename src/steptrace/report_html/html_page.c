// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/report_html/html_page.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "common/html_text.h"
#include "steptrace/stream/duration_text.h"

void html_page__put(struct html_page *page, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(page->out, format, arguments);
	va_end(arguments);
}

void html_page__text(struct html_page *page, const char *text)
{
	html_text__write(page->out, text);
}

void html_page__name(struct html_page *page, const char *text)
{
	html_page__text(page, text[0] ? text : "–");
}

void html_page__begin_section(struct html_page *page, const char *id, const char *title)
{
	html_page__put(page, "<section id=\"%s\" aria-labelledby=\"%s-title\">\n", id, id);
	html_page__put(page, "<h2 id=\"%s-title\">%s</h2>\n", id, title);
}

void html_page__end_section(struct html_page *page)
{
	html_page__put(page, "</section>\n");
}

/* The box can be scrolled with the keyboard, so it can have the focus, and it has a name. */
void html_page__begin_table(struct html_page *page, const char *id, const char *title,
			    const char *classes)
{
	html_page__put(page, "<div class=\"box\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">",
		       title);
	html_page__put(page, "<table class=\"%s\" data-table=\"%s\">\n", classes, id);
}

void html_page__end_table(struct html_page *page)
{
	html_page__put(page, "</table></div>\n");
}

/* ---- numbers */

const char *html_number(char text[HTML_NUMBER_BYTES], uint64_t value)
{
	char digits[HTML_NUMBER_BYTES];
	size_t count = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, value), at = 0;

	for (size_t i = 0; i < count; i++) {
		if (i && (count - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = 0;
	return text;
}

const char *html_percent(char text[HTML_NUMBER_BYTES], uint64_t part, uint64_t whole)
{
	if (whole)
		snprintf(text, HTML_NUMBER_BYTES, "%.1f%%", (double)part * 100 / (double)whole);
	else
		snprintf(text, HTML_NUMBER_BYTES, "–");
	return text;
}

const char *html_duration(char text[HTML_NUMBER_BYTES], uint64_t ns)
{
	char plain[DURATION_TEXT_BYTES];
	const char *blank;

	duration_text__age(ns, plain);
	blank = strchr(plain, ' ');
	if (blank)
		snprintf(text, HTML_NUMBER_BYTES, "%.*s\u00a0%s%s", (int)(blank - plain), plain,
			 strcmp(blank + 1, "us") == 0 ? "µ" : "",
			 strcmp(blank + 1, "us") == 0 ? "s" : blank + 1);
	else
		snprintf(text, HTML_NUMBER_BYTES, "%s", plain);
	return text;
}
