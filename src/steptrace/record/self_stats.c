// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/self_stats.h"

#include "common/log.h"

static void put_text(void *context, const struct prometheus_text *out)
{
	const struct self_stats *stats = context;

	vitals__prometheus(&stats->now, out);
	if (stats->durations)
		duration_metrics__put(stats->durations, out);
	prometheus_text__end(out);
}

int self_stats__open(struct self_stats *stats, const char *address, bool prints, struct error *err)
{
	int code;

	*stats = (struct self_stats){.prints = prints};
	usage__open(&stats->usage);
	if (!address)
		return 0;
	code = metrics__open(address, put_text, stats, &stats->metrics, err);
	if (!code)
		log__info("metrics at %s", metrics__url(stats->metrics));
	return code;
}

void self_stats__close(struct self_stats *stats)
{
	metrics__close(stats->metrics);
	duration_metrics__free(stats->durations);
	usage__close(&stats->usage);
}

void self_stats__update(struct self_stats *stats, const struct vitals *now)
{
	char line[VITALS_LINE_BYTES];

	stats->before = stats->now;
	stats->now = *now;
	if (!stats->prints || stats->before.now_ns == 0)
		return;
	vitals__line(&stats->before, &stats->now, line);
	log__info("%s", line);
}
