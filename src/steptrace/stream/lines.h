/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of text with a mark for each, which says what the line is about. An output that cannot
 * write a line uses its mark to count the loss and to correct later lines of the same execution.
 *
 *	text   {"event":"dsl.step.executed",...}\n{"event":"command.execution.completed",...}\n
 *	marks  EVENT_STEP_EXECUTED, 5e0c…          EVENT_COMMAND_COMPLETED, 5e0c…
 */
#ifndef STEPTRACE_LINES_H
#define STEPTRACE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/stream/event.h"
#include "steptrace/stream/json.h"

struct line_mark {
	uint8_t kind;       /* enum event_kind; EVENT_NONE: a line about the recording itself */
	uint8_t is_aborted; /* an aborted event: no probe was hit for it */
	uint8_t is_overdue; /* EVENT_NONE: an event of --overdue */
	union {
		struct { /* an event of an execution; zeros: of none */
			uint8_t execution_id[16];
			uint32_t pid;      /* a forked child has the same execution id */
			uint64_t known_ns; /* the time of the first record of the execution */
		} __attribute__((packed));
		struct { /* EVENT_NONE: what a trace.lost reports; zeros: another line */
			uint64_t lost;
			uint64_t lost_since_ns;
			uint8_t lost_kind;   /* enum event_kind */
			uint8_t lost_reason; /* enum loss_reason */
		} __attribute__((packed));
	} __attribute__((packed));
} __attribute__((packed));

/* Owns both buffers. A zeroed struct is empty. */
struct lines {
	struct json text;
	struct json marks; /* an array of struct line_mark, one for each line */
};

/* Allocates space for so many bytes of text; more lines make it grow. 0 or -ENOMEM. Call
 * lines__free() in both cases. */
int lines__init(struct lines *lines, size_t bytes);
void lines__free(struct lines *lines);

static inline size_t lines__bytes(const struct lines *lines)
{
	return json__length(&lines->text);
}

static inline size_t lines__count(const struct lines *lines)
{
	return json__length(&lines->marks) / sizeof(struct line_mark);
}

static inline const struct line_mark *lines__marks(const struct lines *lines)
{
	return (const struct line_mark *)lines->marks.base;
}

/* The memory that both buffers take. */
size_t lines__memory_bytes(const struct lines *lines);

/* Drops all lines; keeps the memory. */
void lines__clear(struct lines *lines);

/* Adds the mark of the last line of the text. 0, or -ENOMEM: that line is removed again. */
int lines__mark(struct lines *lines, const struct line_mark *mark);

/* Adds the marks of the lines of text from this byte on: lines about the recording itself. 0, or
 * -ENOMEM: these lines are removed again. */
int lines__mark_own(struct lines *lines, size_t from_bytes);

/* Appends copies of all lines. 0, or -ENOMEM: nothing has changed. */
int lines__append(struct lines *to, const struct lines *from);

/* The start of the line after the one that begins at `at`; after the last line, the end. */
const char *lines__behind(const struct lines *lines, const char *at);

/* How many lines of each kind there are. */
struct line_counts {
	uint64_t events[EVENT_KINDS_COUNT];
	uint64_t aborted[EVENT_KINDS_COUNT];
	uint64_t overdue;
	/* The losses that the trace.lost lines report, and when the earliest of them began. */
	uint64_t told[EVENT_KINDS_COUNT][LOSS_REASONS_COUNT];
	uint64_t told_since_ns; /* 0: there is no such line */
};

void line_counts__count_mark(struct line_counts *counts, const struct line_mark *mark);
/* Adds the lines after the first `from` bytes of the text; these end with a whole line. */
void line_counts__count(struct line_counts *counts, const struct lines *lines, size_t from);
void line_counts__add(struct line_counts *sum, const struct line_counts *counts);
/* All events, also those of --overdue; other lines about the recording itself are not counted. */
uint64_t line_counts__total(const struct line_counts *counts);
static inline bool line_counts__is_empty(const struct line_counts *counts)
{
	return counts->told_since_ns == 0 && line_counts__total(counts) == 0;
}

#endif
