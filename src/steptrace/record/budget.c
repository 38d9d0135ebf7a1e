// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/budget.h"

#include <stdio.h>

#include "steptrace/stream/event.h"

enum {
	ENOUGH_RECORDS = 200, /* a window with fewer records says nothing about their cost */
};

#define CALM_NS    2000000000ull /* the load must be low for so long before detail returns */
#define CALM_SHARE 0.7           /* low: detail would need less than this part of the limit */
#define LEARNING   0.3           /* the weight of the last window in the learned cost */
#define RECORD_NS  1000          /* the cost of a record until it was learned */

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

/* A command has been completed or rejected: what BUDGET_COMPLETED keeps. */
static bool ends_command(const struct probe_info *probe)
{
	return probe->form != FORM_CHILD && probe->phase != PHASE_BEGINS;
}

uint32_t budget__probes_left_out(unsigned int level)
{
	uint32_t mask = 0;

	if (level <= BUDGET_SAMPLES)
		return 0;
	for (int probe = 0; probe < PROBES_COUNT; probe++)
		if (level == BUDGET_COUNTS || !ends_command(&probes[probe]))
			mask |= 1u << probe;
	return mask;
}

/* The records that the hits of the window make at a level. */
static double records_at(const struct budget_window *window, unsigned int level)
{
	uint32_t left_out = budget__probes_left_out(level);
	double records = 0;

	for (int probe = 0; probe < PROBES_COUNT; probe++) {
		bool sampled = probes[probe].form == FORM_CHILD;

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

/* The lowest level, with the most detail, that needs less than `share` of a processor. */
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

/* The level for the next window. If the tracer was over its limit while it read only a few records,
 * the time went elsewhere, and dropping records would not help. */
static unsigned int wanted(struct budget *budget, const struct budget_window *window)
{
	bool over = budget->share > budget->max_share && window->records >= ENOUGH_RECORDS;
	unsigned int level = budget->level, fits, calm;

	fits = affordable(budget, window, budget->max_share);
	if (over && fits <= level && level < BUDGET_COUNTS)
		fits = level + 1; /* a record costs more than was learned */
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
