// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * One handler for each probe. It filters, fills in a record and submits it:
 *
 *	static int hit_step__done(struct pt_regs *regs)
 *	{
 *		struct boundary at;
 *
 *		if (boundary__open(&at, regs, PROBE_STEP_DONE))
 *			EMIT_CHILD(&at, STEP_SPAN, STEP_SPAN_MIN_BYTES);
 *		return 0;
 *	}
 *
 * The probe has one argument, the address of the runner's span.
 *
 * For uprobe_multi links there is one program, `boundary`. A binary has one link with all of its
 * probes, and the cookie of a place is the number of the probe there. Perf links have no cookie
 * before Linux 5.15, so for these there is one program for each probe, with the name of the probe.
 * The "?" keeps libbpf from loading a program until src/steptrace/capture/ asks for it.
 */
#include "emit.bpf.h"

#define SPAN_TYPE(kind, no, type, ...) typedef struct type kind##_SPAN;
#define HANDLER(probe, no, name, span, phase, form, ...)                                           \
	static __always_inline int hit_##name(struct pt_regs *regs)                                \
	{                                                                                          \
		struct boundary at;                                                                \
                                                                                                   \
		if (boundary__open(&at, regs, PROBE_##probe))                                      \
			EMIT_##form(&at, span##_SPAN, span##_SPAN_MIN_BYTES);                      \
		return 0;                                                                          \
	}
#define PROGRAM(probe, no, name, ...)                                                              \
	SEC("?uprobe")                                                                             \
	int name(struct pt_regs *regs)                                                             \
	{                                                                                          \
		return hit_##name(regs);                                                           \
	}
#define CASE(probe, no, name, span, phase, form, event, used)                                      \
	case PROBE_##probe: return (used) ? hit_##name(regs) : 0;

STEPTRACE_SPANS(SPAN_TYPE)
STEPTRACE_PROBES(HANDLER)
STEPTRACE_PROBES(PROGRAM)

SEC("?uprobe")
int boundary(struct pt_regs *regs)
{
	switch (bpf_get_attach_cookie(regs)) {
		STEPTRACE_PROBES(CASE)
	}
	return 0;
}
