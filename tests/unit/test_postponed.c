// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>

#include "steptrace/attach/postponed.h"

static struct steptrace_file file_number(uint64_t number)
{
	return (struct steptrace_file){.inode = number, .file_system = 1, .changed_ns = 5};
}

static void until_its_time(void **state)
{
	const struct steptrace_file file = file_number(1), other = file_number(2);
	struct postponed postponed = {0};

	(void)state;
	assert_false(postponed__contains(&postponed, &file, 0));
	assert_true(postponed__add(&postponed, &file, -ETXTBSY, 100));
	assert_true(postponed__contains(&postponed, &file, 99));
	assert_false(postponed__contains(&postponed, &file, 100));
	assert_false(postponed__contains(&postponed, &other, 99));
	postponed__remove(&postponed, &file);
	assert_false(postponed__contains(&postponed, &file, 99));
	postponed__remove(&postponed, &other);
}

static void a_reason_is_new_once(void **state)
{
	const struct steptrace_file file = file_number(1);
	struct postponed postponed = {0};

	(void)state;
	assert_true(postponed__add(&postponed, &file, -ETXTBSY, 100));
	assert_false(postponed__add(&postponed, &file, -ETXTBSY, 200));
	assert_true(postponed__contains(&postponed, &file, 199));
	assert_true(postponed__add(&postponed, &file, -ENOTUNIQ, 300));
	postponed__remove(&postponed, &file);
	assert_true(postponed__add(&postponed, &file, -ENOTUNIQ, 300));
}

/* It changes while a program writes to it. On another file system it is another file. */
static void the_time_of_its_change_does_not_matter(void **state)
{
	struct steptrace_file file = file_number(1);
	struct postponed postponed = {0};

	(void)state;
	assert_true(postponed__add(&postponed, &file, -ETXTBSY, 100));
	file.changed_ns++;
	assert_false(postponed__add(&postponed, &file, -ETXTBSY, 100));
	file.file_system++;
	assert_false(postponed__contains(&postponed, &file, 0));
	assert_true(postponed__add(&postponed, &file, -ETXTBSY, 100));
}

static void the_first_is_forgotten_when_it_is_full(void **state)
{
	struct postponed postponed = {0};
	struct steptrace_file file;

	(void)state;
	for (uint64_t number = 1; number <= POSTPONED_MAX + 1; number++) {
		file = file_number(number);
		assert_true(postponed__add(&postponed, &file, -ETXTBSY, 100));
	}
	for (uint64_t number = 1; number <= POSTPONED_MAX + 1; number++) {
		file = file_number(number);
		assert_int_equal(postponed__contains(&postponed, &file, 0), number > 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(until_its_time),
		cmocka_unit_test(a_reason_is_new_once),
		cmocka_unit_test(the_time_of_its_change_does_not_matter),
		cmocka_unit_test(the_first_is_forgotten_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
