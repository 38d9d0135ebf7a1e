// SPDX-License-Identifier: BSD-2-Clause
/* The text buffer: its content, its limit, and its state after an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/strbuf.h"

static void test_appends(void **state)
{
	struct strbuf buf;
	char *text;

	(void)state;
	strbuf__init(&buf, 1000);
	assert_int_equal(strbuf__text(&buf, "a="), 0);
	assert_int_equal(strbuf__printf(&buf, "%d%s", 12, ";"), 0);
	assert_int_equal(strbuf__char(&buf, 'x'), 0);
	assert_int_equal(strbuf__bytes(&buf, "yz!", 2), 0);
	assert_int_equal(strbuf__repeat(&buf, "ab", 3), 0);
	assert_int_equal(strbuf__repeat(&buf, "", 1000000), 0);
	assert_string_equal(buf.text, "a=12;xyzababab");
	assert_int_equal(buf.length, 14);
	text = strbuf__take(&buf);
	assert_string_equal(text, "a=12;xyzababab");
	assert_null(buf.text);
	free(text);
}

static void test_nothing_is_an_empty_text(void **state)
{
	struct strbuf buf;
	char *text;

	(void)state;
	strbuf__init(&buf, 0);
	text = strbuf__take(&buf);
	assert_string_equal(text, "");
	free(text);
}

static void test_grows(void **state)
{
	struct strbuf buf;

	(void)state;
	strbuf__init(&buf, SIZE_MAX);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(strbuf__char(&buf, (char)('a' + i % 26)), 0);
	assert_int_equal(buf.length, 100000);
	assert_int_equal(strlen(buf.text), 100000);
	assert_int_equal(buf.text[99999], 'a' + 99999 % 26);
	strbuf__free(&buf);
	assert_int_equal(buf.length, 0);
}

static void test_limit(void **state)
{
	struct strbuf buf;

	(void)state;
	strbuf__init(&buf, 4);
	assert_int_equal(strbuf__text(&buf, "abcd"), 0);
	assert_int_equal(strbuf__char(&buf, 'e'), -E2BIG);
	assert_string_equal(buf.text, "abcd");
	assert_int_equal(strbuf__text(&buf, ""), -E2BIG);
	assert_int_equal(strbuf__printf(&buf, "%d", 1), -E2BIG);
	assert_null(strbuf__take(&buf));
	assert_int_equal(buf.err, -E2BIG);
	strbuf__free(&buf);
}

static void test_huge_length(void **state)
{
	struct strbuf buf;

	(void)state;
	strbuf__init(&buf, SIZE_MAX);
	assert_int_equal(strbuf__text(&buf, "a"), 0);
	assert_int_equal(strbuf__bytes(&buf, "b", SIZE_MAX - 1), -E2BIG);
	strbuf__free(&buf);
}

static void test_clear_keeps_the_memory(void **state)
{
	struct strbuf buf;
	size_t room;

	(void)state;
	strbuf__init(&buf, 300);
	strbuf__clear(&buf);
	assert_null(buf.text);
	assert_int_equal(strbuf__repeat(&buf, "abc", 100), 0);
	assert_int_equal(strbuf__char(&buf, 'd'), -E2BIG);
	room = buf.room;
	strbuf__clear(&buf);
	assert_string_equal(buf.text, "");
	assert_int_equal(buf.room, room);
	assert_int_equal(strbuf__text(&buf, "xy"), 0);
	assert_string_equal(buf.text, "xy");
	assert_int_equal(strbuf__repeat(&buf, "abc", 100), -E2BIG);
	strbuf__free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_appends),     cmocka_unit_test(test_nothing_is_an_empty_text),
		cmocka_unit_test(test_grows),       cmocka_unit_test(test_limit),
		cmocka_unit_test(test_huge_length), cmocka_unit_test(test_clear_keeps_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
