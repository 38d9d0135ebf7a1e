// SPDX-License-Identifier: BSD-2-Clause
/* The filters for regular expressions: results, errors, and limits of time and work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "filter_cases.h"

/* The clock of this program goes on by so much whenever it is read. */
static long step_ns;
static struct timespec ahead;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	long code = syscall(SYS_clock_gettime, clock, now);

	ahead.tv_nsec += step_ns;
	ahead.tv_sec += ahead.tv_nsec / 1000000000;
	ahead.tv_nsec %= 1000000000;
	now->tv_sec += ahead.tv_sec;
	now->tv_nsec += ahead.tv_nsec;
	if (now->tv_nsec >= 1000000000) {
		now->tv_sec++;
		now->tv_nsec -= 1000000000;
	}
	return (int)code;
}

static void results(void **state)
{
	static const struct filter_case cases[] = {
		{"a | regex_test: '^h.*o$'", "true"},
		{"a | regex_test: '^H'", "false"},
		{"a | regex_test: '(?i)^H'", "true"},
		{"x | regex_test: 'a'", "false"},
		{"a | regex_extract: '(l+)(o)'", "[\"ll\",\"o\"]"},
		{"a | regex_extract: '(x)?(l)'", "[\"\",\"l\"]"},
		{"a | regex_extract: '(z)'", "null"},
		{"a | regex_extract: 'l'", "[]"},
		{"'SPRINT-12' | regex_extract: '^SPRINT-(\\\\d+)$'", "[\"12\"]"},
		{"'a1b22' | regex_find_all: '([a-z])(\\d+)'",
		 "[[\"a1\",\"a\",\"1\"],[\"b22\",\"b\",\"22\"]]"},
		{"a | regex_find_all: 'z'", "[]"},
		{"'ab' | regex_find_all: ''", "[[\"\"],[\"\"],[\"\"]]"},
		{"u | regex_find_all: '.' | length", "6"},
		{"a | regex_replace: 'l', 'L'", "\"heLLo\""},
		{"a | regex_replace: '(h)(e)', '$2\\1${1}x$9$'", "\"ehhx$llo\""},
		{"'ab' | regex_replace: '', '-'", "\"-a-b-\""},
		{"'h\xc3\xa9' | regex_replace: 'x*', '-'", "\"-h-\xc3\xa9-\""},
		{"'forget  me' | regex_replace: '^(forget|del)\\\\s+', ''", "\"me\""},
	};

	(void)state;
	EXPECT_ALL(cases);
}

static void wrong_patterns(void **state)
{
	static const struct failure_case cases[] = {
		{"a | regex_test: '('", -EINVAL, "missing closing parenthesis, at character 2"},
		{"a | regex_test: '\\C'", -EINVAL, "pattern '\\C'"},
		{"as | regex_test: '^(a+)+$'", -E2BIG, "match limit exceeded"},
		{"as | regex_replace: '^(a|a)*$', 'x'", -E2BIG, "match limit exceeded"},
	};

	(void)state;
	EXPECT_FAILURES(cases);
}

/* "a" N times and then "!": how much work '^(a+)+$' is doubles with each "a". A million steps are
 * allowed. */
static void the_work_of_one_match_is_limited(void **state)
{
	static const struct failure_case cases[] = {
		{"as | slice: 23 | regex_test: '^(a+)+$'", 0, ""},
		{"as | slice: 19 | regex_test: '^(a+)+$'", -E2BIG, "match limit exceeded"},
	};

	(void)state;
	EXPECT_FAILURES(cases);
}

/* The time is limited for all matches together. */
static void the_time_of_all_matches_is_limited(void **state)
{
	static const struct failure_case cases[] = {
		{"'aaaaaa' | regex_find_all: 'a'", 0, ""},
		{"'aaaaaa' | regex_replace: 'a', 'b'", 0, ""},
		{"'aaaaaaaaaaaaaaaa' | regex_find_all: 'a'", -E2BIG, "longer than one second"},
		{"'aaaaaaaaaaaaaaaa' | regex_replace: 'a', 'b'", -E2BIG, "longer than one second"},
	};

	(void)state;
	step_ns = 100000000;
	EXPECT_FAILURES(cases);
	step_ns = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results),
		cmocka_unit_test(wrong_patterns),
		cmocka_unit_test(the_work_of_one_match_is_limited),
		cmocka_unit_test(the_time_of_all_matches_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
