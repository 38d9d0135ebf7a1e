/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which kind of site to attach to on this kernel.
 *
 * The fastest kind depends on the kernel, and the version number does not tell: distributions
 * port changes back. So each kind is attached to in this program and measured (see site_trial.h).
 *
 * Fast is not enough. Linux 6.18 turns the 5-byte site into a call of a page that it maps into
 * the process, and does not map that page into a forked child: a child that reaches the probe
 * dies of SIGSEGV. So every kind but the trap is also tried in forked children, and a kind that
 * kills them is not chosen.
 */
#ifndef STEPTRACE_SITE_CHOICE_H
#define STEPTRACE_SITE_CHOICE_H

#include <stdbool.h>

#include "steptrace/attach/site.h"
#include "steptrace/capture/uprobe.h"

struct site_choice {
	double ns_per_hit[SITE_KINDS_COUNT]; /* 0: the probe did not fire, or was not tried */
	bool is_trap[SITE_KINDS_COUNT];      /* the kernel did not replace the trap by a call */
	bool kills_forks[SITE_KINDS_COUNT]; /* a forked child that reaches the probe dies, or may */
	struct uprobe held[SITE_KINDS_COUNT]; /* the probes in this program */
};

/*
 * Measures for a few milliseconds. Returns 0 or negative errno; then site__choose() returns
 * SITE_NOP1. The probes in this program stay attached until site__release(), because detaching
 * waits tens of milliseconds for all processors and the caller has more urgent work.
 */
int site__measure(struct site_choice *choice);
void site__release(struct site_choice *choice);

/*
 * What a hit costs with this program, in nanoseconds; 0: it could not be attached. The program
 * must be loaded as `method` requires. It is attached with `cookie` to a site of this program,
 * which is hit with `argument`, and detached again.
 */
double site__measure_program(int program_fd, enum uprobe_method method, enum site_kind kind,
			     uint64_t cookie, const void *argument);

/* The fastest usable kind of `available`, a bit set that contains SITE_NOP1. */
enum site_kind site__choose(const struct site_choice *choice, unsigned int available);

#endif
