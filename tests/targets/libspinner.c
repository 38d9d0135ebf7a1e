// SPDX-License-Identifier: BSD-2-Clause
/* A shared library that the order "library" of profiled.c loads. SPINNER is the name of the
 * function that computes for SPINNER_MS of processor time. */
#include <stdint.h>
#include <time.h>

#ifndef SPINNER
#define SPINNER spin_in_library
#endif
#ifndef SPINNER_MS
#define SPINNER_MS 200
#endif

#define STEP __attribute__((noinline, noclone))

static volatile int after;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int SPINNER(void);
int library_step(void);

STEP int SPINNER(void)
{
	uint64_t end_ns = cpu_ns() + SPINNER_MS * 1000000ull;

	while (cpu_ns() < end_ns)
		for (int i = 0; i < 100000; i++)
			after = 0;
	return after;
}

STEP int library_step(void)
{
	return SPINNER() + after;
}
