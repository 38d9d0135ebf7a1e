/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events: what the stream reports, before it is written as JSON or as text.
 *
 * STEPTRACE_EVENT_KINDS is the table of kinds. Which probe makes which event is a column in the
 * table of probes (steptrace/probes.h).
 *
 * An event lives for one call. It owns nothing: it points into the record and into the execution
 * that it belongs to.
 */
#ifndef STEPTRACE_EVENT_H
#define STEPTRACE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "steptrace/record.h"

/* clang-format off */

/*
 * kind		EVENT_<kind>
 * writer	event_json_<writer> (event_json_parts.h) and <writer>_text() in event_text.c
 * name		in the stream; docs/schema/<name>.json describes it
 *
 *     kind               writer     name
 */
#define STEPTRACE_EVENT_KINDS(ROW) \
  ROW(COMMAND_STARTED,   started,   "command.execution.started") \
  ROW(STEP_EXECUTED,     step,      "dsl.step.executed") \
  ROW(COMMAND_COMPLETED, completed, "command.execution.completed") \
  ROW(VALIDATION_FAILED, rejected,  "command.validation.failed") \
  ROW(TOOL_COMPLETED,    tool,      "tool.invocation.completed") \
  ROW(FRAGMENT_CHANGED,  fragment,  "fragment.changed")

/* clang-format on */

#define EVENT_KIND(kind, ...) EVENT_##kind,

enum event_kind {
	EVENT_NONE = 0, /* a probe that makes no event of its own */
	STEPTRACE_EVENT_KINDS(EVENT_KIND) EVENT_KINDS_COUNT,
};

#undef EVENT_KIND

/* Why a probe that was hit made no event. */
enum loss_reason {
	LOSS_BUFFER_FULL,  /* the ring buffer had no room */
	LOSS_UNREADABLE,   /* the kernel could not read the span */
	LOSS_INVALID,      /* the span's bytes make no sense */
	LOSS_LAYOUT,       /* the span has a layout that this tracer does not know */
	LOSS_UNATTRIBUTED, /* the command that the span belongs to is not known */
	LOSS_MISSED,       /* the kernel could not run the BPF program */
	LOSS_DEGRADED,     /* dropped to stay within --max-cpu */
	LOSS_NOT_WRITTEN,  /* the output failed, or there was no memory */
	LOSS_REFUSED,      /* the receiver of an output refused it */
	LOSS_REASONS_COUNT,
};

/* A row of the table of probes; steptrace/probes.h explains the columns. */
struct probe_info {
	const char *name; /* "step__done" */
	enum span_kind span;
	enum probe_phase phase;
	enum record_form form;
	enum event_kind event;
	bool captured; /* the column "used" */
};

extern const struct probe_info probes[PROBES_COUNT];
extern const char *const event_names[EVENT_KINDS_COUNT];     /* "dsl.step.executed" */
extern const char *const loss_names[LOSS_REASONS_COUNT];     /* "buffer_full" */
extern const char *const blocked_names[BLOCKED_KINDS_COUNT]; /* "disk" */

/* How a span ended. A runner writes any of these. The tracer itself reports OUTCOME_ABORTED for a
 * span whose process ended first; such an event has a termination. */
enum {
	OUTCOME_SUCCESS = 1,
	OUTCOME_FAILURE = 2,
	OUTCOME_SKIPPED = 3,
	OUTCOME_ABORTED = 4,
	OUTCOME_CANCELLED = 5,
	OUTCOMES_COUNT,
};

static inline bool outcome__is_from_runner(unsigned int outcome)
{
	return outcome >= OUTCOME_SUCCESS && outcome < OUTCOMES_COUNT;
}

/* The names of numbers in spans; NULL if the number has no name. */
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
struct member;
struct termination;

struct event {
	enum event_kind kind;
	const struct steptrace_record *record;
	const struct execution *execution; /* NULL for EVENT_VALIDATION_FAILED */
	const struct member *member;       /* the process; NULL for EVENT_VALIDATION_FAILED */
	union {
		const struct span_head *head;
		const struct command_span *command;
		const struct step_span *step;
		const struct tool_span *tool;
		const struct fragment_span *fragment;
		const struct rejected_span *rejected;
	};
	const char *cgroup_path;                 /* EVENT_COMMAND_STARTED; NULL: not known */
	const struct steptrace_process *process; /* EVENT_VALIDATION_FAILED: that rejected it */
	uint64_t realtime_ns;                    /* EVENT_COMMAND_STARTED: since 1970 */
	uint64_t steps_lost;                     /* EVENT_COMMAND_COMPLETED */
	bool steps_lost_known;                   /* EVENT_COMMAND_COMPLETED */
	bool complete;                           /* EVENT_COMMAND_COMPLETED */

	uint64_t steps_aborted; /* EVENT_COMMAND_COMPLETED: that ended with their process */

	/* EVENT_STEP_EXECUTED, EVENT_COMMAND_COMPLETED: with --breakdown, and what the kernel
	 * measured. event__cpu() checks it. */
	bool has_breakdown;
	const struct steptrace_cpu *cpu; /* NULL: nothing */

	/* If the process ended before the span: how it ended, and which of its steps were open. */
	const struct termination *termination; /* NULL: the runner ended the span */
	const struct step_span *innermost;     /* the open step that began last; NULL: none */
	uint64_t open_steps;
};

/* Whether the runner suspended the span. How long it was suspended is known if its duration is. */
bool event__was_suspended(const struct event *event);

/* For how long the runner had suspended the span: its member suspended_ns, or 0. */
uint64_t event__suspended_ns(const struct event *event);

/* EVENT_STEP_EXECUTED, EVENT_COMMAND_COMPLETED: it failed, or it was aborted. */
bool event__has_failed(const struct event *event);

/* EVENT_COMMAND_STARTED: how long the command was in its queue. False if it was in none, or if the
 * time is not known. */
bool event__queued_ns(const struct event *event, uint64_t *ns);

/* EVENT_COMMAND_COMPLETED: the sum of the command's own counters and of the aborted steps;
 * UINT64_MAX if the sum is out of range. */
uint64_t event__steps_executed(const struct event *event);

/* How long the span took, without the time in which it was suspended. False if no tracer was
 * attached when it began, or if its times contradict each other or the kernel's clock. */
bool event__duration_ns(const struct event *event, uint64_t *ns);

/* Where the time of the span went. NULL: it was not measured, or it does not add up to the
 * duration. */
const struct steptrace_cpu *event__cpu(const struct event *event);

#endif
