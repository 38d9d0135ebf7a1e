/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: what the stream says, before anybody decides how it looks.
 *
 * One table (event.c) holds the kinds and their names, another the probes with the event that
 * each of them makes. An event borrows everything it points to from the record and the open
 * execution it belongs to; it lives for one call.
 */
#ifndef STEPTRACE_EVENT_H
#define STEPTRACE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/record.h"

enum event_kind {
	EVENT_NONE = 0, /* a probe that makes no event of its own */
	EVENT_COMMAND_STARTED,
	EVENT_STEP_EXECUTED,
	EVENT_COMMAND_COMPLETED,
	EVENT_VALIDATION_FAILED,
	EVENT_TOOL_COMPLETED,
	EVENT_FRAGMENT_CHANGED,
	EVENT_KINDS_COUNT,
};

/* Why a boundary that was hit made no event. */
enum loss_reason {
	LOSS_BUFFER_FULL,  /* the ring buffer had no room */
	LOSS_UNREADABLE,   /* the kernel could not read the span */
	LOSS_INVALID,      /* the span's bytes make no sense */
	LOSS_LAYOUT,       /* the span is of a layout that this tracer does not know */
	LOSS_UNATTRIBUTED, /* its command is not known */
	LOSS_MISSED,       /* the kernel could not run the program */
	LOSS_DEGRADED,     /* left out, to stay within --max-cpu */
	LOSS_NOT_WRITTEN,  /* it came after --count, or the output failed */
	LOSS_REASONS_COUNT,
};

struct probe_info {
	const char *name; /* as in the ELF note, and of its program in bpf/ */
	enum event_kind event;
	bool captured; /* `record` attaches to it, for an event or to know what is open */
};

extern const struct probe_info probes[PROBES_COUNT];
extern const char *const event_names[EVENT_KINDS_COUNT]; /* "dsl.step.executed" */
extern const char *const loss_names[LOSS_REASONS_COUNT]; /* "buffer_full" */

/* What a runner may say, and behind it what only the tracer says. */
enum { OUTCOME_SUCCESS = 1, OUTCOME_FAILURE = 2, OUTCOME_SKIPPED = 3, OUTCOME_ABORTED = 4 };

static inline bool outcome__is_from_runner(unsigned int outcome)
{
	return outcome >= OUTCOME_SUCCESS && outcome <= OUTCOME_SKIPPED;
}

/* Names for the numbers in spans; NULL where the number has none. */
const char *outcome__name(unsigned int outcome);
const char *error_category__name(unsigned int category);
const char *ai_cache__name(unsigned int cache);
const char *operation__name(unsigned int operation);

/* The flags of a span (usdt/steptrace.h). */
enum span_flags {
	SPAN_DRY_RUN = 1 << 0,
	SPAN_SCHEDULED = 1 << 1,
	SPAN_FRAGMENT_ID = 1 << 2,
	SPAN_ITEMS = 1 << 3,
	SPAN_EXIT_STATUS = 1 << 4,
};

struct execution;
struct termination;

struct event {
	enum event_kind kind;
	const struct steptrace_record *record;
	const struct execution *execution; /* NULL for EVENT_VALIDATION_FAILED */
	union {
		const struct span_head *head;
		const struct command_span *command;
		const struct step_span *step;
		const struct tool_span *tool;
		const struct fragment_span *fragment;
		const struct rejected_span *rejected;
	};
	const struct steptrace_process *process; /* EVENT_VALIDATION_FAILED: whose it is */
	uint64_t steps_lost;                     /* EVENT_COMMAND_COMPLETED */
	bool steps_lost_known;                   /* EVENT_COMMAND_COMPLETED */
	bool complete;                           /* EVENT_COMMAND_COMPLETED */

	/* Where the process left it open: how, and the steps that were open then. */
	const struct termination *termination; /* NULL: the runner ended it */
	const struct step_span *innermost;
	uint64_t steps_aborted;
};

/* EVENT_COMMAND_COMPLETED: by the command's own counters, and what was aborted; all ones where the sum
 * is out of range. */
uint64_t event__steps_executed(const struct event *event);

/* How long the span took; false where its beginning was not seen or its stamps contradict each other
 * or the kernel's clock. */
bool event__duration_ns(const struct event *event, uint64_t *ns);

#endif
