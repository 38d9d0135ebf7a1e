/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many ring buffers there are, and how large they are together, where nobody said so.
 *
 *	processors   buffers   together		Processors that share one wait for each other there, so
 *	up to 4      1         16M		there are several. One runner that does nothing but
 *	8            4         16M		execute steps fills 4M in some 15 ms; with less for each of
 *	16           8         32M		them the reader comes too late now and then.
 *	32 and more  16        64M
 */
#ifndef STEPTRACE_RING_SIZES_H
#define STEPTRACE_RING_SIZES_H

#include <stdint.h>

struct ring_sizes {
	uint64_t buffer_bytes; /* of all together */
	uint64_t rings_count;
};

/* Fills in what is 0; both become powers of two, and a buffer 64K at least. */
void ring_sizes__choose(struct ring_sizes *sizes, long cpus);

#endif
