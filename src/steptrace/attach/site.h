/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sites of a probe function, as usdt/steptrace.h lays them out, and which one to use.
 *
 *	x86-64    +0  nop			1 byte	any kernel, a trap
 *		  +1  nopl 0(%rax,%rax,1)	5 bytes	from 6.18 a call, faster; before, slower
 *		  +6  nopw %cs:0(%rax,%rax,1)	10 bytes for kernels that want that much room
 *	aarch64   +0  nop
 *
 * Which is fastest depends on the kernel, and version numbers lie (backports): site__choose()
 * attaches to such a function in this very process and measures.
 *
 * Fast is not enough. Linux 6.18 turns the 5-byte site into a call of a page that it maps for the
 * process, and does not give that page to a fork: a child that reaches the probe dies of SIGSEGV.
 * So every site but the trap is also tried in a child, and one that kills it is not chosen.
 */
#ifndef STEPTRACE_SITE_H
#define STEPTRACE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/capture/uprobe.h"

enum site_kind {
	SITE_NOP1,
	SITE_NOP5,
	SITE_NOP10,
	SITE_KINDS_COUNT,
};

struct site_info {
	const char *name;        /* "nop5" */
	unsigned int offset;     /* from the place that the note names */
	unsigned int size_bytes; /* 0: this machine has none */
	uint8_t bytes[10];
};

extern const struct site_info sites[SITE_KINDS_COUNT];

enum { SITES_BYTES = 16 }; /* all of them together */

/* Which sites lie in these bytes, as a bit set; only 1 << SITE_NOP1 where less is given. */
unsigned int site__recognise(const uint8_t *bytes, size_t size_bytes);

struct site_choice {
	double ns_per_hit[SITE_KINDS_COUNT]; /* 0: did not fire or was not tried */
	bool is_trap[SITE_KINDS_COUNT];      /* the kernel made nothing better of it */
	bool kills_forks[SITE_KINDS_COUNT]; /* a forked child that reaches the probe dies, or may */
	struct uprobe held[SITE_KINDS_COUNT];
};

/*
 * Measures for a few milliseconds; 0 or negative errno (then the 1-byte site is the choice). The
 * probes on ourselves stay attached until site__release(): to detach means to wait for every
 * processor, tens of milliseconds that belong behind the work.
 */
int site__measure(struct site_choice *choice);
void site__release(struct site_choice *choice);

/* What a hit costs with this program, loaded as `method` wants it: it is attached to a site of our own,
 * which is hit with `argument`, and detached again. 0: it could not be attached. */
double site__measure_program(int program_fd, enum uprobe_method method, enum site_kind kind,
			     const void *argument);

/* The fastest of `available` (a bit set that has SITE_NOP1 in it) that harms nobody. */
enum site_kind site__choose(const struct site_choice *choice, unsigned int available);

#endif
