// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/lines.h"

#include <errno.h>

enum { LINE_BYTES = 256 }; /* few lines are shorter: so marks fill up after the text */

_Static_assert(_Alignof(struct line_mark) == 1, "a mark may lie at any address");

int lines__init(struct lines *lines, size_t bytes)
{
	size_t marks = bytes / LINE_BYTES + 1;

	return json__init(&lines->text, bytes) ||
			       json__init(&lines->marks, marks * sizeof(struct line_mark))
		       ? -ENOMEM
		       : 0;
}

void lines__free(struct lines *lines)
{
	json__free(&lines->text);
	json__free(&lines->marks);
}

size_t lines__memory_bytes(const struct lines *lines)
{
	return (size_t)(lines->text.limit - lines->text.base) +
	       (size_t)(lines->marks.limit - lines->marks.base);
}

void lines__clear(struct lines *lines)
{
	lines->text.at = lines->text.base;
	lines->marks.at = lines->marks.base;
}

int lines__mark(struct lines *lines, const struct line_mark *mark)
{
	struct json *text = &lines->text;

	if (json__reserve(&lines->marks, sizeof(*mark))) {
		do
			text->at--;
		while (text->at > text->base && text->at[-1] != '\n');
		return -ENOMEM;
	}
	json__bytes(&lines->marks, (const char *)mark, sizeof(*mark));
	return 0;
}

int lines__mark_own(struct lines *lines, size_t from_bytes)
{
	static const struct line_mark own = {.kind = EVENT_NONE};
	struct json *text = &lines->text;
	size_t before = json__length(&lines->marks);

	for (const char *at = text->base + from_bytes; at < text->at;
	     at = lines__behind(lines, at)) {
		if (json__reserve(&lines->marks, sizeof(own))) {
			lines->marks.at = lines->marks.base + before;
			text->at = text->base + from_bytes;
			return -ENOMEM;
		}
		json__bytes(&lines->marks, (const char *)&own, sizeof(own));
	}
	return 0;
}

int lines__append(struct lines *to, const struct lines *from)
{
	size_t bytes = json__length(&from->text), marks = json__length(&from->marks);

	if (json__reserve(&to->text, bytes) || json__reserve(&to->marks, marks))
		return -ENOMEM;
	json__bytes(&to->text, from->text.base, bytes);
	json__bytes(&to->marks, from->marks.base, marks);
	return 0;
}

const char *lines__behind(const struct lines *lines, const char *at)
{
	const char *end = lines->text.at;
	const char *newline = memchr(at, '\n', (size_t)(end - at));

	return newline ? newline + 1 : end;
}

static void told_since(struct line_counts *counts, uint64_t since_ns)
{
	if (since_ns && (counts->told_since_ns == 0 || since_ns < counts->told_since_ns))
		counts->told_since_ns = since_ns;
}

static void count_told(struct line_counts *counts, const struct line_mark *mark)
{
	if (mark->lost == 0)
		return;
	counts->told[mark->lost_kind][mark->lost_reason] += mark->lost;
	told_since(counts, mark->lost_since_ns ? mark->lost_since_ns : 1);
}

void line_counts__count_mark(struct line_counts *counts, const struct line_mark *mark)
{
	if (mark->is_overdue)
		counts->overdue++;
	else if (mark->kind == EVENT_NONE)
		count_told(counts, mark);
	else if (mark->is_aborted)
		counts->aborted[mark->kind]++;
	else
		counts->events[mark->kind]++;
}

void line_counts__count(struct line_counts *counts, const struct lines *lines, size_t from)
{
	const struct line_mark *mark = lines__marks(lines);
	const char *at = lines->text.base;

	for (; at < lines->text.at; at = lines__behind(lines, at), mark++) {
		if (at >= lines->text.base + from)
			line_counts__count_mark(counts, mark);
	}
}

void line_counts__add(struct line_counts *sum, const struct line_counts *counts)
{
	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		sum->events[kind] += counts->events[kind];
		sum->aborted[kind] += counts->aborted[kind];
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			sum->told[kind][reason] += counts->told[kind][reason];
	}
	sum->overdue += counts->overdue;
	told_since(sum, counts->told_since_ns);
}

uint64_t line_counts__total(const struct line_counts *counts)
{
	uint64_t total = counts->overdue;

	for (int kind = EVENT_NONE + 1; kind < EVENT_KINDS_COUNT; kind++)
		total += counts->events[kind] + counts->aborted[kind];
	return total;
}
