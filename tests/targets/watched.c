// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner that does nothing but say when somebody looks: a line "semaphore COUNT NS" for each
 * change of its semaphore, with the time on CLOCK_MONOTONIC, until stdin ends. Every probe of a
 * tracer raises the semaphore by one. It looks ten thousand times a second, which leaves the
 * processors to the tracer.
 */
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include <steptrace.h>

static void say_change(unsigned int count)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	printf("semaphore %u %llu\n", count,
	       (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec);
	fflush(stdout);
}

static void watch_semaphore(void)
{
	const struct timespec moment = {.tv_nsec = 100000};
	struct pollfd input = {.fd = 0, .events = POLLIN};
	unsigned int seen = 0;

	while (ppoll(&input, 1, &moment, NULL) == 0) {
		unsigned int count = steptrace_semaphore;

		if (count != seen)
			say_change(count);
		seen = count;
	}
}

int main(void)
{
	struct steptrace_command command;
	struct steptrace_step step;

	/* All probes have to be in the binary, as in any runner. */
	steptrace_command_init(&command, "watched");
	steptrace_command_begin(&command);
	steptrace_step_init(&step, &command, "NoStep");
	steptrace_step_begin(&step);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	puts("ready");
	fflush(stdout);
	watch_semaphore();
	return 0;
}
