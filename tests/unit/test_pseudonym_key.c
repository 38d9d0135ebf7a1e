// SPDX-License-Identifier: BSD-2-Clause
/* The file of --pseudonym-key: which files are a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/record/pseudonym_key.h"

static char folder[] = "/tmp/steptrace-key-XXXXXX", path[64];
static struct pseudonym_key key;
static struct error err;

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_key(size_t bytes, mode_t mode)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < bytes; i++)
		fputc('k', file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static void only_its_owner_may_use_it(void **state)
{
	(void)state;
	for (mode_t mode = 0400; mode <= 0777; mode++) {
		int code;

		write_key(32, mode);
		code = pseudonym_key__read(path, &key, &err);
		if (code != (mode & 077 ? -EPERM : 0))
			fail_msg("mode %o: %d %s", mode, code, err.text);
		if (code)
			assert_non_null(strstr(err.text, "chmod 600"));
		assert_int_equal(key.count, code ? 0 : 32);
		unlink(path);
	}
}

static void it_has_a_size(void **state)
{
	static const struct {
		size_t bytes;
		int code;
	} cases[] = {{0, -EINVAL},
		     {PSEUDONYM_KEY_MIN_BYTES - 1, -EINVAL},
		     {PSEUDONYM_KEY_MIN_BYTES, 0},
		     {PSEUDONYM_KEY_MAX_BYTES, 0},
		     {PSEUDONYM_KEY_MAX_BYTES + 1, -EINVAL}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_key(cases[i].bytes, 0600);
		assert_int_equal(pseudonym_key__read(path, &key, &err), cases[i].code);
		assert_int_equal(key.count, cases[i].code ? 0 : cases[i].bytes);
	}
	pseudonym_key__wipe(&key);
	assert_int_equal(key.bytes[0], 0);
}

static void what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(pseudonym_key__read(NULL, &key, &err), 0);
	assert_int_equal(key.count, 0);
	assert_int_equal(pseudonym_key__read("/nonexistent/key", &key, &err), -ENOENT);
	assert_int_equal(pseudonym_key__read(folder, &key, &err), -EINVAL);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0); /* must not be waited for */
	assert_int_equal(pseudonym_key__read(path, &key, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_its_owner_may_use_it),
		cmocka_unit_test(it_has_a_size),
		cmocka_unit_test(what_is_no_file),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
