// SPDX-License-Identifier: BSD-2-Clause
/* The export for speedscope, in parts: lanes, lists in a temporary file, frames, and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>

#include "recorded_lines.h"
#include "steptrace/export/lanes.h"
#include "steptrace/export/speedscope.h"
#include "steptrace/export/speedscope_frames.h"

/* ---- lanes */

struct interval {
	uint64_t begin_ns, end_ns;
};

static int by_end(const void *left, const void *right)
{
	const struct interval *a = left, *b = right;

	return a->end_ns < b->end_ns ? -1 : a->end_ns > b->end_ns;
}

/* How many intervals contain the instant at which one of them begins, at most. */
static size_t overlap_of(const struct interval *intervals, size_t count)
{
	size_t most = 0;

	for (size_t i = 0; i < count; i++) {
		size_t open = 0;

		for (size_t j = 0; j < count; j++)
			open += intervals[j].begin_ns <= intervals[i].begin_ns &&
				intervals[i].begin_ns < intervals[j].end_ns;
		most = open > most ? open : most;
	}
	return most;
}

/* Nothing overlaps in a lane, and there are no more lanes than intervals that overlap. */
static void check_lanes(const struct interval *intervals, size_t count)
{
	struct lanes *lanes = lanes__new();
	uint64_t ends[100] = {0};
	uint32_t group;

	assert_non_null(lanes);
	group = lanes__group(lanes, "a", 1);
	for (size_t i = 0; i < count; i++) {
		struct lane *lane =
			lanes__take(lanes, group, intervals[i].begin_ns, intervals[i].end_ns);

		assert_non_null(lane);
		assert_true(ends[lane->number] <= intervals[i].begin_ns);
		ends[lane->number] = intervals[i].end_ns;
	}
	assert_int_equal(lanes->count, overlap_of(intervals, count));
	lanes__free(lanes);
}

static void test_lanes(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 300; seed++) {
		struct interval intervals[60];

		srandom(seed);
		for (size_t i = 0; i < 60; i++) {
			intervals[i].begin_ns = 1 + (uint64_t)random() % 500;
			intervals[i].end_ns =
				intervals[i].begin_ns + 1 + (uint64_t)random() % (1 + seed);
		}
		qsort(intervals, 60, sizeof(intervals[0]), by_end);
		check_lanes(intervals, 60);
	}
}

static void test_limits_of_lanes(void **state)
{
	struct lanes *lanes = lanes__new();
	char name[16];

	(void)state;
	assert_int_equal(lanes__group(lanes, "a", 1), 1);
	assert_int_equal(lanes__group(lanes, "b", 1), 2);
	assert_int_equal(lanes__group(lanes, "a", 1), 1);
	for (int i = 0; i < LANE_GROUPS_MAX; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		lanes__group(lanes, name, strlen(name));
	}
	assert_int_equal(lanes->groups_count, LANE_GROUPS_MAX);
	assert_int_equal(lanes__group(lanes, "c", 1), 0);
	for (size_t i = 0; i < LANES_MAX; i++)
		assert_non_null(lanes__take(lanes, i % 2, 10, 20));
	assert_null(lanes__take(lanes, 0, 10, 20));
	assert_non_null(lanes__take(lanes, 0, 20, 30));
	lanes__free(lanes);
}

/* ---- lists in a temporary file */

enum { LISTS = 3, ITEMS = 5000 };

struct expected {
	uint64_t list, next;
};

static int check_item(void *context, const struct spooled *item)
{
	struct expected *expected = context;

	assert_int_equal(item->ns, expected->list * 1000000 + expected->next);
	assert_int_equal(item->number, expected->next);
	assert_int_equal(item->is_begin, expected->next % 3 == 0);
	expected->next++;
	return 0;
}

static int refuse(void *context, const struct spooled *item)
{
	(void)item;
	return ++*(int *)context == 2000 ? -EPIPE : 0;
}

static void test_spool(void **state)
{
	struct spool_list lists[LISTS] = {{.newest = NULL}};
	struct spool spool;
	int calls = 0;

	(void)state;
	spool__init(&spool);
	for (uint32_t i = 0; i < ITEMS; i++)
		for (uint64_t list = 0; list < LISTS; list++)
			assert_int_equal(
				spool__add(&spool, &lists[list],
					   (struct spooled){list * 1000000 + i, i, i % 3 == 0}),
				0);
	assert_true(spool.fd >= 0);
	for (uint64_t list = 0; list < LISTS; list++) {
		struct expected expected = {list, 0};

		assert_int_equal(spool__read(&spool, &lists[list], check_item, &expected), 0);
		assert_int_equal(expected.next, ITEMS);
	}
	assert_int_equal(spool__read(&spool, &lists[0], refuse, &calls), -EPIPE);
	assert_int_equal(calls, 2000);
	for (uint64_t list = 0; list < LISTS; list++)
		spool_list__free(&lists[list]);
	spool__close(&spool);
}

/* ---- frames */

static uint32_t number_of(struct speedscope_frames *frames, const char *text, size_t bytes)
{
	uint32_t number = UINT32_MAX;

	assert_int_equal(speedscope_frames__number(frames, text, bytes, &number), 0);
	return number;
}

static void test_frames(void **state)
{
	struct speedscope_frames *frames = speedscope_frames__new();
	char *large = calloc(1, FRAMES_BYTES_MAX);
	size_t bytes;

	(void)state;
	assert_int_equal(number_of(frames, "a", 1), 0);
	assert_int_equal(number_of(frames, "bc", 2), 1);
	assert_int_equal(number_of(frames, "a", 1), 0);
	assert_int_equal(speedscope_frames__count(frames), 2);
	assert_memory_equal(speedscope_frames__text(frames, 1, &bytes), "bc", 2);
	assert_int_equal(bytes, 2);
	assert_int_equal(number_of(frames, large, FRAMES_BYTES_MAX), 2); /* no room: "other" */
	assert_memory_equal(speedscope_frames__text(frames, 2, &bytes), "{\"name\":\"other\"}", 16);
	assert_int_equal(speedscope_frames__others(frames), 1);
	assert_int_equal(number_of(frames, large, FRAMES_BYTES_MAX - 1), 2);
	assert_int_equal(number_of(frames, "a", 1), 0);
	free(large);
	speedscope_frames__free(frames);
}

static void test_too_many_frames(void **state)
{
	struct speedscope_frames *frames = speedscope_frames__new();
	char text[16];

	(void)state;
	for (uint32_t i = 0; i < FRAMES_MAX; i++) {
		snprintf(text, sizeof(text), "%u", i);
		assert_int_equal(number_of(frames, text, strlen(text)), i);
	}
	assert_int_equal(number_of(frames, "x", 1), FRAMES_MAX);
	assert_int_equal(number_of(frames, "y", 1), FRAMES_MAX);
	assert_int_equal(number_of(frames, "0", 1), 0);
	assert_int_equal(speedscope_frames__others(frames), 2);
	assert_int_equal(speedscope_frames__count(frames), FRAMES_MAX + 1);
	speedscope_frames__free(frames);
}

/* ---- limits of the whole */

#define AT(ns) "\"timestamp\":\"2026-01-02T00:00:00.00000" ns "Z\""
#define STEP(ns)                                                                                   \
	"{\"event\":\"dsl.step.executed\",\"execution_id\":\"e\",\"command_slug\":\"go\","         \
	"\"step_id\":\"s" ns                                                                       \
	"\",\"step_type\":\"T\",\"duration_ms\":0.000001,\"outcome\":\"success\"," AT(ns) "}"
#define COMPLETED(ns)                                                                              \
	"{\"event\":\"command.execution.completed\",\"execution_id\":\"e\","                       \
	"\"command_slug\":\"go\",\"total_duration_ms\":0.0001,\"outcome\":\"success\"," AT(ns) "}"

/* Steps are left out when too many are held; their command is not. */
static void test_too_much_is_held(void **state)
{
	static const char *const lines[] = {STEP("0110"), STEP("0120"), STEP("0130"),
					    COMPLETED("0200")};
	struct recorded_line reader = {.room = NULL};
	struct speedscope *speedscope;
	struct speedscope_counts counts;
	struct written written;
	struct export_out out;

	(void)state;
	written__open(&written);
	export_out__init(&out, written.file);
	speedscope = speedscope__with_limit(&out, 1);
	for (size_t i = 0; i < 4; i++) {
		struct recorded_event event = event_of(&reader, lines[i]);

		assert_int_equal(speedscope__event(speedscope, &event), 0);
	}
	assert_int_equal(speedscope__end(speedscope, &counts), 0);
	assert_int_equal(counts.not_held, 3);
	assert_int_equal(counts.executions, 1);
	assert_non_null(strstr(written.text, "\"left_out\":3"));
	assert_non_null(strstr(written.text, "{\"type\":\"C\",\"frame\":0,\"at\":100}]}]}"));
	speedscope__free(speedscope);
	export_out__free(&out);
	recorded_line__free(&reader);
	written__close(&written);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lanes),           cmocka_unit_test(test_limits_of_lanes),
		cmocka_unit_test(test_spool),           cmocka_unit_test(test_frames),
		cmocka_unit_test(test_too_many_frames), cmocka_unit_test(test_too_much_is_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
