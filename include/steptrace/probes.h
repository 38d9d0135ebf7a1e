/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The tables of spans and probes. bpf/ and src/steptrace/ derive from them what they know of a
 * probe: its number, its handler in the kernel, the layout of its record, which filters apply, the
 * order of attaching, the event that it makes.
 *
 * To add a probe: a row in STEPTRACE_PROBES and the probe itself in usdt/steptrace.h. If it makes
 * a new event: a row in STEPTRACE_EVENT_KINDS (src/steptrace/stream/event.h). If it points to a new
 * span: its struct in record.h and a row in STEPTRACE_SPANS. The compiler or
 * tests/unit/test_probes.c then names what is still missing.
 *
 * Numbers are part of the record. They are pinned, and a row is never removed: a probe that is no
 * longer recorded keeps its row, with a 0 in the last column.
 *
 * A table is a list of rows for a macro that its user defines:
 *
 *	#define NAME(probe, no, name, ...) [no] = #name,
 *	static const char *const names[] = {STEPTRACE_PROBES(NAME)};
 */
#ifndef STEPTRACE_PROBES_H
#define STEPTRACE_PROBES_H

/* clang-format off */

/*
 * kind		SPAN_<kind>
 * no		the number of the kind, which the runner writes into span_head.kind
 * type		the struct in record.h
 * min_bytes	the size of the struct when it was first published. A shorter span is invalid. If
 *		the full size cannot be read, this size is read, and then the size that the span
 *		says.
 * outcome	OUTCOME_AT(type): the member `outcome` says how the span ended.
 *		NO_OUTCOME: the span neither succeeds nor fails.
 *		ALWAYS_FAILED: the span has no such member, because it stands for a failure.
 *
 *     kind      no type           min_bytes                             outcome
 */
#define STEPTRACE_SPANS(ROW) \
  ROW(COMMAND,  1, command_span,  UP_TO(command_span, correlation_id),  OUTCOME_AT(command_span)) \
  ROW(STEP,     2, step_span,     UP_TO(step_span, name),               OUTCOME_AT(step_span)) \
  ROW(TOOL,     3, tool_span,     sizeof(struct tool_span),             OUTCOME_AT(tool_span)) \
  ROW(FRAGMENT, 4, fragment_span, sizeof(struct fragment_span),         NO_OUTCOME) \
  ROW(REJECTED, 5, rejected_span, UP_TO(rejected_span, invalid_fields), ALWAYS_FAILED)

/*
 * probe	PROBE_<probe>
 * no		the number of the probe, in records and as a bit in masks
 * name		as in the ELF note; the program in the BPF object has the same name
 * span		SPAN_<span>: what the argument of the probe points to
 * phase	PHASE_<phase>. BEGINS, ENDS: the span begins or ends here. MOMENT: both at once.
 * form		FORM_<form>: what the record holds beside the span (drawn in record.h).
 *		PROCESS: the process. From then on the end of the process is reported.
 *		COMMAND: process and command, if the reader may not know the command. The span is
 *		that of the command.
 *		CHILD: the same. The span belongs to a command: it begins with struct child_span.
 * event	EVENT_<event>: what a record of this probe becomes; NONE: no event of its own
 * used		1: `steptrace record` attaches to the probe, for its event or to know what is open
 *
 *     probe             no name               span      phase   form     event              used
 */
#define STEPTRACE_PROBES(ROW) \
  ROW(COMMAND_START,    0, command__start,    COMMAND,  BEGINS, PROCESS, COMMAND_STARTED,   1) \
  ROW(COMMAND_DONE,     1, command__done,     COMMAND,  ENDS,   COMMAND, COMMAND_COMPLETED, 1) \
  ROW(COMMAND_REJECTED, 2, command__rejected, REJECTED, MOMENT, PROCESS, VALIDATION_FAILED, 1) \
  ROW(STEP_START,       3, step__start,       STEP,     BEGINS, CHILD,   NONE,              1) \
  ROW(STEP_DONE,        4, step__done,        STEP,     ENDS,   CHILD,   STEP_EXECUTED,     1) \
  ROW(TOOL_START,       5, tool__start,       TOOL,     BEGINS, CHILD,   NONE,              0) \
  ROW(TOOL_DONE,        6, tool__done,        TOOL,     ENDS,   CHILD,   TOOL_COMPLETED,    1) \
  ROW(FRAGMENT_CHANGED, 7, fragment__changed, FRAGMENT, MOMENT, CHILD,   FRAGMENT_CHANGED,  1)

/* clang-format on */

enum probe_phase { PHASE_BEGINS, PHASE_ENDS, PHASE_MOMENT };

enum record_form { FORM_PROCESS, FORM_COMMAND, FORM_CHILD };

/* In the place of an offset. Every span begins with its head, so no outcome lies at these. */
enum { NO_OUTCOME = 0, ALWAYS_FAILED = 1 };

#define SPAN_NUMBER(kind, no, ...)   SPAN_##kind = (no),
#define PROBE_NUMBER(probe, no, ...) PROBE_##probe = (no),

enum span_kind { STEPTRACE_SPANS(SPAN_NUMBER) };

enum steptrace_probe {
	STEPTRACE_PROBES(PROBE_NUMBER) PROBES_COUNT, /* one more than the number of the last row */
};

#undef SPAN_NUMBER
#undef PROBE_NUMBER

#endif
