// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "common/error.h"

static void a_sentence_and_its_number(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(error__set(&err, -ENOENT, "cannot open '%s': %d", "a.ndjson", 7), -ENOENT);
	assert_string_equal(err.text, "cannot open 'a.ndjson': 7");
	assert_int_equal(error__set(&err, -EIO, "again"), -EIO);
	assert_string_equal(err.text, "again");
}

static void a_prefix_and_then_another(void **state)
{
	struct error err;

	(void)state;
	error__set(&err, -EBADMSG, "a note is malformed");
	assert_int_equal(error__prefix(&err, -EBADMSG, "'%s'", "/bin/x"), -EBADMSG);
	assert_int_equal(error__prefix(&err, -EPERM, "cannot attach"), -EPERM);
	assert_string_equal(err.text, "cannot attach: '/bin/x': a note is malformed");
}

static void err_may_be_null(void **state)
{
	(void)state;
	assert_int_equal(error__set(NULL, -ENOMEM, "%s", "x"), -ENOMEM);
	assert_int_equal(error__prefix(NULL, -ENOMEM, "%s", "x"), -ENOMEM);
}

static void foreign_text_is_escaped(void **state)
{
	struct error err;

	(void)state;
	error__set(&err, -EINVAL, "'%s'", "a\nb\x1b[2J");
	assert_string_equal(err.text, "'a\\nb\\x1b[2J'");
	error__prefix(&err, -EINVAL, "'%s'", "\xc2\x9b");
	assert_string_equal(err.text, "'\\u009b': 'a\\nb\\x1b[2J'");
	error__set(&err, -EINVAL, "again: %s", err.text);
	assert_string_equal(err.text, "again: '\\u009b': 'a\\nb\\x1b[2J'");
}

static void long_sentences_are_truncated(void **state)
{
	char text[3 * ERROR_TEXT_BYTES];
	struct error err;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	error__set(&err, -EINVAL, "%s", text);
	assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
	error__prefix(&err, -EINVAL, "front");
	assert_int_equal(strlen(err.text), ERROR_TEXT_BYTES - 1);
	assert_memory_equal(err.text, "front: xxx", 10);
	for (size_t keep = ERROR_TEXT_BYTES - 4; keep <= ERROR_TEXT_BYTES + 1; keep++) {
		error__set(&err, -EINVAL, "short");
		error__prefix(&err, -EINVAL, "%.*s", (int)keep, text);
		assert_in_range(strlen(err.text), ERROR_TEXT_BYTES - 4, ERROR_TEXT_BYTES - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sentence_and_its_number),
		cmocka_unit_test(a_prefix_and_then_another),
		cmocka_unit_test(err_may_be_null),
		cmocka_unit_test(foreign_text_is_escaped),
		cmocka_unit_test(long_sentences_are_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
