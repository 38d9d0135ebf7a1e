// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdlib.h>

#include "records.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/executions.h"

/* A command with an id that is made from `n` and differs in all bytes. */
static struct command_span command_number(uint64_t n)
{
	struct command_span command = records__command();
	uint64_t words[2] = {n * 0x9e3779b97f4a7c15u, ~n};

	memcpy(command.head.execution_id, words, sizeof(words));
	command.arguments_count = (uint32_t)n;
	return command;
}

static struct execution *add(struct executions *open, uint32_t pid, uint64_t n)
{
	struct command_span command = command_number(n);
	struct steptrace_process process = records__process();

	process.uid = pid;
	return executions__add(open, pid, &command, &process);
}

static struct execution *find(struct executions *open, uint32_t pid, uint64_t n)
{
	struct command_span command = command_number(n);

	struct member *member = executions__find(open, pid, command.head.execution_id);

	return member ? member->execution : NULL;
}

static struct execution *find_to_join(struct executions *open, uint64_t n, uint32_t uid,
				      uint32_t parent_pid)
{
	struct command_span command = command_number(n);

	return executions__find_to_join(open, command.head.execution_id, uid, parent_pid);
}

static void what_was_added_is_found(void **state)
{
	struct executions *open = executions__new(10);
	struct execution *added = add(open, 7, 1);

	(void)state;
	assert_non_null(added);
	assert_ptr_equal(find(open, 7, 1), added);
	assert_int_equal(added->pid, 7);
	assert_int_equal(added->process.uid, 7);
	assert_int_equal(added->command.arguments_count, 1);
	assert_string_equal(added->command.slug, "fragment.update");
	assert_int_equal(added->steps_seen[OUTCOME_SUCCESS], 0);
	assert_false(added->start_seen);
	assert_int_equal(executions__count(open), 1);
	assert_null(find(open, 7, 2));
	executions__free(open);
}

/* If two processes begin a command with the same id, each has an execution of its own. */
static void the_same_id_in_two_processes(void **state)
{
	struct executions *open = executions__new(10);
	struct execution *first = add(open, 7, 1), *second = add(open, 8, 1);

	(void)state;
	assert_ptr_not_equal(first, second);
	assert_ptr_equal(find(open, 7, 1), first);
	assert_ptr_equal(find(open, 8, 1), second);
	executions__remove(open, first);
	assert_null(find(open, 7, 1));
	assert_ptr_equal(find(open, 8, 1), second);
	executions__free(open);
}

/* add() makes the uid of a process from its pid. */
static void who_may_join(void **state)
{
	static const struct {
		uint32_t uid, parent_pid;
		bool joins;
	} rows[] = {
		{7, 0, true},   /* the same user */
		{8, 7, true},   /* another user, a child of a member */
		{8, 0, false},  /* another user; its parent is not known */
		{8, 9, false},  /* another user, a child of another process */
		{8, 11, true},  /* another user, a child of a member that joined */
		{8, 12, false}, /* a child of a member of another execution */
	};
	struct executions *open = executions__new(10);
	struct execution *first = add(open, 7, 1);

	(void)state;
	add(open, 12, 2);
	assert_non_null(executions__join(open, first, 11));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_ptr_equal(find_to_join(open, 1, rows[i].uid, rows[i].parent_pid),
				 rows[i].joins ? first : NULL);
		assert_null(find_to_join(open, 3, rows[i].uid, rows[i].parent_pid));
	}
	executions__free(open);
}

static void members_come_and_go(void **state)
{
	struct executions *open = executions__new(10);
	struct execution *first = add(open, 7, 1);
	struct members *members = executions__members(open);
	struct member *heir = executions__join(open, first, 8);

	(void)state;
	assert_ptr_equal(find(open, 8, 1), first);
	assert_int_equal(members->heirs_count, 1);
	members__has_told(members, heir);
	assert_int_equal(members->heirs_count, 0);
	assert_int_equal(executions__count(open), 1);
	assert_ptr_equal(members__of_process(members, 8, NULL), heir);
	assert_null(members__of_process(members, 8, heir));
	members__remove(members, heir);
	assert_null(find(open, 8, 1));
	assert_ptr_equal(find(open, 7, 1), first);
	assert_non_null(executions__join(open, first, 9));
	executions__remove(open, first);
	assert_int_equal(members->count, 0);
	assert_int_equal(members->heirs_count, 0);
	assert_null(members__of_process(members, 9, NULL));
	executions__free(open);
}

/* The number of members is limited for each execution and for all of them. */
static void too_many_members(void **state)
{
	struct executions *open = executions__new(2 * MEMBERS_PER_EXECUTION - 1);
	struct execution *rows[3];

	(void)state;
	for (uint64_t n = 0; n < 3; n++)
		rows[n] = add(open, 1, n);
	for (uint32_t pid = 2; pid <= MEMBERS_PER_EXECUTION; pid++)
		assert_non_null(executions__join(open, rows[0], pid));
	assert_null(executions__join(open, rows[0], 99999));
	for (uint32_t pid = 2; pid <= MEMBERS_PER_EXECUTION; pid++)
		assert_non_null(executions__join(open, rows[1], pid));
	assert_non_null(executions__join(open, rows[2], 2));
	assert_null(executions__join(open, rows[2], 3));
	assert_non_null(add(open, 1, 4)); /* a new execution has room for its first process */
	executions__remove(open, rows[0]);
	assert_non_null(executions__join(open, rows[2], 3));
	executions__free(open);
}

static void an_execution_added_twice_starts_over(void **state)
{
	struct executions *open = executions__new(10);
	struct execution *added = add(open, 7, 1);

	(void)state;
	added->start_seen = true;
	added->steps_seen[OUTCOME_SUCCESS] = 5;
	added = add(open, 7, 1);
	assert_false(added->start_seen);
	assert_int_equal(added->steps_seen[OUTCOME_SUCCESS], 0);
	assert_int_equal(executions__count(open), 1);
	assert_int_equal(executions__forgotten(open), 0);
	executions__free(open);
}

static void at_the_limit_the_oldest_is_dropped(void **state)
{
	struct executions *open = executions__new(3);

	(void)state;
	for (uint64_t n = 0; n < 3; n++)
		add(open, 1, n);
	add(open, 1, 0); /* added again: it is the youngest now */
	assert_int_equal(executions__forgotten(open), 0);
	add(open, 1, 3);
	assert_null(find(open, 1, 1));
	assert_non_null(find(open, 1, 0));
	assert_non_null(find(open, 1, 2));
	assert_int_equal(executions__count(open), 3);
	assert_int_equal(executions__forgotten(open), 1);
	executions__free(open);
}

/* A process that opens too many executions loses its own, not older ones of other processes. */
static void the_process_with_most_executions_loses_its_oldest(void **state)
{
	enum { LIMIT = 300 };
	struct executions *open = executions__new(LIMIT);

	(void)state;
	for (uint32_t pid = 1; pid <= 9; pid++)
		assert_non_null(add(open, pid, pid));
	for (uint64_t n = 100; n < 100 + 2 * LIMIT; n++)
		assert_non_null(add(open, 4711, n));
	for (uint32_t pid = 1; pid <= 9; pid++)
		assert_non_null(find(open, pid, pid));
	assert_null(find(open, 4711, 100));
	assert_non_null(find(open, 4711, 100 + 2 * LIMIT - 1));
	assert_int_equal(executions__count(open), LIMIT);
	assert_int_equal(executions__forgotten(open), LIMIT + 9);
	executions__free(open);
}

static void a_limit_of_one(void **state)
{
	struct executions *open = executions__new(1);

	(void)state;
	for (uint64_t n = 0; n < 5; n++) {
		assert_non_null(add(open, 1, n));
		assert_non_null(find(open, 1, n));
		assert_int_equal(executions__count(open), 1);
	}
	assert_int_equal(executions__forgotten(open), 4);
	executions__free(open);
}

/* Adds and removes many entries in a changing order and compares with a plain array. */
static void many_entries(void **state)
{
	enum { COUNT = 20000, STRIDE = 7919 };
	struct executions *open = executions__new(COUNT);
	static bool there[COUNT];
	size_t count = 0;

	(void)state;
	for (uint64_t i = 0; i < 3 * COUNT; i++) {
		uint64_t n = i * STRIDE % COUNT;
		bool goes = there[n] && i % 3;

		if (goes)
			executions__remove(open, find(open, 1, n));
		else
			assert_non_null(add(open, 1, n));
		count += (size_t)!there[n];
		count -= (size_t)goes;
		there[n] = !goes;
		assert_int_equal(executions__count(open), count);
	}
	for (uint64_t n = 0; n < COUNT; n++) {
		struct execution *found = find(open, 1, n);

		assert_int_equal(found != NULL, there[n]);
		if (found)
			assert_int_equal(found->command.arguments_count, n);
	}
	assert_int_equal(executions__forgotten(open), 0);
	executions__free(open);
}

static void count_pid(uint32_t pid, void *context)
{
	size_t *calls = context;

	assert_true(pid >= 7 && pid < 7 + 3 * 1024);
	calls[pid - 7]++;
}

/* What is done for a process costs a system call or two: it must not be done for each execution. */
static void each_process_is_visited_once(void **state)
{
	enum { EXECUTIONS = 3000 };
	/* 256 and 1024 apart, so that they share tables */
	const uint32_t pids[] = {7, 8, 7 + 256, 7 + 1024, 7 + 2048};
	struct executions *open = executions__new(EXECUTIONS);
	size_t calls[3 * 1024] = {0}, sum = 0;

	(void)state;
	for (uint64_t n = 0; n < EXECUTIONS; n++)
		assert_non_null(add(open, pids[n % 5], n));
	assert_int_equal(executions__each_pid(open, count_pid, calls), 0);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(calls[pids[i] - 7], 1);
	for (size_t i = 0; i < 3 * 1024; i++)
		sum += calls[i];
	assert_int_equal(sum, 5);
	executions__free(open);
}

static void alike(uint64_t n, uint64_t words[2])
{
	words[0] = words[1] = n;
}

/* A hostile runner chooses ids that would share one bucket of a hash without a secret. Then this
 * test would take minutes. */
static void ids_chosen_to_collide(void **state)
{
	enum { COUNT = 65536, ROUNDS = 16 };
	struct executions *open = executions__new(COUNT);
	struct command_span command = records__command();
	struct steptrace_process process = records__process();
	uint64_t words[2];

	(void)state;
	for (uint64_t n = 0; n < COUNT; n++) {
		alike(n, words);
		memcpy(command.head.execution_id, words, sizeof(words));
		assert_non_null(executions__add(open, 1, &command, &process));
	}
	for (uint64_t n = 0; n < ROUNDS * COUNT; n++) {
		alike(n % COUNT, words);
		assert_non_null(executions__find(open, 1, (const uint8_t *)words));
	}
	for (uint64_t n = 0; n < COUNT; n += 2) {
		alike(n, words);
		executions__remove(open,
				   executions__find(open, 1, (const uint8_t *)words)->execution);
		assert_null(executions__find(open, 1, (const uint8_t *)words));
	}
	assert_int_equal(executions__count(open), COUNT / 2);
	executions__free(open);
}

/* Removed entries are reused. Only the allocated buffer of the old entry is kept. */
static void reused_entries_are_empty(void **state)
{
	struct executions *open = executions__new(4);
	struct execution *entry = add(open, 1, 1);

	(void)state;
	entry->json = strdup("of number one");
	entry->json_bytes = 13;
	entry->start_seen = true;
	entry->steps_seen[OUTCOME_FAILURE] = 9;
	executions__remove(open, entry);
	entry = add(open, 1, 2);
	assert_int_equal(entry->json_bytes, 0);
	assert_false(entry->start_seen);
	assert_int_equal(entry->steps_seen[OUTCOME_FAILURE], 0);
	assert_int_equal(entry->command.arguments_count, 2);
	executions__free(open);
}

static void free_takes_null(void **state)
{
	(void)state;
	executions__free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found),
		cmocka_unit_test(the_same_id_in_two_processes),
		cmocka_unit_test(who_may_join),
		cmocka_unit_test(members_come_and_go),
		cmocka_unit_test(too_many_members),
		cmocka_unit_test(an_execution_added_twice_starts_over),
		cmocka_unit_test(at_the_limit_the_oldest_is_dropped),
		cmocka_unit_test(the_process_with_most_executions_loses_its_oldest),
		cmocka_unit_test(a_limit_of_one),
		cmocka_unit_test(many_entries),
		cmocka_unit_test(each_process_is_visited_once),
		cmocka_unit_test(ids_chosen_to_collide),
		cmocka_unit_test(reused_entries_are_empty),
		cmocka_unit_test(free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
