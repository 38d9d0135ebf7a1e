/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of text, and of each what it is about, for those who have to say what became of it.
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
	uint8_t is_aborted; /* of no boundary */
	union {
		struct { /* an execution's */
			uint8_t execution_id[16];
			uint32_t pid;      /* a fork goes on with the same id */
			uint64_t known_ns; /* since when it is known */
		} __attribute__((packed));
		struct { /* EVENT_NONE: a trace.lost, if it says that something was */
			uint64_t lost;
			uint64_t lost_since_ns;
			uint8_t lost_kind;   /* enum event_kind */
			uint8_t lost_reason; /* enum loss_reason */
		} __attribute__((packed));
	} __attribute__((packed));
} __attribute__((packed));

/* Owns both; zeroed: nothing yet. */
struct lines {
	struct json text;
	struct json marks; /* struct line_mark, one for each line */
};

/* Room for so many bytes of text, before it has to grow. 0 or -ENOMEM; lines__free() in any case. */
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

/* What it takes of the memory. */
size_t lines__memory_bytes(const struct lines *lines);

void lines__clear(struct lines *lines);

/* The mark of the line that was appended to the text last; without memory for it the line is taken back,
 * and -ENOMEM returned. */
int lines__mark(struct lines *lines, const struct line_mark *mark);

/* Copies of all lines behind those that there are; 0, or -ENOMEM and nothing is changed. */
int lines__append(struct lines *to, const struct lines *from);

/* Behind the line that begins at `at`. */
const char *lines__behind(const struct lines *lines, const char *at);

/* Lines by kind. */
struct line_counts {
	uint64_t events[EVENT_KINDS_COUNT];
	uint64_t aborted[EVENT_KINDS_COUNT];
	/* What the trace.lost among them said, and since when that was lost. */
	uint64_t told[EVENT_KINDS_COUNT][LOSS_REASONS_COUNT];
	uint64_t told_since_ns; /* 0: nothing */
};

/* Adds those that lie behind the first `from` bytes, which end with a whole line. */
void line_counts__count(struct line_counts *counts, const struct lines *lines, size_t from);
void line_counts__add(struct line_counts *sum, const struct line_counts *counts);
/* But for those about the recording itself. */
uint64_t line_counts__total(const struct line_counts *counts);
static inline bool line_counts__is_empty(const struct line_counts *counts)
{
	return counts->told_since_ns == 0 && line_counts__total(counts) == 0;
}

#endif
