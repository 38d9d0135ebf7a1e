// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/ring_sizes.h"

#include <stdbool.h>

#include "steptrace/record.h"

enum {
	FEW_CPUS = 4,
	RINGS_BY_DEFAULT_MAX = 16,
	RING_BYTES_BY_DEFAULT = 4 << 20,
	RING_BYTES_MIN = 1 << 16,
	BUFFER_BYTES_MIN = 16 << 20, /* of the default */
	BUFFER_BYTES_MAX = 64 << 20, /* of the default */
};

static uint64_t at_least(uint64_t value, uint64_t limit)
{
	return value > limit ? value : limit;
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
	return value < limit ? value : limit;
}

/* The largest power of two up to `value`. */
static uint64_t power_of_two(uint64_t value)
{
	while (value & (value - 1))
		value &= value - 1;
	return value;
}

static uint64_t rings_for(long cpus)
{
	if (cpus <= FEW_CPUS)
		return 1;
	return at_most(power_of_two((uint64_t)cpus) / 2, RINGS_BY_DEFAULT_MAX);
}

void ring_sizes__choose(struct ring_sizes *sizes, long cpus)
{
	bool is_given = sizes->rings_count != 0;
	uint64_t rings = is_given ? sizes->rings_count : rings_for(cpus);
	uint64_t buffer = sizes->buffer_bytes;

	if (!buffer)
		buffer = at_least(at_most(rings * RING_BYTES_BY_DEFAULT, BUFFER_BYTES_MAX),
				  BUFFER_BYTES_MIN);
	buffer = power_of_two(at_least(buffer, RING_BYTES_MIN));
	rings = at_most(rings, buffer / (is_given ? RING_BYTES_MIN : RING_BYTES_BY_DEFAULT));
	sizes->buffer_bytes = buffer;
	sizes->rings_count = power_of_two(at_least(at_most(rings, RINGS_MAX), 1));
}
