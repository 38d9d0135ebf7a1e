// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/governor.h"

#include <string.h>

#include "common/log.h"
#include "steptrace/record/setup.h"
#include "steptrace/stream/trace_events.h"

#define WINDOW_NS 250000000ull

/* What happened since the last look, which is this one from now on. */
static struct budget_window measure(struct session *session, uint64_t now_ns)
{
	struct governor *governor = &session->governor;
	const uint64_t *hits = session->accounting.kernel.hits;
	uint64_t cpu_ns = usage__cpu_ns();
	struct budget_window window = {
		.ns = now_ns - governor->looked_ns,
		.cpu_ns = cpu_ns - governor->cpu_ns,
		.records = session->records - governor->records,
	};

	for (int probe = 0; probe < PROBES_COUNT; probe++)
		window.hits[probe] = hits[probe] - governor->hits[probe];
	governor->looked_ns = now_ns;
	governor->cpu_ns = cpu_ns;
	governor->records = session->records;
	memcpy(governor->hits, hits, sizeof(governor->hits));
	return window;
}

static void tell(struct session *session, uint64_t now_ns)
{
	const struct budget *budget = &session->governor.budget;
	const struct trace_degree degree = {
		.level = budget__level_name(budget->level),
		.sample_every = budget__sample_every(budget->level),
		.cpu_percent = budget->share * 100,
		.max_cpu_percent = budget->max_share * 100,
	};
	char kept[64];

	trace_events__degraded(session->stream, &degree, now_ns);
	budget__describe(budget->level, kept);
	log__info("at %.1f %% of a processor, %.1f %% are allowed: %s from here on",
		  degree.cpu_percent, degree.max_cpu_percent, kept);
}

void governor__look(struct session *session, uint64_t now_ns)
{
	struct governor *governor = &session->governor;
	struct budget *budget = &governor->budget;
	bool is_first = governor->looked_ns == 0;
	struct budget_window window;

	if (budget->max_share <= 0 || now_ns - governor->looked_ns < WINDOW_NS)
		return;
	window = measure(session, now_ns);
	if (is_first || !budget__next(budget, &window))
		return;
	capture__degrade(session->capture, budget__probes_left_out(budget->level),
			 budget__sample_every(budget->level) ? budget__sample_every(budget->level)
							     : 1);
	tell(session, now_ns);
}
