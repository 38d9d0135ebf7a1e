/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread that wants the processor of the calling thread all the time.
 *
 *	struct competition competition;
 *	competition__begin(&competition);
 *	...				(work that waits for the processor half of the time)
 *	competition__end(&competition);
 */
#ifndef TESTS_COMPETITION_H
#define TESTS_COMPETITION_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct competition {
	pthread_t thread;
	cpu_set_t before; /* the processors that the calling thread may use otherwise */
	atomic_bool goes_on;
};

static void *competition__run(void *context)
{
	const struct competition *competition = context;

	while (competition->goes_on)
		continue;
	return NULL;
}

/* Both threads are allowed to use the first processor of this thread only. */
static void competition__begin(struct competition *competition)
{
	cpu_set_t one;
	int cpu = 0;

	sched_getaffinity(0, sizeof(competition->before), &competition->before);
	while (!CPU_ISSET(cpu, &competition->before))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	competition->goes_on = true;
	pthread_create(&competition->thread, NULL, competition__run, competition);
}

static void competition__end(struct competition *competition)
{
	competition->goes_on = false;
	pthread_join(competition->thread, NULL);
	sched_setaffinity(0, sizeof(competition->before), &competition->before);
}

#endif
