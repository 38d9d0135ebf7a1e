// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * One program for each probe, with the name of the probe. It filters, fills in a record and submits
 * it:
 *
 *	SEC("?uprobe")
 *	int step__done(struct pt_regs *regs)
 *	{
 *		struct boundary at;
 *
 *		if (boundary__open(&at, regs, PROBE_STEP_DONE))
 *			EMIT_CHILD(&at, STEP_SPAN, STEP_SPAN_MIN_BYTES);
 *		return 0;
 *	}
 *
 * The probe has one argument, the address of the runner's span. The "?" keeps libbpf from loading
 * the program until src/steptrace/capture/ asks for it.
 */
#include "emit.bpf.h"

#define SPAN_TYPE(kind, no, type, ...) typedef struct type kind##_SPAN;
#define PROGRAM(probe, no, name, span, phase, form, ...)                                           \
	SEC("?uprobe")                                                                             \
	int name(struct pt_regs *regs)                                                             \
	{                                                                                          \
		struct boundary at;                                                                \
                                                                                                   \
		if (boundary__open(&at, regs, PROBE_##probe))                                      \
			EMIT_##form(&at, span##_SPAN, span##_SPAN_MIN_BYTES);                      \
		return 0;                                                                          \
	}

STEPTRACE_SPANS(SPAN_TYPE)
STEPTRACE_PROBES(PROGRAM)
