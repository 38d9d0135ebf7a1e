/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of usdt/steptrace.h without a tracer. The kernel raises the semaphore when a tracer
 * attaches. Here the test does, so the calls fill in their spans, and the probe functions run
 * without a breakpoint. Include <cmocka.h> first.
 */
#ifndef TESTS_USDT_FIXTURE_H
#define TESTS_USDT_FIXTURE_H

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <steptrace.h>

#include "own_semaphore.h"

#define USDT_TEST(name) cmocka_unit_test_teardown(name, detached_again)

static inline void attach(void)
{
	semaphore__raise();
}

static inline void detach(void)
{
	semaphore__lower();
}

static inline int detached_again(void **state)
{
	(void)state;
	semaphore__set(0);
	return 0;
}

static inline int is_zero(const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (((const uint8_t *)bytes)[i])
			return 0;
	return 1;
}

/* Version 4, variant 1, and not nothing. */
static inline void expect_uuid(const uint64_t id[2])
{
	const uint8_t *bytes = (const uint8_t *)id;

	assert_int_equal(bytes[6] >> 4, 4);
	assert_int_equal(bytes[8] >> 6, 2);
}

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* A command and a step as a runner has them on its stack: full of what lay there before. */
struct work {
	struct steptrace_command command;
	struct steptrace_step step, inner;
	struct steptrace_tool tool;
};

static inline void begin_work(struct work *work)
{
	memset(work, 0xa5, sizeof(*work));
	steptrace_command_init(&work->command, "fragment.update");
	steptrace_command_begin(&work->command);
	steptrace_step_init(&work->step, &work->command, "DatabaseUpdateStep");
	steptrace_step_begin(&work->step);
}

static inline int by_both_words(const void *left, const void *right)
{
	return memcmp(left, right, 16);
}

static inline void expect_all_different(uint64_t (*ids)[2], size_t count)
{
	qsort(ids, count, sizeof(*ids), by_both_words);
	for (size_t i = 1; i < count; i++)
		if (memcmp(ids[i - 1], ids[i], 16) == 0)
			fail_msg("an id stands twice among %zu", count);
}

static inline void take_step_ids(struct steptrace_command *command, uint64_t (*ids)[2],
				 size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct steptrace_step step;

		steptrace_step_init(&step, command, "S");
		steptrace_step_begin(&step);
		memcpy(ids[i], step.span.step_id, 16);
	}
}

#endif
