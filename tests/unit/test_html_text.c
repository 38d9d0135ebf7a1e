// SPDX-License-Identifier: BSD-2-Clause
/* common/html_text: foreign text in an HTML page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/html_text.h"

static char *written(const char *text)
{
	char *page = NULL;
	size_t bytes;
	FILE *out = open_memstream(&page, &bytes);

	assert_non_null(out);
	html_text__write(out, text);
	assert_int_equal(fclose(out), 0);
	return page;
}

static void expect(const char *text, const char *expected)
{
	char *page = written(text);

	assert_string_equal(page, expected);
	free(page);
}

static void test_markup(void **state)
{
	(void)state;
	expect("", "");
	expect("plain text, 1.5 s; ü 中", "plain text, 1.5 s; ü 中");
	expect("</script><script>", "&lt;/script&gt;&lt;script&gt;");
	expect("\"><img onerror='x()'>", "&quot;&gt;&lt;img onerror=&#39;x()&#39;&gt;");
	expect("&lt;", "&amp;lt;");
}

static void test_what_is_not_printable(void **state)
{
	(void)state;
	expect("a\nb\x1b[0m\x7f", "a\\nb\\x1b[0m\\x7f");
	expect("\xe2\x80\xae"
	       "abc",
	       "\\u202eabc");
	expect("\xff<\xc3", "\\xff&lt;\\xc3");
}

/* No byte can be markup, whatever stands in front of it: also half a character. */
static void test_every_byte_behind_every_byte(void **state)
{
	(void)state;
	for (int first = 1; first < 256; first++)
		for (int second = 1; second < 256; second++) {
			const char text[] = {(char)first, (char)second, 0};
			char *page = written(text);

			assert_null(strpbrk(page, "<>\"'\n"));
			free(page);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_markup),
		cmocka_unit_test(test_what_is_not_printable),
		cmocka_unit_test(test_every_byte_behind_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
