// SPDX-License-Identifier: BSD-2-Clause
/*
 * A runner for measuring what a profile costs. Its threads have as many bytes of stack in use as
 * runners have, in frames of 256 bytes. It reads one order from each line of stdin:
 *
 *	switch N BYTES		two threads on one processor hand a byte to each other N times
 *	inside N BYTES		the same, each of them inside a step
 *	busy N MS BYTES		N threads compute in steps of 20 ms until MS have passed
 *
 * The answer is "NS" for a switch: nanoseconds of processor time of this process for one switch. It
 * is "ROUNDS NS" for the others: how often they did a fixed amount of work, and the processor time
 * of the process for it.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <steptrace.h>

enum { FRAME_BYTES = 256, THREADS_MAX = 1000, STEP_NS = 20000000 };

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- a deep stack */

static volatile int after;

/* Calls `work` with about so many bytes of stack in use. */
__attribute__((noinline, noclone)) static int descend(int bytes, void (*work)(void *),
						      void *context)
{
	volatile char frame[FRAME_BYTES - 64];

	frame[0] = 1;
	if (bytes > FRAME_BYTES)
		descend(bytes - FRAME_BYTES, work, context);
	else
		work(context);
	return after + frame[0];
}

/* ---- spans */

struct span {
	struct steptrace_command command;
	struct steptrace_step step;
};

static void begin(struct span *span)
{
	steptrace_command_init(&span->command, "bench.handing");
	steptrace_command_begin(&span->command);
	steptrace_step_init(&span->step, &span->command, "HandingStep");
	steptrace_step_begin(&span->step);
}

static void end(struct span *span)
{
	steptrace_step_end(&span->step, STEPTRACE_SUCCESS);
	steptrace_command_end(&span->command, STEPTRACE_SUCCESS);
}

/* ---- switches */

struct side {
	int from, to, count, bytes, is_in_step;
};

static void stay_on_one_processor(void)
{
	cpu_set_t allowed, one;
	int last = 0;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		last = CPU_ISSET(cpu, &allowed) ? cpu : last;
	CPU_ZERO(&one);
	CPU_SET(last, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

static void pass_on(void *context)
{
	const struct side *side = context;
	char byte = 0;

	for (int i = 0; i < side->count; i++)
		if (read(side->from, &byte, 1) != 1 || write(side->to, &byte, 1) != 1)
			abort();
}

static void *run_side(void *context)
{
	struct side *side = context;
	struct span span;

	stay_on_one_processor();
	if (side->is_in_step)
		begin(&span);
	descend(side->bytes, pass_on, side);
	if (side->is_in_step)
		end(&span);
	return NULL;
}

static double switch_ns(int count, int bytes, int is_in_step)
{
	int first[2], second[2];
	pthread_t threads[2];
	uint64_t start_ns;

	if (pipe(first) || pipe(second))
		abort();
	struct side sides[2] = {{first[0], second[1], count, bytes, is_in_step},
				{second[0], first[1], count, bytes, is_in_step}};
	start_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, run_side, &sides[i]);
	if (write(first[1], "", 1) != 1)
		abort();
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < 2; i++) {
		close(sides[i].from);
		close(sides[i].to);
	}
	return (double)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns) / (2.0 * count);
}

/* ---- work */

static uint64_t until_ns;

struct worker {
	pthread_t thread;
	uint64_t rounds;
	int bytes;
};

__attribute__((noinline)) static void work_once(void)
{
	uint64_t value = 1;

	for (int i = 0; i < 10000; i++)
		value = value * 6364136223846793005ull + 1442695040888963407ull;
	__asm__ volatile("" : : "r"(value));
}

static void work(void *context)
{
	struct worker *worker = context;
	uint64_t step_ends_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) + STEP_NS;

	do {
		work_once();
		worker->rounds++;
	} while (now_ns(CLOCK_THREAD_CPUTIME_ID) < step_ends_ns &&
		 now_ns(CLOCK_MONOTONIC) < until_ns);
}

static void *run_worker(void *context)
{
	struct worker *worker = context;
	struct span span;

	while (now_ns(CLOCK_MONOTONIC) < until_ns) {
		begin(&span);
		descend(worker->bytes, work, worker);
		end(&span);
	}
	return NULL;
}

static void be_busy(int count, int ms, int bytes)
{
	static struct worker workers[THREADS_MAX];
	uint64_t start_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID), rounds = 0;

	until_ns = now_ns(CLOCK_MONOTONIC) + (uint64_t)ms * 1000000;
	for (int i = 0; i < count; i++) {
		workers[i].rounds = 0;
		workers[i].bytes = bytes;
		if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]))
			abort();
	}
	for (int i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		rounds += workers[i].rounds;
	}
	printf("%llu %llu\n", (unsigned long long)rounds,
	       (unsigned long long)(now_ns(CLOCK_PROCESS_CPUTIME_ID) - start_ns));
}

int main(void)
{
	int count, ms, bytes;
	char line[128];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "switch %d %d", &count, &bytes) == 2)
			printf("%.1f\n", switch_ns(count, bytes, 0));
		else if (sscanf(line, "inside %d %d", &count, &bytes) == 2)
			printf("%.1f\n", switch_ns(count, bytes, 1));
		else if (sscanf(line, "busy %d %d %d", &count, &ms, &bytes) == 3 && count > 0 &&
			 count <= THREADS_MAX)
			be_busy(count, ms, bytes);
		else
			return 2;
	}
	return 0;
}
