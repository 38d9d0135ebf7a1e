// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/absolute_path.h"

static void paths(void **state)
{
	static const struct {
		const char *folder, *path, *absolute;
	} rows[] = {
		{"/usr", "/bin/true", "/bin/true"},
		{"/usr", "one", "/usr/one"},
		{"/usr", "./one", "/usr/one"},
		{"/usr", ".//./one", "/usr/one"},
		{"/usr", "../one", "/usr/../one"},
		{"/usr", ".one/two", "/usr/.one/two"},
		{"/", "one", "/one"},
	};
	char former[PATH_MAX], absolute[PATH_MAX];

	(void)state;
	assert_non_null(getcwd(former, sizeof(former)));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(chdir(rows[i].folder), 0);
		assert_int_equal(absolute_path__of(rows[i].path, absolute), 0);
		assert_string_equal(absolute, rows[i].absolute);
	}
	assert_int_equal(chdir(former), 0);
}

static void one_that_is_too_long(void **state)
{
	char path[PATH_MAX + 1], absolute[PATH_MAX];

	(void)state;
	memset(path, 'x', PATH_MAX);
	path[PATH_MAX] = 0;
	assert_int_equal(absolute_path__of(path, absolute), -ENAMETOOLONG);
	path[0] = '/';
	assert_int_equal(absolute_path__of(path, absolute), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(one_that_is_too_long),
	};

	return cmocka_run_group_tests_name("absolute_path", tests, NULL, NULL);
}
