/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the bytes of one ring-buffer record to something that can be used.
 *
 * The spans come from the traced process and may hold anything. After decode__record succeeded:
 * every span that is not NULL is of the right kind and layout and has all of our fields (those
 * that an older runner does not have are 0); outcomes and operations are known ones. Text is
 * still foreign: NUL-padded fields, any bytes. Stamps may contradict (see event__duration_ns).
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
	const struct steptrace_process *process; /* NULL: the record does not say */
	const struct command_span *context;      /* the command it belongs to; NULL: not said */

	/* Where a span goes that is shorter than ours. The pointers above may lead here. */
	union {
		struct command_span command;
		struct step_span step;
		struct tool_span tool;
		struct fragment_span fragment;
		struct rejected_span rejected;
	} span_room;
	struct command_span context_room;
	struct steptrace_process process_room; /* for those who change it */
};

/*
 * `bytes` is 8-byte aligned and stays valid while `decoded` is used. Returns 0,
 * -EBADMSG (the record or a span in it makes no sense) or
 * -EPROTONOSUPPORT (a span of a layout that this tracer does not know).
 */
int decode__record(const void *bytes, size_t size_bytes, struct decoded *decoded);

#endif
