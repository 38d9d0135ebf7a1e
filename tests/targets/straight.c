// SPDX-License-Identifier: BSD-2-Clause
/*
 * A program without probes, of 2,048 steps of arithmetic without a loop. A breakpoint anywhere in
 * its first 64 KiB changes the result that it prints, or kills it.
 */
#if defined(__clang__)
#pragma clang optimize off /* takes a minute otherwise */
#else
#pragma GCC optimize("O0")
#endif

#include <stdint.h>
#include <stdio.h>

#define ONE     state = (state ^ (state >> 29)) * 6364136223846793005u + 1442695040888963407u;
#define FOUR    ONE ONE ONE ONE
#define SIXTEEN FOUR FOUR FOUR FOUR
#define MANY    SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define MORE    MANY MANY MANY MANY
#define MOST    MORE MORE MORE MORE

int main(int argc, char **argv)
{
	uint64_t state = (uint64_t)argc;

	(void)argv;
	MOST MOST;
	printf("%016llx\n", (unsigned long long)state);
	return 0;
}
