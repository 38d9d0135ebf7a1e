// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "steptrace/stream/clock_anchor.h"

static const uint64_t second_ns = 1000000000;

/* An anchor that says that both clocks showed these values at the same moment. */
static struct clock_anchor clock_at(uint64_t monotonic_ns, uint64_t wall_ns)
{
	return (struct clock_anchor){.monotonic_ns = monotonic_ns, .realtime_ns = wall_ns};
}

static void expect_timestamp(struct clock_anchor *clock, uint64_t monotonic_ns, const char *text)
{
	char room[CLOCK_TIMESTAMP_BYTES + 1] = {0};
	struct json json = {.base = room, .at = room, .limit = room + CLOCK_TIMESTAMP_BYTES};

	clock_anchor__timestamp(clock, &json, monotonic_ns);
	assert_int_equal(json__length(&json), CLOCK_TIMESTAMP_BYTES);
	assert_string_equal(room, text);
}

/* Tests each time with a new clock, and with one that has formatted another second before. */
static void calendar(void **state)
{
	static const struct {
		uint64_t second, ns;
		const char *text;
	} rows[] = {
		{0, 0, "1970-01-01T00:00:00.000000000Z"},
		{0, 1, "1970-01-01T00:00:00.000000001Z"},
		{1, 999999999, "1970-01-01T00:00:01.999999999Z"},
		{951782399, 0, "2000-02-28T23:59:59.000000000Z"},
		{951782400, 0, "2000-02-29T00:00:00.000000000Z"},
		{1709251199, 123456789, "2024-02-29T23:59:59.123456789Z"},
		{1769860800, 100000000, "2026-01-31T12:00:00.100000000Z"},
		{4107542400, 0, "2100-03-01T00:00:00.000000000Z"},
		{UINT64_MAX / 1000000000, 709551615, "2554-07-21T23:34:33.709551615Z"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		uint64_t at_ns = rows[i].second * second_ns + rows[i].ns;
		struct clock_anchor fresh = clock_at(0, 0), used = clock_at(0, 0);

		expect_timestamp(&fresh, at_ns, rows[i].text);
		expect_timestamp(&used, 86400 * second_ns, "1970-01-02T00:00:00.000000000Z");
		expect_timestamp(&used, at_ns, rows[i].text);
		expect_timestamp(&used, at_ns, rows[i].text);
	}
}

/* Every day up to the last that fits into 64 bits of nanoseconds, as the C library has it. */
static void each_day(void **state)
{
	(void)state;
	for (uint64_t day = 0; day <= UINT64_MAX / second_ns / 86400; day++) {
		uint64_t second = day * 86400 + day % 86400;
		struct clock_anchor clock = clock_at(0, 0);
		time_t time = (time_t)second;
		struct tm calendar;
		char text[CLOCK_TIMESTAMP_BYTES + 1];

		assert_non_null(gmtime_r(&time, &calendar));
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000000000Z", &calendar);
		expect_timestamp(&clock, second * second_ns, text);
	}
}

static void follows_from_the_anchor_alone(void **state)
{
	struct clock_anchor clock = clock_at(500 * second_ns, 1769860800 * second_ns);

	(void)state;
	expect_timestamp(&clock, 500 * second_ns, "2026-01-31T12:00:00.000000000Z");
	expect_timestamp(&clock, 500 * second_ns - 1, "2026-01-31T11:59:59.999999999Z");
	expect_timestamp(&clock, 500 * second_ns + 1, "2026-01-31T12:00:00.000000001Z");
	expect_timestamp(&clock, 0, "2026-01-31T11:51:40.000000000Z");
	expect_timestamp(&clock, 4100 * second_ns, "2026-01-31T13:00:00.000000000Z");
	assert_true(clock_anchor__realtime_ns(&clock, 500 * second_ns) == 1769860800 * second_ns);
	assert_true(clock_anchor__realtime_ns(&clock, 500 * second_ns - 7) ==
		    1769860800 * second_ns - 7);
	assert_true(clock_anchor__realtime_ns(&clock, 500 * second_ns + 7) ==
		    1769860800 * second_ns + 7);
}

static uint64_t wall_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * second_ns + (uint64_t)now.tv_nsec;
}

static void pair_is_a_moment_of_both_clocks(void **state)
{
	uint64_t before = clock__now_ns(), wall_before = wall_now_ns();
	struct clock_pair pair = clock__read_pair();

	(void)state;
	assert_in_range(pair.monotonic_ns, before, clock__now_ns());
	assert_in_range(pair.realtime_ns, wall_before, wall_now_ns());
}

static void an_anchor_writes_from_its_first_second(void **state)
{
	const struct clock_pair zero = {0};
	struct clock_anchor clock;

	(void)state;
	memset(&clock, 0xff, sizeof(clock)); /* the function must set every field */
	clock_anchor__init(&clock, &zero);
	expect_timestamp(&clock, 5, "1970-01-01T00:00:00.000000005Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calendar),
		cmocka_unit_test(each_day),
		cmocka_unit_test(follows_from_the_anchor_alone),
		cmocka_unit_test(pair_is_a_moment_of_both_clocks),
		cmocka_unit_test(an_anchor_writes_from_its_first_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
