/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to attach in a binary, and in which order: one link order for all of its probes.
 */
#ifndef STEPTRACE_LINK_PLAN_H
#define STEPTRACE_LINK_PLAN_H

#include "steptrace/attach/binary.h"
#include "steptrace/attach/link_holder.h"
#include "steptrace/attach/site_choice.h"
#include "steptrace/capture/capture.h"

struct link_plan {
	struct link_order order;        /* without its head and its pid */
	int fds[1 + LINK_PROGRAMS_MAX]; /* the binary, then the programs; all borrowed */
	size_t programs_count;
};

/*
 * The kernel attaches in the order of the plan. The probes of ends come first, command__done before
 * all others. The probes of starts come last, command__start after all others. So when a start is
 * recorded, its end will be recorded, too, and so will the end of its command.
 */
void link_plan__make(struct link_plan *plan, const struct binary *binary,
		     const struct capture *capture, const struct site_choice *choice);

#endif
