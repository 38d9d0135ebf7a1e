// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/budget.h"

#include <stdio.h>

enum {
	ENOUGH_RECORDS = 200, /* in a window, to learn from */
};

#define CALM_NS    2000000000ull /* of less load, before there is more detail again */
#define CALM_SHARE 0.7           /* of the limit is what "less" means */
#define LEARNING   0.3           /* the weight of the last window */
#define RECORD_NS  1000          /* until something was learned */

static const uint32_t of_commands =
	1u << PROBE_COMMAND_START | 1u << PROBE_COMMAND_DONE | 1u << PROBE_COMMAND_REJECTED;
static const uint32_t of_ends = 1u << PROBE_COMMAND_DONE | 1u << PROBE_COMMAND_REJECTED;
static const uint32_t of_all = (1u << PROBES_COUNT) - 1;

const char *budget__level_name(unsigned int level)
{
	if (level == 0)
		return "all";
	if (level <= BUDGET_SAMPLES)
		return "steps_sampled";
	return level == BUDGET_COMPLETED ? "completed_only" : "counts_only";
}

void budget__describe(unsigned int level, char text[64])
{
	if (level > 0 && level <= BUDGET_SAMPLES)
		snprintf(text, 64, "steps of 1 in %u executions", budget__sample_every(level));
	else
		snprintf(text, 64, "%s",
			 level == 0                  ? "all events"
			 : level == BUDGET_COMPLETED ? "completed commands only"
						     : "counts only");
}

uint32_t budget__sample_every(unsigned int level)
{
	return level <= BUDGET_SAMPLES ? 1u << level : 0;
}

uint32_t budget__probes_left_out(unsigned int level)
{
	if (level <= BUDGET_SAMPLES)
		return 0;
	return level == BUDGET_COMPLETED ? of_all & ~of_ends : of_all;
}

/* Records that the window's boundaries make at a level. */
static double records_at(const struct budget_window *window, unsigned int level)
{
	uint32_t left_out = budget__probes_left_out(level);
	double records = 0;

	for (int probe = 0; probe < PROBES_COUNT; probe++) {
		bool sampled = !(of_commands & 1u << probe);

		if (left_out & 1u << probe)
			continue;
		records +=
			(double)window->hits[probe] / (sampled ? budget__sample_every(level) : 1);
	}
	return records;
}

static void learn(struct budget *budget, const struct budget_window *window)
{
	double seen;

	if (window->records < ENOUGH_RECORDS)
		return;
	seen = (double)window->cpu_ns / (double)window->records;
	if (budget->record_ns == 0)
		budget->record_ns = seen;
	budget->record_ns += LEARNING * (seen - budget->record_ns);
}

/* The most detail whose share stays under this. */
static unsigned int affordable(const struct budget *budget, const struct budget_window *window,
			       double share)
{
	double record_ns = budget->record_ns > 0 ? budget->record_ns : RECORD_NS;
	unsigned int level = 0;

	while (level < BUDGET_COUNTS &&
	       records_at(window, level) * record_ns > share * (double)window->ns)
		level++;
	return level;
}

/* Few records are not what the time went into: to leave some out would not help. */
static unsigned int wanted(struct budget *budget, const struct budget_window *window)
{
	bool over = budget->share > budget->max_share && window->records >= ENOUGH_RECORDS;
	unsigned int level = budget->level, fits, calm;

	fits = affordable(budget, window, budget->max_share);
	if (over && fits <= level && level < BUDGET_COUNTS)
		fits = level + 1; /* what was learned is out of date */
	if (over)
		return fits;
	calm = affordable(budget, window, CALM_SHARE * budget->max_share);
	if (calm >= level) {
		budget->calm_ns = 0;
		return level;
	}
	budget->calm_ns += window->ns;
	return budget->calm_ns >= CALM_NS ? calm : level;
}

bool budget__next(struct budget *budget, const struct budget_window *window)
{
	unsigned int level;

	if (budget->max_share <= 0 || window->ns == 0)
		return false;
	budget->share = (double)window->cpu_ns / (double)window->ns;
	learn(budget, window);
	level = wanted(budget, window);
	if (level == budget->level)
		return false;
	budget->level = level;
	budget->calm_ns = 0;
	return true;
}
