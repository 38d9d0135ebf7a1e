// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <steptrace.h>

#include "own_semaphore.h"

/*
 * The header without a tracer. The kernel raises the semaphore when a tracer attaches. Here the
 * test does, so the calls fill their spans, and the probe functions run without a breakpoint.
 */
static void attach(void)
{
	semaphore__raise();
}

static void detach(void)
{
	semaphore__lower();
}

static int detached_again(void **state)
{
	(void)state;
	semaphore__set(0);
	return 0;
}

static int is_zero(const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (((const uint8_t *)bytes)[i])
			return 0;
	return 1;
}

/* Version 4, variant 1, and not nothing. */
static void expect_uuid(const uint64_t id[2])
{
	const uint8_t *bytes = (const uint8_t *)id;

	assert_int_equal(bytes[6] >> 4, 4);
	assert_int_equal(bytes[8] >> 6, 2);
}

static uint64_t now_ns(void)
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

static void begin_work(struct work *work)
{
	memset(work, 0xa5, sizeof(*work));
	steptrace_command_init(&work->command, "fragment.update");
	steptrace_command_begin(&work->command);
	steptrace_step_init(&work->step, &work->command, "DatabaseUpdateStep");
	steptrace_step_begin(&work->step);
}

/* ---- ids */

static int by_both_words(const void *left, const void *right)
{
	return memcmp(left, right, 16);
}

static void expect_all_different(uint64_t (*ids)[2], size_t count)
{
	qsort(ids, count, sizeof(*ids), by_both_words);
	for (size_t i = 1; i < count; i++)
		if (memcmp(ids[i - 1], ids[i], 16) == 0)
			fail_msg("an id stands twice among %zu", count);
}

static void take_step_ids(struct steptrace_command *command, uint64_t (*ids)[2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct steptrace_step step;

		steptrace_step_init(&step, command, "S");
		steptrace_step_begin(&step);
		memcpy(ids[i], step.span.step_id, 16);
	}
}

/* Every byte but the two with fixed bits takes nearly every value; those two all they can. */
static void expect_all_bytes_vary(uint64_t (*ids)[2], size_t count)
{
	for (int byte = 0; byte < 16; byte++) {
		int values = byte == 6 ? 16 : (byte == 8 ? 64 : 256), seen_count = 0;
		uint8_t seen[256] = {0};

		for (size_t i = 0; i < count; i++)
			seen[((const uint8_t *)ids[i])[byte]] = 1;
		for (int value = 0; value < 256; value++)
			seen_count += seen[value];
		assert_int_equal(seen_count, values);
	}
}

static void a_million_steps(void **state)
{
	enum { COUNT = 1000000 };
	uint64_t(*ids)[2] = calloc(COUNT, sizeof(*ids));
	struct steptrace_command command;

	(void)state;
	attach();
	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	take_step_ids(&command, ids, COUNT);
	for (size_t i = 0; i < COUNT; i++)
		expect_uuid(ids[i]);
	expect_all_bytes_vary(ids, COUNT);
	expect_all_different(ids, COUNT);
	free(ids);
}

/* Both go on from the same state; the child's own child, too. */
static void parent_child_and_grandchild(void **state)
{
	enum { COUNT = 1000, PROCESSES = 3 };
	static uint64_t ids[PROCESSES * COUNT][2];
	uint64_t(*mine)[2] = ids;
	struct steptrace_command command;
	int pipes[2], depth, status;

	(void)state;
	attach();
	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	assert_int_equal(pipe(pipes), 0);
	for (depth = 0; depth < PROCESSES - 1; depth++)
		if (fork() != 0)
			break;
	take_step_ids(&command, mine, COUNT);
	if (depth > 0) { /* 16,000 bytes fit the pipe; each process writes once */
		int ok = write(pipes[1], mine, COUNT * sizeof(*mine)) == COUNT * 16;

		while (wait(&status) > 0)
			ok = ok && status == 0;
		_exit(ok ? 0 : 1);
	}
	close(pipes[1]);
	for (size_t got = COUNT * sizeof(*ids); got < sizeof(ids);) {
		ssize_t some = read(pipes[0], (char *)ids + got, sizeof(ids) - got);

		assert_true(some > 0);
		got += (size_t)some;
	}
	close(pipes[0]);
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
	expect_all_different(ids, PROCESSES * COUNT);
}

enum { THREADS = 8, IDS_PER_THREAD = 20000 };

struct thread_ids {
	struct steptrace_command *command;
	uint64_t ids[IDS_PER_THREAD][2];
};

static void *on_a_thread(void *context)
{
	struct thread_ids *mine = context;

	take_step_ids(mine->command, mine->ids, IDS_PER_THREAD);
	return NULL;
}

static void eight_threads(void **state)
{
	struct thread_ids *all = calloc(THREADS, sizeof(*all));
	uint64_t(*ids)[2] = calloc(THREADS * IDS_PER_THREAD, sizeof(*ids));
	struct steptrace_command command;
	pthread_t threads[THREADS];

	(void)state;
	attach();
	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	for (int i = 0; i < THREADS; i++) {
		all[i].command = &command;
		assert_int_equal(pthread_create(&threads[i], NULL, on_a_thread, &all[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		memcpy(ids[i * IDS_PER_THREAD], all[i].ids, sizeof(all[i].ids));
	}
	expect_all_different(ids, THREADS * IDS_PER_THREAD);
	free(ids);
	free(all);
}

static void id_text(char text[37], const uint64_t id[2])
{
	const uint8_t *bytes = (const uint8_t *)id;
	int at = 0;

	for (int i = 0; i < 16; i++)
		at += snprintf(text + at, (size_t)(37 - at), "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}

/* Asked for before anybody attached, at the begin, and at the end: one id. */
static void the_execution_id_is_one(void **state)
{
	char before[37], again[37], in_span[37];
	struct steptrace_command command;

	(void)state;
	steptrace_command_init(&command, "c");
	steptrace_command_id(&command, before);
	expect_uuid(command.span.head.execution_id);
	attach();
	steptrace_command_begin(&command);
	id_text(in_span, command.span.head.execution_id);
	assert_string_equal(in_span, before);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
	steptrace_command_id(&command, again);
	assert_string_equal(again, before);
	id_text(in_span, command.span.head.execution_id);
	assert_string_equal(in_span, before);
}

static void every_execution_has_its_own(void **state)
{
	enum { COUNT = 1000 };
	static uint64_t ids[COUNT][2];
	char text[37];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		struct steptrace_command command;

		semaphore__set(i & 1);
		steptrace_command_init(&command, "c");
		steptrace_command_begin(&command);
		if (i & 2 || !steptrace_enabled())
			steptrace_command_id(&command, text);
		expect_uuid(command.span.head.execution_id);
		memcpy(ids[i], command.span.head.execution_id, 16);
	}
	expect_all_different(ids, COUNT);
}

/* ---- spans */

static void a_command_as_it_was_described(void **state)
{
	uint64_t before = now_ns();
	struct steptrace_command command;
	const struct steptrace_command_span *span = &command.span;

	(void)state;
	attach();
	memset(&command, 0xa5, sizeof(command));
	steptrace_command_init(&command, "fragment.update");
	command.user_id = "local-default";
	command.request_source = "schedule";
	command.correlation_id = "request-7";
	command.is_scheduled = command.dry_run = 1;
	command.schedule_id = -1;
	command.schedule_run_id = 2;
	command.planned_run_at_s = 3;
	command.arguments_count = 4;
	steptrace_command_begin(&command);
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.layout, STEPTRACE_LAYOUT);
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_COMMAND);
	assert_int_equal(span->head.flags, STEPTRACE_FLAG_DRY_RUN | STEPTRACE_FLAG_SCHEDULED);
	assert_in_range(span->announced_ns, before, span->head.start_ns);
	assert_in_range(span->head.start_ns, before, now_ns());
	assert_int_equal(span->head.end_ns, 0);
	assert_true(span->schedule_id == -1 && span->schedule_run_id == 2 &&
		    span->planned_run_at_s == 3 && span->arguments_count == 4);
	assert_string_equal(span->slug, "fragment.update");
	assert_string_equal(span->user_id, "local-default");
	assert_string_equal(span->request_source, "schedule");
	assert_string_equal(span->correlation_id, "request-7");
	assert_true(is_zero(span->parent_execution_id, 16));
	assert_true(is_zero(span->slug + 15, sizeof(span->slug) - 15)); /* nothing of the stack */
	assert_true(is_zero(span->reserved, sizeof(span->reserved)));
	command.error_category = STEPTRACE_ERROR_NETWORK;
	steptrace_command_end(&command, STEPTRACE_FAILURE);
	assert_in_range(span->head.end_ns, span->head.start_ns, now_ns());
	assert_int_equal(span->outcome, STEPTRACE_FAILURE);
	assert_int_equal(span->error_category, STEPTRACE_ERROR_NETWORK);
}

static void a_command_started_by_a_command(void **state)
{
	struct steptrace_command outer, inner;

	(void)state;
	steptrace_command_init(&outer, "outer");
	steptrace_command_begin(&outer); /* unseen */
	attach();
	steptrace_command_init(&inner, "inner");
	inner.parent = &outer;
	steptrace_command_begin(&inner);
	expect_uuid(outer.span.head.execution_id);
	assert_memory_equal(inner.span.parent_execution_id, outer.span.head.execution_id, 16);
	assert_memory_not_equal(inner.span.head.execution_id, outer.span.head.execution_id, 16);
}

static void a_step_as_it_was_described(void **state)
{
	struct work work;
	const struct steptrace_step_span *span = &work.step.span;

	(void)state;
	attach();
	memset(&work, 0xa5, sizeof(work));
	steptrace_command_init(&work.command, "c");
	work.command.dry_run = 1;
	steptrace_command_begin(&work.command);
	steptrace_step_init(&work.step, &work.command, "DatabaseUpdateStep");
	work.step.name = "set-title";
	work.step.index = 7;
	steptrace_step_begin(&work.step);
	assert_int_equal(span->head.end_ns, 0);
	work.step.fragment_id = -3;
	work.step.has_fragment_id = work.step.has_items = 1;
	work.step.mutations_count = UINT64_MAX;
	work.step.items_in = 5;
	work.step.items_out = 4;
	work.step.prompt_tokens = 3;
	work.step.completion_tokens = 2;
	work.step.ai_cache = STEPTRACE_AI_HIT;
	work.step.error_category = STEPTRACE_ERROR_MEMORY;
	steptrace_step_end(&work.step, STEPTRACE_FAILURE);
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_STEP);
	assert_int_equal(span->head.flags, STEPTRACE_FLAG_DRY_RUN | STEPTRACE_FLAG_FRAGMENT_ID |
						   STEPTRACE_FLAG_ITEMS);
	assert_memory_equal(span->head.execution_id, work.command.span.head.execution_id, 16);
	assert_true(span->owner.command_announced_ns == work.command.span.announced_ns);
	assert_true(span->owner.command == (uintptr_t)&work.command.span);
	assert_in_range(span->head.end_ns, span->head.start_ns, now_ns());
	assert_string_equal(span->type, "DatabaseUpdateStep");
	assert_string_equal(span->name, "set-title");
	assert_true(span->fragment_id == -3 && span->mutations_count == UINT64_MAX);
	assert_true(span->items_in == 5 && span->items_out == 4 && span->prompt_tokens == 3 &&
		    span->completion_tokens == 2);
	assert_true(span->index == 7 && span->depth == 0 && span->reserved == 0);
	assert_int_equal(span->ai_cache, STEPTRACE_AI_HIT);
	assert_int_equal(span->error_category, STEPTRACE_ERROR_MEMORY);
	assert_int_equal(span->outcome, STEPTRACE_FAILURE);
	assert_true(is_zero(span->parent_step_id, 16));
}

static void steps_inside_of_steps(void **state)
{
	struct steptrace_step steps[4];
	struct steptrace_command command;

	(void)state;
	attach();
	steptrace_command_init(&command, "c");
	steptrace_command_begin(&command);
	for (int i = 0; i < 4; i++) {
		steptrace_step_init(&steps[i], &command, "ConditionStep");
		steps[i].parent = i ? &steps[i - 1] : NULL;
		steptrace_step_begin(&steps[i]);
		assert_int_equal(steps[i].span.depth, i);
		if (i)
			assert_memory_equal(steps[i].span.parent_step_id, steps[i - 1].span.step_id,
					    16);
	}
}

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

/* ---- attached in the middle, detached in the middle */

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
		STEPTRACE_SUCCESS, STEPTRACE_FAILURE, STEPTRACE_SUCCESS,
		STEPTRACE_SKIPPED, STEPTRACE_SKIPPED, STEPTRACE_SKIPPED,
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

/* ---- text */

static void text_is_cut_between_characters(void **state)
{
	static const struct {
		const char *end; /* behind 60 bytes of a 64-byte field */
		size_t kept;
	} rows[] = {
		{"", 60},
		{"abcd", 64},
		{"abcde", 64},
		{"ab\xc3\xa9", 64},
		{"abc\xc3\xa9", 63},
		{"\xe2\x82\xac\xc3\xa9", 63},
		{"ab\xe2\x82\xac", 62},
		{"\xf0\x9f\x98\x80", 64},
		{"a\xf0\x9f\x98\x80", 61},
		{"abc\xf0\x9f\x98\x80", 63},
		{"abcd\xf0\x9f\x98\x80", 64},
	};

	(void)state;
	attach();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct steptrace_command command;
		char *text = malloc(60 + strlen(rows[i].end) + 1); /* ends where it ends */

		memset(text, 'x', 60);
		strcpy(text + 60, rows[i].end);
		memset(&command, 0xa5, sizeof(command));
		steptrace_command_init(&command, text);
		steptrace_command_begin(&command);
		assert_memory_equal(command.span.slug, text, rows[i].kept);
		assert_true(is_zero(command.span.slug + rows[i].kept, 64 - rows[i].kept));
		free(text);
	}
}

static void text_that_is_not_there(void **state)
{
	struct work work;

	(void)state;
	attach();
	begin_work(&work);
	assert_true(is_zero(work.command.span.user_id, sizeof(work.command.span.user_id)));
	assert_true(is_zero(work.command.span.correlation_id, 128));
	assert_true(is_zero(work.step.span.name, sizeof(work.step.span.name)));
}

/* ---- tools, fragments, refusals */

static void a_tool_of_a_step(void **state)
{
	struct work work;
	const struct steptrace_tool_span *span = &work.tool.span;

	(void)state;
	attach();
	begin_work(&work);
	steptrace_tool_init(&work.tool, &work.command, &work.step, "shell");
	steptrace_tool_begin(&work.tool);
	work.tool.exit_status = -15;
	work.tool.has_exit_status = 1;
	steptrace_tool_end(&work.tool, STEPTRACE_FAILURE);
	assert_int_equal(span->head.kind, STEPTRACE_SPAN_TOOL);
	assert_int_equal(span->head.size_bytes, sizeof(*span));
	assert_int_equal(span->head.flags, STEPTRACE_FLAG_EXIT_STATUS);
	assert_in_range(span->head.end_ns, span->head.start_ns, now_ns());
	assert_memory_equal(span->step_id, work.step.span.step_id, 16);
	assert_memory_not_equal(span->invocation_id, span->step_id, 16);
	expect_uuid(span->invocation_id);
	assert_int_equal(span->exit_status, -15);
	assert_int_equal(span->outcome, STEPTRACE_FAILURE);
	assert_string_equal(span->slug, "shell");
	assert_true(is_zero(span->reserved, sizeof(span->reserved)));
}

static void a_tool_of_a_command_that_began_unseen(void **state)
{
	struct work work;

	(void)state;
	begin_work(&work);
	steptrace_tool_init(&work.tool, &work.command, NULL, "shell");
	steptrace_tool_begin(&work.tool);
	attach();
	steptrace_tool_end(&work.tool, STEPTRACE_SUCCESS);
	assert_int_equal(work.tool.span.head.start_ns, 0);
	assert_true(is_zero(work.tool.span.step_id, 16));
	assert_int_equal(work.tool.span.head.flags, 0);
	assert_memory_equal(work.tool.span.head.execution_id, work.command.span.head.execution_id,
			    16);
	expect_uuid(work.tool.span.invocation_id);
}

/* These spans live inside the call; what can be seen is what they leave in their owners. */
static void changes_and_refusals_describe_their_owners(void **state)
{
	struct steptrace_command refused;
	struct work work;

	(void)state;
	begin_work(&work);
	attach();
	steptrace_fragment_changed(&work.step, 5, STEPTRACE_CREATED);
	expect_uuid(work.step.span.step_id);
	assert_int_equal(work.step.described, 1);
	assert_string_equal(work.command.span.slug, "fragment.update");
	memset(&refused, 0xa5, sizeof(refused));
	steptrace_command_init(&refused, "no.such");
	steptrace_command_rejected(&refused, "unknown_command", NULL);
	expect_uuid(refused.span.head.execution_id);
	assert_string_equal(refused.span.slug, "no.such");
}

/* ---- the runner notices nothing */

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
	detach();
	assert_false(steptrace_enabled());
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, detached_again)
	const struct CMUnitTest tests[] = {
		TEST(a_million_steps),
		TEST(parent_child_and_grandchild),
		TEST(eight_threads),
		TEST(the_execution_id_is_one),
		TEST(every_execution_has_its_own),
		TEST(a_command_as_it_was_described),
		TEST(a_command_started_by_a_command),
		TEST(a_step_as_it_was_described),
		TEST(steps_inside_of_steps),
		TEST(an_outer_step_that_began_unseen),
		TEST(a_command_that_goes_on_in_a_child),
		TEST(branches_find_their_parent_undescribed),
		TEST(what_began_unseen_has_no_start_and_is_described),
		TEST(nobody_attached_nothing_stamped),
		TEST(counters_count_with_and_without_a_tracer),
		TEST(threads_count_exactly_while_traced),
		TEST(text_is_cut_between_characters),
		TEST(text_that_is_not_there),
		TEST(a_tool_of_a_step),
		TEST(a_tool_of_a_command_that_began_unseen),
		TEST(changes_and_refusals_describe_their_owners),
		TEST(errno_is_left_alone),
		TEST(enabled_while_anybody_is_attached),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
