// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <string.h>

#include "common/parse.h"
#include "steptrace/record/budget.h"

enum { WINDOW_NS = 250000000 };

/* A model of a tracer: a record costs record_ns, and the runners make `commands` commands of five
 * steps each second. */
struct plant {
	struct budget budget;
	double record_ns, idle_ns, commands;
};

static double records_of(const struct plant *plant, unsigned int level)
{
	double commands = plant->commands * WINDOW_NS / 1e9;

	if (level == BUDGET_COUNTS)
		return 0;
	if (level == BUDGET_COMPLETED)
		return commands;
	return commands * (2 + 10.0 / budget__sample_every(level));
}

/* Runs one window; returns the share of a processor that it used. */
static double plant__run(struct plant *plant)
{
	double commands = plant->commands * WINDOW_NS / 1e9;
	double records = records_of(plant, plant->budget.level);
	struct budget_window window = {
		.ns = WINDOW_NS,
		.cpu_ns = (uint64_t)(records * plant->record_ns + plant->idle_ns),
		.records = (uint64_t)records};

	window.hits[PROBE_COMMAND_START] = window.hits[PROBE_COMMAND_DONE] = (uint64_t)commands;
	window.hits[PROBE_STEP_START] = window.hits[PROBE_STEP_DONE] = (uint64_t)(5 * commands);
	budget__next(&plant->budget, &window);
	return (double)window.cpu_ns / WINDOW_NS;
}

static void without_a_limit_nothing_happens(void **state)
{
	struct plant plant = {.record_ns = 1e6, .commands = 1e6};

	(void)state;
	for (int i = 0; i < 100; i++)
		plant__run(&plant);
	assert_int_equal(plant.budget.level, 0);
}

static void within_the_limit_nothing_happens(void **state)
{
	struct plant plant = {
		.budget.max_share = 0.1, .record_ns = 500, .idle_ns = 1e6, .commands = 1000};

	(void)state;
	for (int i = 0; i < 100; i++)
		plant__run(&plant);
	assert_int_equal(plant.budget.level, 0);
}

static void the_limit_holds_from_the_third_window_on(void **state)
{
	(void)state;
	for (double commands = 100; commands < 3e6; commands *= 1.37)
		for (double record_ns = 200; record_ns < 10000; record_ns *= 2.1) {
			struct plant plant = {.budget.max_share = 0.05,
					      .record_ns = record_ns,
					      .commands = commands};
			unsigned int level;

			plant__run(&plant);
			plant__run(&plant);
			level = plant.budget.level;
			for (int i = 0; i < 100; i++) {
				assert_true(plant__run(&plant) <= 0.05);
				assert_int_equal(plant.budget.level,
						 level); /* does not oscillate */
			}
		}
}

static void the_limit_holds_when_records_become_expensive(void **state)
{
	struct plant plant = {.budget.max_share = 0.05, .record_ns = 300, .commands = 10000};

	(void)state;
	for (int i = 0; i < 20; i++)
		plant__run(&plant);
	plant.record_ns = 6000;
	for (int i = 0; i < 8; i++)
		plant__run(&plant);
	assert_true(plant__run(&plant) <= 0.05);
}

static void full_detail_returns_when_the_load_drops(void **state)
{
	struct plant plant = {.budget.max_share = 0.02, .record_ns = 1000, .commands = 2e6};
	int windows = 0;

	(void)state;
	for (int i = 0; i < 10; i++)
		plant__run(&plant);
	assert_int_equal(plant.budget.level, BUDGET_COUNTS);
	plant.commands = 100;
	while (plant.budget.level != 0 && windows < 100) {
		plant__run(&plant);
		windows++;
	}
	assert_int_equal(plant.budget.level, 0);
	assert_in_range(windows, 8, 12); /* 2 to 3 seconds */
}

static void a_short_pause_does_not_restore_detail(void **state)
{
	struct plant plant = {.budget.max_share = 0.02, .record_ns = 1000, .commands = 2e5};

	(void)state;
	for (int i = 0; i < 100; i++) {
		plant.commands = i % 6 ? 0 : 2e5;
		plant__run(&plant);
		assert_true(plant.budget.level > 0);
	}
}

static void idle_cost_alone_does_not_degrade(void **state)
{
	struct plant plant = {
		.budget.max_share = 0.01, .record_ns = 500, .idle_ns = 5e6, .commands = 10};

	(void)state;
	for (int i = 0; i < 100; i++)
		plant__run(&plant);
	assert_int_equal(plant.budget.level, 0);
}

static void each_level_leaves_out_more(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(budget__sample_every(0), 1);
	assert_int_equal(budget__probes_left_out(0), 0);
	assert_int_equal(budget__sample_every(BUDGET_SAMPLES), 64);
	assert_int_equal(budget__probes_left_out(BUDGET_SAMPLES), 0);
	assert_int_equal(budget__probes_left_out(BUDGET_COMPLETED),
			 0xff & ~(1 << PROBE_COMMAND_DONE | 1 << PROBE_COMMAND_REJECTED));
	assert_int_equal(budget__probes_left_out(BUDGET_COUNTS), 0xff);
	assert_string_equal(budget__level_name(0), "all");
	assert_string_equal(budget__level_name(1), "steps_sampled");
	assert_string_equal(budget__level_name(BUDGET_COMPLETED), "completed_only");
	assert_string_equal(budget__level_name(BUDGET_COUNTS), "counts_only");
	budget__describe(3, text);
	assert_string_equal(text, "steps of 1 in 8 executions");
}

static void percents_are_parsed(void **state)
{
	static const char *const none[] = {"",    "%",   "-1",  "0.09", "101", "5 %",
					   "nan", "inf", "0x5", "1e1",  "5%%"};
	double percent;

	(void)state;
	assert_int_equal(parse__percent("2.5", 0.1, 100, &percent), 0);
	assert_true(percent == 2.5);
	assert_int_equal(parse__percent("100%", 0.1, 100, &percent), 0);
	assert_true(percent == 100);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_true(parse__percent(none[i], 0.1, 100, &percent) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_limit_nothing_happens),
		cmocka_unit_test(within_the_limit_nothing_happens),
		cmocka_unit_test(the_limit_holds_from_the_third_window_on),
		cmocka_unit_test(the_limit_holds_when_records_become_expensive),
		cmocka_unit_test(full_detail_returns_when_the_load_drops),
		cmocka_unit_test(a_short_pause_does_not_restore_detail),
		cmocka_unit_test(idle_cost_alone_does_not_degrade),
		cmocka_unit_test(each_level_leaves_out_more),
		cmocka_unit_test(percents_are_parsed),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
