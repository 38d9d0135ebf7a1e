/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many ring buffers there are, and how large they are together, where no option says it.
 *
 *	processors   buffers   together
 *	up to 4      1         16M
 *	8            4         16M
 *	16           8         32M
 *	32 and more  16        64M
 *
 * Processors that share a buffer wait for each other in it, so there are several. One runner that
 * does nothing but execute steps fills 4M in some 15 ms: with less for each processor the reader
 * is sometimes too late.
 */
#ifndef STEPTRACE_RING_SIZES_H
#define STEPTRACE_RING_SIZES_H

#include <stdint.h>

struct ring_sizes {
	uint64_t buffer_bytes; /* all buffers together */
	uint64_t rings_count;
};

/* Replaces a 0 by the default. Both become powers of two, and each buffer gets at least 64K. */
void ring_sizes__choose(struct ring_sizes *sizes, long cpus);

#endif
