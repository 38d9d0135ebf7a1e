/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole or absent: compares the lines of a stream with --whole with those of a plain stream that
 * got the same records. Of every execution, the first has all lines of the second, in the same
 * order, or none of them. The member selected_by is the only difference.
 *
 * Define WHOLE_REQUIRE(condition) before.
 */
#ifndef TESTS_WHOLE_CHECK_H
#define TESTS_WHOLE_CHECK_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/stream/stream.h"

struct checked_line {
	const struct line_mark *mark;
	const char *text;
	size_t bytes;
	bool is_found; /* in the other stream */
};

struct checked_lines {
	struct checked_line *items;
	size_t count;
};

static inline struct checked_lines checked_lines__of(struct stream *stream)
{
	const struct lines *lines = stream__lines(stream);
	struct checked_lines list = {.count = lines__count(lines)};
	const char *at = lines->text.base;

	list.items = calloc(list.count + 1, sizeof(*list.items));
	WHOLE_REQUIRE(list.items != NULL);
	for (size_t i = 0; i < list.count; i++) {
		const char *next = lines__behind(lines, at);

		list.items[i] = (struct checked_line){
			.mark = &lines__marks(lines)[i], .text = at, .bytes = (size_t)(next - at)};
		at = next;
	}
	return list;
}

static inline bool is_of_same_execution(const struct checked_line *one,
					const struct checked_line *other)
{
	return one->mark->pid == other->mark->pid && one->mark->known_ns == other->mark->known_ns &&
	       memcmp(one->mark->execution_id, other->mark->execution_id, 16) == 0;
}

/* The line without ,"selected_by":[…]. No text in a line contains a quote without a backslash. */
static inline bool has_same_text(const struct checked_line *plain, const struct checked_line *whole)
{
	static const char member[] = ",\"selected_by\":[";
	const char *at = memmem(whole->text, whole->bytes, member, sizeof(member) - 1);
	const char *end = at ? memchr(at, ']', whole->bytes - (size_t)(at - whole->text)) : NULL;
	size_t front = end ? (size_t)(at - whole->text) : whole->bytes;
	size_t back = end ? whole->bytes - (size_t)(end + 1 - whole->text) : 0;

	return plain->bytes == front + back && memcmp(plain->text, whole->text, front) == 0 &&
	       (!end || memcmp(plain->text + front, end + 1, back) == 0);
}

/* Each line of an execution in the order of the plain stream. Returns whether there are any. */
static inline bool whole_or_absent(struct checked_lines *plain, struct checked_lines *whole,
				   size_t first)
{
	const struct checked_line *sample = &plain->items[first];
	size_t at = 0, found = 0, expected = 0;

	for (size_t i = first; i < plain->count; i++) {
		if (!is_of_same_execution(&plain->items[i], sample))
			continue;
		plain->items[i].is_found = true;
		expected++;
		while (at < whole->count && !is_of_same_execution(&whole->items[at], sample))
			at++;
		if (at == whole->count)
			continue;
		WHOLE_REQUIRE(has_same_text(&plain->items[i], &whole->items[at]));
		whole->items[at++].is_found = true;
		found++;
	}
	WHOLE_REQUIRE(found == 0 || found == expected);
	return found > 0;
}

static inline bool is_of_no_execution(const struct checked_line *line)
{
	static const struct line_mark none;

	return memcmp(line->mark->execution_id, none.execution_id, 16) == 0 &&
	       line->mark->known_ns == 0;
}

/* Returns how many executions the stream with --whole has. */
static inline size_t whole_check(struct stream *plain_stream, struct stream *whole_stream)
{
	struct checked_lines plain = checked_lines__of(plain_stream);
	struct checked_lines whole = checked_lines__of(whole_stream);
	size_t executions = 0;

	for (size_t i = 0; i < plain.count; i++)
		if (!plain.items[i].is_found && !is_of_no_execution(&plain.items[i]))
			executions += whole_or_absent(&plain, &whole, i);
	for (size_t i = 0; i < whole.count; i++)
		WHOLE_REQUIRE(whole.items[i].is_found || is_of_no_execution(&whole.items[i]));
	free(plain.items);
	free(whole.items);
	return executions;
}

/* All hits that were lost, filtered or written. */
static inline uint64_t hits_of(const struct stream *stream)
{
	const struct stream_counts *counts = stream__counts(stream);
	uint64_t sum = stream__held(stream)->events;

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++) {
		sum += counts->events[kind] + counts->filtered[kind];
		for (int reason = 0; reason < LOSS_REASONS_COUNT; reason++)
			sum += counts->lost[kind][reason];
	}
	return sum;
}

#endif
