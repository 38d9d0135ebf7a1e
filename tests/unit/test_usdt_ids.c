// SPDX-License-Identifier: BSD-2-Clause
/* Ids: their form, and that none appears twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "usdt_fixture.h"

enum { THREADS = 8, IDS_PER_THREAD = 20000 };

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

/* A job of another process: its parent has only the id. */
static void the_parent_may_be_an_id(void **state)
{
	static const char id[] = "01234567-89ab-4def-8123-456789abcdef";
	struct steptrace_command parent, command;
	char text[37];

	(void)state;
	steptrace_command_init(&parent, "");
	assert_int_equal(steptrace_command_set_id(&parent, id), 0);
	steptrace_command_id(&parent, text);
	assert_string_equal(text, id);
	attach();
	steptrace_command_init(&command, "c");
	command.parent = &parent;
	steptrace_command_begin(&command);
	id_text(text, command.span.parent_execution_id);
	assert_string_equal(text, id);
	steptrace_command_end(&command, STEPTRACE_SUCCESS);
}

static void what_is_no_id_is_refused(void **state)
{
	static const char *const texts[] = {
		NULL,
		"",
		"-",
		"01234567-89ab-4def-8123-456789abcde",
		"01234567-89ab-4def-8123-456789abcdef0",
		"01234567-89ab-4def-8123-456789abcdeF",
		"01234567-89ab-4def-8123x456789abcdef",
		"01234567089ab-4def-8123-456789abcdef",
		"00000000-0000-0000-0000-000000000000",
	};
	struct steptrace_command parent;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		steptrace_command_init(&parent, "");
		assert_int_equal(steptrace_command_set_id(&parent, texts[i]), -1);
	}
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		USDT_TEST(a_million_steps),
		USDT_TEST(parent_child_and_grandchild),
		USDT_TEST(eight_threads),
		USDT_TEST(the_execution_id_is_one),
		USDT_TEST(the_parent_may_be_an_id),
		USDT_TEST(what_is_no_id_is_refused),
		USDT_TEST(every_execution_has_its_own),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
