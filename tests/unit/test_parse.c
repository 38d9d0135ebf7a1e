// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>

#include "common/parse.h"

static void numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int result;
		uint64_t value;
	} rows[] = {
		{"0", 0, 10, 0, 0},
		{"10", 0, 10, 0, 10},
		{"007", 0, 10, 0, 7},
		{"11", 0, 10, -ERANGE, 0},
		{"4", 5, 10, -ERANGE, 0},
		{"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", 0, UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999999999", 0, UINT64_MAX, -ERANGE, 0},
		{"", 0, 10, -EINVAL, 0},
		{" 1", 0, 10, -EINVAL, 0},
		{"1 ", 0, 10, -EINVAL, 0},
		{"+1", 0, 10, -EINVAL, 0},
		{"-1", 0, UINT64_MAX, -EINVAL, 0},
		{"1.0", 0, 10, -EINVAL, 0},
		{"0x1", 0, 10, -EINVAL, 0},
		{"1e1", 0, 10, -EINVAL, 0},
		{"1\n", 0, 10, -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t value = 12345;
		int result = parse__u64(rows[i].text, rows[i].min, rows[i].max, &value);

		if (result != rows[i].result)
			fail_msg("'%s': %d instead of %d", rows[i].text, result, rows[i].result);
		assert_true(value == (result ? 12345 : rows[i].value));
	}
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t ns;
	} rows[] = {
		{"1ns", 0, 1},
		{"500us", 0, 500000},
		{"20ms", 0, 20000000},
		{"1s", 0, 1000000000},
		{"1", 0, 1000000000},
		{"0", 0, 0},
		{"1.5s", 0, 1500000000},
		{"1.5", 0, 1500000000},
		{"0.25ms", 0, 250000},
		{"0.000000001", 0, 1},
		{"0.0000000001", 0, 0}, /* less than one nanosecond */
		{"2m", 0, 120000000000},
		{"1h", 0, 3600000000000},
		{"0.5h", 0, 1800000000000},
		{"1.999999999h", 0, 7199999996400},
		{"18446744073.709551615", 0, UINT64_MAX},
		{"18446744073.709551616", -ERANGE, 0},
		{"18446744074s", -ERANGE, 0},
		{"9999999999h", -ERANGE, 0},
		{"18446744073709551616ns", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"s", -EINVAL, 0},
		{".5s", -EINVAL, 0},
		{"1.s", -EINVAL, 0},
		{"1.", -EINVAL, 0},
		{"1..5s", -EINVAL, 0},
		{"1.5.5s", -EINVAL, 0},
		{"1 s", -EINVAL, 0},
		{"1S", -EINVAL, 0},
		{"1sec", -EINVAL, 0},
		{"-1s", -EINVAL, 0},
		{"1m30s", -EINVAL, 0},
		{"1w", -EINVAL, 0},
		{"7d", 0, 604800000000000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t ns = 12345;
		int result = parse__duration_ns(rows[i].text, &ns);

		if (result != rows[i].result || ns != (result ? 12345 : rows[i].ns))
			fail_msg("'%s': %d, %llu ns", rows[i].text, result, (unsigned long long)ns);
	}
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int result;
		uint64_t bytes;
	} rows[] = {
		{"0", 0, UINT64_MAX, 0, 0},
		{"4096", 4096, 4096, 0, 4096},
		{"64K", 0, UINT64_MAX, 0, 65536},
		{"8M", 0, UINT64_MAX, 0, 8388608},
		{"3G", 0, UINT64_MAX, 0, 3221225472},
		{"17179869183G", 0, UINT64_MAX, 0, 17179869183ull << 30},
		{"17179869184G", 0, UINT64_MAX, -ERANGE, 0},
		{"18446744073709551616", 0, UINT64_MAX, -ERANGE, 0},
		{"64K", 0, 65535, -ERANGE, 0},
		{"63K", 65536, UINT64_MAX, -ERANGE, 0},
		{"64k", 0, UINT64_MAX, -EINVAL, 0},
		{"64KB", 0, UINT64_MAX, -EINVAL, 0},
		{"1.5M", 0, UINT64_MAX, -EINVAL, 0},
		{"K", 0, UINT64_MAX, -EINVAL, 0},
		{"", 0, UINT64_MAX, -EINVAL, 0},
		{"-1K", 0, UINT64_MAX, -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t bytes = 12345;
		int result = parse__size_bytes(rows[i].text, rows[i].min, rows[i].max, &bytes);

		if (result != rows[i].result || bytes != (result ? 12345 : rows[i].bytes))
			fail_msg("'%s': %d, %llu bytes", rows[i].text, result,
				 (unsigned long long)bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(durations),
		cmocka_unit_test(sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
