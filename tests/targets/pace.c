// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner with a constant load:
 *
 *	pace STEPS SECONDS
 *
 * It runs STEPS steps per second for SECONDS seconds, in commands of five steps, in a burst every
 * 5 ms.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <steptrace.h>

enum { BURST_NS = 5000000, SECOND_NS = 1000000000, STEPS = 5 };

static void run_command(void)
{
	struct steptrace_command command;
	struct steptrace_step step;

	steptrace_command_init(&command, "pace.walk");
	command.user_id = "walker";
	steptrace_command_begin(&command);
	for (uint16_t i = 0; i < STEPS; i++) {
		steptrace_step_init(&step, &command, "WalkStep");
		step.name = "walk";
		step.index = i;
		steptrace_step_begin(&step);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
	}
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void sleep_until(struct timespec *when)
{
	when->tv_nsec += BURST_NS;
	if (when->tv_nsec >= SECOND_NS) {
		when->tv_nsec -= SECOND_NS;
		when->tv_sec++;
	}
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, when, NULL) == EINTR)
		continue;
}

int main(int argc, char **argv)
{
	long steps = argc == 3 ? atol(argv[1]) : 0, seconds = argc == 3 ? atol(argv[2]) : 0;
	long bursts = seconds * (SECOND_NS / BURST_NS), due = 0;
	struct timespec when;

	if (steps < 1 || seconds < 1)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &when);
	for (long burst = 1; burst <= bursts; burst++) {
		long commands = steps * burst / (SECOND_NS / BURST_NS) / STEPS;

		for (; due < commands; due++)
			run_command();
		sleep_until(&when);
	}
	printf("%ld commands\n", due);
	return 0;
}
