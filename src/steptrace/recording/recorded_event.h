/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One event of a recording, as the reader (recording_reader.h) yields it.
 *
 * Texts are borrowed: they are valid until the next event is read. They are not terminated by NUL,
 * and are what a runner wrote: use printable.h before a terminal gets them. Times are integers in
 * nanoseconds and exact; no number goes through a double.
 *
 *	if (event.kind == RECORDED_STEP_EXECUTED && RECORDED_HAS(&event, duration_ns))
 *		add(event.step_type.text, event.step_type.bytes, event.duration_ns);
 *
 * A member that the line does not have is zero, and so is one whose value is null.
 */
#ifndef STEPTRACE_RECORDED_EVENT_H
#define STEPTRACE_RECORDED_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "steptrace/recording/recorded_fields.h"

/* clang-format off */

#define RECORDED_KINDS(ROW) \
  ROW(COMMAND_STARTED,   "command.execution.started") \
  ROW(STEP_EXECUTED,     "dsl.step.executed") \
  ROW(COMMAND_COMPLETED, "command.execution.completed") \
  ROW(VALIDATION_FAILED, "command.validation.failed") \
  ROW(TOOL_COMPLETED,    "tool.invocation.completed") \
  ROW(FRAGMENT_CHANGED,  "fragment.changed") \
  ROW(COMMAND_OVERDUE,   "command.execution.overdue") \
  ROW(TRACE_STARTED,     "trace.started") \
  ROW(TRACE_STOPPED,     "trace.stopped") \
  ROW(TRACE_LOST,        "trace.lost") \
  ROW(TRACE_ATTACHED,    "trace.attached") \
  ROW(TRACE_DETACHED,    "trace.detached") \
  ROW(TRACE_CLOCK,       "trace.clock") \
  ROW(TRACE_DEGRADED,    "trace.degraded")

/* clang-format on */

#define RECORDED_KIND(kind, name) RECORDED_##kind,
enum recorded_kind {
	RECORDED_OTHER = 0, /* of a newer version; event_name says which */
	RECORDED_KINDS(RECORDED_KIND) RECORDED_KINDS_COUNT,
};
#undef RECORDED_KIND

enum { RECORDING_LINE_BYTES_MAX = 1 << 20 }; /* a longer line is no event */

extern const char *const recorded_kind_names[RECORDED_KINDS_COUNT]; /* [RECORDED_OTHER]: NULL */

enum recorded_outcome {
	RECORDED_NO_OUTCOME, /* the line has none, or one that this version does not know */
	RECORDED_SUCCESS,
	RECORDED_FAILURE,
	RECORDED_SKIPPED,
	RECORDED_ABORTED,
	RECORDED_CANCELLED,
	RECORDED_OUTCOMES_COUNT,
};

struct recorded_text {
	const char *text; /* NULL: the line does not have it */
	size_t bytes;
};

static inline bool recorded_text__is(struct recorded_text text, const char *word)
{
	return text.text && strlen(word) == text.bytes && memcmp(text.text, word, text.bytes) == 0;
}

/* False if one of them is missing. */
static inline bool recorded_text__equals(struct recorded_text a, struct recorded_text b)
{
	return a.text && b.text && a.bytes == b.bytes && memcmp(a.text, b.text, a.bytes) == 0;
}

#define RECORDED_TYPE_TEXT                struct recorded_text
#define RECORDED_TYPE_RAW                 struct recorded_text
#define RECORDED_TYPE_U64                 uint64_t
#define RECORDED_TYPE_I64                 int64_t
#define RECORDED_TYPE_BOOL                bool
#define RECORDED_TYPE_MS                  uint64_t
#define RECORDED_TYPE_TIME                uint64_t

#define RECORDED_MEMBER_BIT(type, member) RECORDED_BIT_##member,
enum recorded_bit {
	RECORDED_MEMBERS(RECORDED_MEMBER_BIT) RECORDED_BITS_COUNT,
};
#undef RECORDED_MEMBER_BIT

/* Where a line is. */
struct recorded_place {
	const char *file;  /* as it was named; "-" is standard input; valid as long as the reader */
	size_t file_index; /* in the order in which the reader reads, from 0 */
	uint64_t line;     /* from 1 */
	uint64_t byte;     /* where the line begins, from 0, in the uncompressed text */
	uint64_t line_bytes; /* without the newline */
};

#define RECORDED_MEMBER(type, member) RECORDED_TYPE_##type member;
struct recorded_event {
	enum recorded_kind kind;
	enum recorded_outcome outcome;
	uint64_t has[(RECORDED_BITS_COUNT + 63) / 64]; /* see RECORDED_HAS() */
	struct recorded_place place;
	struct recorded_text line; /* the whole line, without its newline */
	RECORDED_MEMBERS(RECORDED_MEMBER)
};
#undef RECORDED_MEMBER

/* Whether the line has the member, and it is not null. */
#define RECORDED_HAS(event, member)                                                                \
	(((event)->has[RECORDED_BIT_##member / 64] >> (RECORDED_BIT_##member % 64) & 1) != 0)

/* command.execution.* and what happens inside a command: whatever is no trace.* line. */
static inline bool recorded_event__is_of_runner(const struct recorded_event *event)
{
	return event->kind >= RECORDED_COMMAND_STARTED && event->kind <= RECORDED_COMMAND_OVERDUE;
}

#endif
