// SPDX-License-Identifier: BSD-2-Clause
/* The ids that usdt/steptrace.h makes, when several files of a program or several threads use the
 * same span. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <steptrace.h>
#include <string.h>

#include "own_semaphore.h"

static int attach(void **state)
{
	(void)state;
	semaphore__raise();
	return 0;
}

static int detach(void **state)
{
	(void)state;
	semaphore__lower();
	return 0;
}

/* Each source file that includes the header has its own seed. This switches to another seed, as if
 * the next calls came from another file. */
static void in_another_file(void)
{
	steptrace__seed[0] = steptrace__mix(steptrace__seed[0]);
	steptrace__thread_key = 0;
}

static void an_id_that_was_read_does_not_change(void **state)
{
	struct steptrace_command command;
	struct steptrace_step step;
	char told[37], later[37];

	steptrace_command_init(&command, "slug");
	steptrace_command_id(&command, told);
	steptrace_step_init(&step, &command, "Step");
	attach(state);
	in_another_file();
	steptrace_step_begin(&step);
	steptrace_step_end(&step, STEPTRACE_SUCCESS);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	detach(state);
	steptrace_command_id(&command, later);
	assert_string_equal(told, later);
	assert_memory_equal(step.span.head.execution_id, command.span.head.execution_id, 16);
}

/* A thread may find an id of which another thread has written only the first half. */
static void a_half_written_id_is_completed(void **state)
{
	uint64_t id[2] = {0, 0}, first_half;

	(void)state;
	steptrace__id_once(id);
	first_half = id[0];
	id[1] = 0;
	steptrace__id_once(id);
	assert_int_equal(id[0], first_half);
	assert_true(id[1] != 0);
}

static void threads_beyond_the_range_differ(void **state)
{
	uint64_t first[2], second[2];

	(void)state;
	steptrace__page->threads_count = 0;
	steptrace__thread_key = 0;
	steptrace__id_new(first);
	steptrace__page->threads_count = UINT64_C(1) << 24;
	steptrace__thread_key = 0;
	steptrace__id_new(second);
	assert_int_equal(first[0], second[0]); /* the first half repeats, the whole id does not */
	assert_int_not_equal(first[1], second[1]);
}

struct child {
	struct steptrace_step step;
	pthread_barrier_t *start;
};

static void *end_child(void *data)
{
	struct child *child = data;

	pthread_barrier_wait(child->start);
	steptrace_step_begin(&child->step);
	steptrace_step_end(&child->step, STEPTRACE_SUCCESS);
	return NULL;
}

/* The parent step began while no tracer was attached, so it has no id. Four threads need its id at
 * the same time and must all see the same one. */
static void children_agree_on_their_parent(void **state)
{
	(void)state;
	for (int round = 0; round < 500; round++) {
		struct steptrace_command command;
		struct steptrace_step parent;
		struct child children[4];
		pthread_barrier_t start;
		pthread_t threads[4];

		steptrace_command_init(&command, "slug");
		steptrace_step_init(&parent, &command, "Parent");
		pthread_barrier_init(&start, NULL, 4);
		for (int i = 0; i < 4; i++) {
			steptrace_step_init(&children[i].step, &command, "Child");
			children[i].step.parent = &parent;
			children[i].start = &start;
			pthread_create(&threads[i], NULL, end_child, &children[i]);
		}
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&start);
		for (int i = 0; i < 4; i++)
			assert_memory_equal(children[i].step.span.parent_step_id,
					    parent.span.step_id, 16);
		assert_int_equal(command.steps_count[STEPTRACE_SUCCESS], 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_that_was_read_does_not_change),
		cmocka_unit_test(a_half_written_id_is_completed),
		cmocka_unit_test(threads_beyond_the_range_differ),
		cmocka_unit_test_setup_teardown(children_agree_on_their_parent, attach, detach),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
