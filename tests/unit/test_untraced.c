// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "steptrace/attach/untraced.h"

#define SECOND_NS 1000000000ull

static struct untraced untraced;
static const struct steptrace_file file = {.inode = 7, .file_system = 1, .changed_ns = 3};
static const struct steptrace_file other = {.inode = 7, .file_system = 2, .changed_ns = 3};

static int empty(void **state)
{
	(void)state;
	memset(&untraced, 0, sizeof(untraced));
	return 0;
}

static uint64_t counted(enum untraced_reason reason)
{
	uint64_t counts[UNTRACED_REASONS_COUNT] = {0};

	untraced__add_up(&untraced, counts);
	return counts[reason];
}

static void each_error_has_a_reason(void **state)
{
	static const struct {
		int code;
		enum untraced_reason reason;
	} rows[] = {
		{-EMFILE, UNTRACED_OPEN_FILES}, {-ENFILE, UNTRACED_OPEN_FILES},
		{-ENOMEM, UNTRACED_MEMORY},     {-EPERM, UNTRACED_REFUSED},
		{-EINVAL, UNTRACED_REFUSED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(untraced__reason(rows[i].code), rows[i].reason);
}

static void the_pause_grows_up_to_a_minute(void **state)
{
	static const uint64_t pauses_s[] = {1, 2, 4, 8, 16, 32, 60, 60};
	uint64_t now = 5 * SECOND_NS;

	(void)state;
	assert_false(untraced__has_to_wait(&untraced, &file, now));
	assert_false(untraced__has(&untraced, &file));
	for (size_t i = 0; i < sizeof(pauses_s) / sizeof(pauses_s[0]); i++) {
		assert_int_equal(untraced__failed(&untraced, &file, -EMFILE, 1, now), i == 0);
		assert_true(
			untraced__has_to_wait(&untraced, &file, now + pauses_s[i] * SECOND_NS - 1));
		now += pauses_s[i] * SECOND_NS;
		assert_false(untraced__has_to_wait(&untraced, &file, now));
	}
	assert_false(untraced__has_to_wait(&untraced, &other, 0));
}

static void room_again_ends_the_pause(void **state)
{
	(void)state;
	untraced__failed(&untraced, &file, -EMFILE, 1, SECOND_NS);
	assert_true(untraced__has_to_wait(&untraced, &file, SECOND_NS));
	untraced__retry(&untraced);
	assert_false(untraced__has_to_wait(&untraced, &file, SECOND_NS));
}

static void the_most_processes_at_once_count(void **state)
{
	(void)state;
	untraced__failed(&untraced, &file, -EMFILE, 2, 0);
	untraced__failed(&untraced, &other, -EPERM, 3, 0);
	untraced__seen(&untraced, &file, 5);
	untraced__seen(&untraced, &file, 1);
	assert_int_equal(counted(UNTRACED_OPEN_FILES), 5);
	assert_int_equal(counted(UNTRACED_REFUSED), 3);
	assert_true(untraced__has(&untraced, &file));
	untraced__remove(&untraced, &file);
	assert_false(untraced__has(&untraced, &file));
	assert_int_equal(counted(UNTRACED_OPEN_FILES), 0);
	assert_int_equal(counted(UNTRACED_REFUSED), 3);
}

static void more_files_than_there_is_room_for(void **state)
{
	struct steptrace_file many = file;

	(void)state;
	for (many.inode = 1; many.inode <= UNTRACED_FILES_MAX + 1; many.inode++)
		assert_true(untraced__failed(&untraced, &many, -EMFILE, 1, 0));
	assert_int_equal(counted(UNTRACED_OPEN_FILES), UNTRACED_FILES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_error_has_a_reason, empty),
		cmocka_unit_test_setup(the_pause_grows_up_to_a_minute, empty),
		cmocka_unit_test_setup(room_again_ends_the_pause, empty),
		cmocka_unit_test_setup(the_most_processes_at_once_count, empty),
		cmocka_unit_test_setup(more_files_than_there_is_room_for, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
