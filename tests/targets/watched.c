// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner that only reports when a tracer attaches or detaches. Each probe that a tracer attaches
 * raises the runner's semaphore by one. For each change it prints "semaphore COUNT NS" with the
 * time of CLOCK_MONOTONIC, until stdin ends. It polls the semaphore 10,000 times a second, so that
 * it uses little processor time.
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

	/* The calls put all probes into the binary, as in a real runner. */
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
