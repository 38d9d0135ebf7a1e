// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/governor.h"

#include <string.h>

#include "common/log.h"
#include "steptrace/record/usage.h"
#include "steptrace/stream/trace_events.h"

#define WINDOW_NS 250000000ull

/* The load since the last measurement. */
static struct budget_window measure(struct governor *governor, const struct governor_load *load)
{
	uint64_t cpu_ns = usage__cpu_ns();
	struct budget_window window = {
		.ns = load->now_ns - governor->measured_ns,
		.cpu_ns = cpu_ns - governor->cpu_ns,
		.records = load->records_count - governor->records_count,
	};

	for (int probe = 0; probe < PROBES_COUNT; probe++)
		window.hits[probe] = load->hits[probe] - governor->hits[probe];
	governor->measured_ns = load->now_ns;
	governor->cpu_ns = cpu_ns;
	governor->records_count = load->records_count;
	memcpy(governor->hits, load->hits, sizeof(governor->hits));
	return window;
}

static void apply(const struct budget *budget, struct capture *capture)
{
	uint32_t sample_every = budget__sample_every(budget->level);

	capture__degrade(capture, budget__probes_left_out(budget->level),
			 sample_every ? sample_every : 1);
}

static void report(const struct governor *governor, struct stream *stream, uint64_t now_ns)
{
	const struct budget *budget = &governor->budget;
	const struct trace_degree degree = {
		.level = budget__level_name(budget->level),
		.sample_every = budget__sample_every(budget->level),
		.cpu_percent = budget->share * 100,
		.max_cpu_percent = (budget->max_share + governor->others_share) * 100,
	};
	char kept[64];

	trace_events__degraded(stream, &degree, now_ns);
	budget__describe(budget->level, kept);
	log__info(
		"steptrace uses %.1f %% of a processor, and --max-cpu allows %.1f %%; from now on "
		"it records: %s",
		degree.cpu_percent, degree.max_cpu_percent, kept);
}

void governor__update(struct governor *governor, const struct governor_load *load,
		      struct capture *capture, struct stream *stream)
{
	struct budget *budget = &governor->budget;
	bool is_first = governor->measured_ns == 0;
	struct budget_window window;

	if (budget->max_share <= 0 || load->now_ns - governor->measured_ns < WINDOW_NS)
		return;
	window = measure(governor, load);
	if (is_first || !budget__next(budget, &window))
		return;
	apply(budget, capture);
	report(governor, stream, load->now_ns);
}
