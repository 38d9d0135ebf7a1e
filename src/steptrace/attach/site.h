/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sites: the instructions in a probe function of usdt/steptrace.h to which a probe can be
 * attached.
 *
 *	x86-64    +0  nop			1 byte	any kernel, a trap
 *		  +1  nopl 0(%rax,%rax,1)	5 bytes	from 6.18 a call, faster; before, slower
 *		  +6  nopw %cs:0(%rax,%rax,1)	10 bytes for kernels that need that much room
 *	aarch64   +0  nop
 *
 * The offsets count from the place that the SystemTap note names. site_choice.h chooses among
 * them.
 */
#ifndef STEPTRACE_SITE_H
#define STEPTRACE_SITE_H

#include <stddef.h>
#include <stdint.h>

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

enum { SITES_BYTES = 16 }; /* of all sites of a probe function together */

/* Which kinds of sites these bytes contain, as a bit set of 1 << kind. Fewer than SITES_BYTES bytes
 * may be given: then the kinds that do not fit are missing. */
unsigned int site__recognise(const uint8_t *bytes, size_t size_bytes);

#endif
