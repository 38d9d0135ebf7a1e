/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks the bytes of one record of a probe and points to its parts.
 *
 * The spans come from the traced process and may hold anything. After decode__record() returned 0:
 *
 * - Every span that is not NULL has the right kind and layout, and all of our members. Members that
 *   an older runner does not have are 0.
 * - Outcomes and operations are known ones.
 * - Text is not checked: it may hold any bytes, and it ends at a NUL or at the end of its member.
 * - Times are not checked: they may contradict each other (see event__duration_ns()).
 */
#ifndef STEPTRACE_DECODE_H
#define STEPTRACE_DECODE_H

#include <stddef.h>

#include "steptrace/record.h"

struct decoded {
	const struct steptrace_record *record;
	union { /* by record->probe */
		const struct span_head *head;
		const struct command_span *command;
		const struct step_span *step;
		const struct tool_span *tool;
		const struct fragment_span *fragment;
		const struct rejected_span *rejected;
	};
	const struct steptrace_process *process; /* NULL: not in the record */
	const struct command_span *context;      /* the command it belongs to; NULL: not in it */
	const struct steptrace_cpu *cpu;         /* where its time went; NULL: not in it */

	/* Copies of spans that are shorter than ours. The pointers above may point here. */
	union {
		struct command_span command;
		struct step_span step;
		struct tool_span tool;
		struct fragment_span fragment;
		struct rejected_span rejected;
	} span_room;
	struct command_span context_room;
	struct steptrace_process process_room; /* for pseudonyms__apply() */
};

/*
 * `bytes` is 8-byte aligned and stays valid while `decoded` is used. Returns 0,
 * -EBADMSG (a size, a kind or a value in the record is invalid) or
 * -EPROTONOSUPPORT (a span has another layout than SPAN_LAYOUT).
 */
int decode__record(const void *bytes, size_t size_bytes, struct decoded *decoded);

#endif
