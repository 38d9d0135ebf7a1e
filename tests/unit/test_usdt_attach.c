// SPDX-License-Identifier: BSD-2-Clause
/* A tracer attaches or detaches in the middle; and what the runner notices of it: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usdt_fixture.h"

enum { THREADS = 8, IDS_PER_THREAD = 20000 };

/* Attached while the inner step was running: the outer one is described for its sake, and keeps
 * its id when it ends. */
static void an_outer_step_that_began_unseen(void **state)
{
	struct work work;
	uint64_t id[2];

	(void)state;
	begin_work(&work);
	steptrace_step_init(&work.inner, &work.command, "InnerStep");
	work.inner.parent = &work.step;
	steptrace_step_begin(&work.inner);
	attach();
	steptrace_step_end(&work.inner, STEPTRACE_SUCCESS);
	expect_uuid(work.step.span.step_id);
	memcpy(id, work.step.span.step_id, 16);
	assert_memory_equal(work.inner.span.parent_step_id, id, 16);
	assert_int_equal(work.inner.span.depth, 1);
	steptrace_step_end(&work.step, STEPTRACE_SUCCESS);
	assert_memory_equal(work.step.span.step_id, id, 16);
	assert_int_equal(work.step.span.head.start_ns, 0);
}

/* The tracer knows the parent's execution, not the child's: as if it had begun unseen there. */
static int child_announces_nothing(struct work *work)
{
	uint64_t id[2];

	memcpy(id, work->command.span.head.execution_id, 16);
	steptrace_step_end(&work->step, STEPTRACE_SUCCESS);
	if (work->step.span.owner.command_announced_ns)
		return 1;
	steptrace_step_init(&work->inner, &work->command, "InTheChild");
	steptrace_step_begin(&work->inner);
	if (work->inner.span.owner.command_announced_ns)
		return 2;
	steptrace_command_end(&work->command, STEPTRACE_SUCCESS);
	if (work->command.span.announced_ns)
		return 3;
	return memcmp(id, work->command.span.head.execution_id, 16) ? 4 : 0;
}

static void a_command_that_goes_on_in_a_child(void **state)
{
	struct work work;
	int status = 0;
	pid_t child;

	(void)state;
	attach();
	begin_work(&work);
	assert_true(work.step.span.owner.command_announced_ns > 0);
	child = fork();
	if (child == 0)
		_exit(child_announces_nothing(&work));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	steptrace_step_end(&work.step, STEPTRACE_SUCCESS);
	steptrace_command_end(&work.command, STEPTRACE_SUCCESS);
	assert_true(work.step.span.owner.command_announced_ns == work.command.span.announced_ns);
	assert_true(work.command.span.announced_ns > 0);
}

struct branch {
	struct steptrace_step step;
	pthread_barrier_t *start;
};

static void *end_branch(void *context)
{
	struct branch *branch = context;

	pthread_barrier_wait(branch->start);
	steptrace_step_end(&branch->step, STEPTRACE_SUCCESS);
	return NULL;
}

/* Branches that began unseen end side by side: all of them name one parent, and one execution. */
static void branches_find_their_parent_undescribed(void **state)
{
	struct branch branches[THREADS];
	pthread_t threads[THREADS];
	pthread_barrier_t start;

	(void)state;
	for (int round = 0; round < 200; round++) {
		struct work work;

		begin_work(&work);
		pthread_barrier_init(&start, NULL, THREADS);
		for (int i = 0; i < THREADS; i++) {
			steptrace_step_init(&branches[i].step, &work.command, "Branch");
			branches[i].step.parent = &work.step;
			branches[i].start = &start;
			steptrace_step_begin(&branches[i].step);
		}
		attach();
		for (int i = 0; i < THREADS; i++)
			assert_int_equal(
				pthread_create(&threads[i], NULL, end_branch, &branches[i]), 0);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		pthread_barrier_destroy(&start);
		detach();
		for (int i = 0; i < THREADS; i++) {
			const struct steptrace_step_span *span = &branches[i].step.span;

			assert_memory_equal(span->parent_step_id, work.step.span.step_id, 16);
			assert_memory_equal(span->head.execution_id,
					    work.command.span.head.execution_id, 16);
		}
	}
}

static void what_began_unseen_has_no_start_and_is_described(void **state)
{
	struct work work;

	(void)state;
	begin_work(&work);
	work.step.name = "late";
	attach();
	steptrace_step_end(&work.step, STEPTRACE_SUCCESS);
	assert_int_equal(work.step.span.head.start_ns, 0);
	assert_true(work.step.span.head.end_ns > 0);
	assert_int_equal(work.step.span.owner.command_announced_ns, 0);
	assert_string_equal(work.step.span.name, "late");
	expect_uuid(work.step.span.step_id);
	assert_string_equal(work.command.span.slug, "fragment.update");
	steptrace_command_end(&work.command, STEPTRACE_SUCCESS);
	assert_int_equal(work.command.span.head.start_ns, 0);
	assert_int_equal(work.command.span.announced_ns, 0);
	assert_memory_equal(work.command.span.head.execution_id, work.step.span.head.execution_id,
			    16);
}

static void nobody_attached_nothing_stamped(void **state)
{
	struct steptrace_tool untouched;
	struct work work;

	(void)state;
	begin_work(&work);
	memset(&untouched, 0xa5, sizeof(untouched));
	work.tool = untouched;
	steptrace_tool_init(&work.tool, &work.command, &work.step, "shell");
	steptrace_tool_begin(&work.tool);
	steptrace_tool_end(&work.tool, STEPTRACE_SUCCESS);
	steptrace_step_end(&work.step, STEPTRACE_SUCCESS);
	steptrace_command_end(&work.command, STEPTRACE_SUCCESS);
	assert_memory_equal(&work.tool.span, &untouched.span, sizeof(untouched.span));
	assert_int_equal(work.command.span.head.start_ns, 0);
	assert_int_equal(work.command.span.announced_ns, 0);
	assert_true(is_zero(work.command.span.head.execution_id, 16));
	assert_false(work.command.described || work.step.described || work.tool.described);
}

static void counters_count_with_and_without_a_tracer(void **state)
{
	static const enum steptrace_outcome outcomes[] = {
		STEPTRACE_SUCCESS, STEPTRACE_FAILURE, STEPTRACE_SUCCESS,   STEPTRACE_SKIPPED,
		STEPTRACE_SKIPPED, STEPTRACE_SKIPPED, STEPTRACE_CANCELLED, STEPTRACE_ABORTED,
		STEPTRACE_ABORTED, STEPTRACE_ABORTED, STEPTRACE_ABORTED,
	};
	struct work work;

	(void)state;
	begin_work(&work);
	for (int round = 0; round < 10; round++) {
		for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
			semaphore__set((round + (int)i) % 3 == 0);
			steptrace_step_init(&work.step, &work.command, "S");
			steptrace_step_begin(&work.step);
			steptrace_step_end(&work.step, outcomes[i]);
		}
	}
	semaphore__set(1);
	steptrace_command_end(&work.command, STEPTRACE_SUCCESS);
	assert_int_equal(work.command.span.steps_successful, 20);
	assert_int_equal(work.command.span.steps_failed, 10);
	assert_int_equal(work.command.span.steps_skipped, 30);
	assert_int_equal(work.command.span.steps_aborted, 40);
	assert_int_equal(work.command.span.steps_cancelled, 10);
}

static void *end_steps(void *context)
{
	for (int i = 0; i < IDS_PER_THREAD; i++) {
		struct steptrace_step step;

		steptrace_step_init(&step, context, "S");
		steptrace_step_begin(&step);
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
	}
	return NULL;
}

static void threads_count_exactly_while_traced(void **state)
{
	struct steptrace_command command;
	pthread_t threads[THREADS];

	(void)state;
	attach();
	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, end_steps, &command), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	assert_int_equal(command.span.steps_successful, THREADS * IDS_PER_THREAD);
}

static void everything_once(void)
{
	struct work work;
	char text[37];

	begin_work(&work);
	steptrace_tool_init(&work.tool, &work.command, &work.step, "t");
	steptrace_tool_begin(&work.tool);
	steptrace_tool_end(&work.tool, STEPTRACE_SUCCESS);
	steptrace_fragment_changed(&work.step, 1, STEPTRACE_DELETED);
	steptrace_step_end(&work.step, STEPTRACE_SUCCESS);
	steptrace_command_end(&work.command, STEPTRACE_SUCCESS);
	steptrace_command_init(&work.command, "c");
	steptrace_command_id(&work.command, text);
	steptrace_command_rejected(&work.command, "invalid_argument", "a,b");
}

static void errno_is_left_alone(void **state)
{
	int status = 0;

	(void)state;
	for (int attached = 0; attached < 2; attached++) {
		pid_t child;

		semaphore__set((unsigned short)attached);
		errno = 4242;
		everything_once();
		assert_int_equal(errno, 4242);
		child = fork(); /* where ids take another way */
		if (child == 0) {
			errno = 4242;
			everything_once();
			_exit(errno != 4242);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
}

static void enabled_while_anybody_is_attached(void **state)
{
	(void)state;
	assert_false(steptrace_enabled());
	attach();
	attach();
	detach();
	assert_true(steptrace_enabled());
	assert_int_equal(*steptrace_semaphore_address(), 1);
	detach();
	assert_false(steptrace_enabled());
	assert_int_equal(*steptrace_semaphore_address(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		USDT_TEST(an_outer_step_that_began_unseen),
		USDT_TEST(a_command_that_goes_on_in_a_child),
		USDT_TEST(branches_find_their_parent_undescribed),
		USDT_TEST(what_began_unseen_has_no_start_and_is_described),
		USDT_TEST(nobody_attached_nothing_stamped),
		USDT_TEST(counters_count_with_and_without_a_tracer),
		USDT_TEST(threads_count_exactly_while_traced),
		USDT_TEST(errno_is_left_alone),
		USDT_TEST(enabled_while_anybody_is_attached),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
