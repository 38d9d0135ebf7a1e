// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/wrap.h"

#define TEN   "0123456789"
#define FORTY TEN TEN TEN TEN

static char *wrapped(const char *text, size_t column, size_t from)
{
	char *result = NULL;
	size_t bytes;
	FILE *out = open_memstream(&result, &bytes);

	assert_non_null(out);
	wrap__print(out, text, column, from);
	fclose(out);
	return result;
}

static void lines_of_80_columns(void **state)
{
	static const struct {
		const char *text;
		size_t column, from;
		const char *lines;
	} rows[] = {
		{"", 4, 4, "\n"},
		{"two  words\nand  more\n", 4, 4, "two words and more\n"},
		{FORTY " 0123456789012345678901234567890123456 x", 2, 2,
		 FORTY " 0123456789012345678901234567890123456\n  x\n"},
		{FORTY " 01234567890123456789012345678901234567", 1, 1,
		 FORTY " 01234567890123456789012345678901234567\n"},
		{FORTY " 01234567890123456789012345678901234567", 2, 2,
		 FORTY "\n  01234567890123456789012345678901234567\n"},
		/* a word that is longer than a line, and one that does not fit behind other text */
		{FORTY FORTY TEN " x", 2, 2, FORTY FORTY TEN "\n  x\n"},
		{FORTY, 60, 3, "\n   " FORTY "\n"},
		/* columns, not bytes */
		{"\xe6\xbc\xa2\xe5\xad\x97 " FORTY " " FORTY, 0, 0,
		 "\xe6\xbc\xa2\xe5\xad\x97 " FORTY "\n" FORTY "\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *lines = wrapped(rows[i].text, rows[i].column, rows[i].from);

		assert_string_equal(lines, rows[i].lines);
		free(lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_80_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
