// SPDX-License-Identifier: BSD-2-Clause
#include "runner/background_options.h"

#include <errno.h>
#include <inttypes.h>

#include "common/log.h"
#include "runner/pack/pack.h"

static int add_queue(void *context, const char *value, struct error *err)
{
	if (!pack__is_slug(value))
		return error__set(err, -EINVAL, "--queue: '%s' is not the name of a queue", value);
	return option_list__add(&((struct background_options *)context)->queues, value, "queue",
				err);
}

const struct option_row background_option_rows[BACKGROUND_OPTION_ROWS] = {
	{{'b', "background", "N", "execute N runs or jobs at the same time (default: 2; 0: none)"},
	 OPTION_STORES(NUMBER, struct background_options, threads),
	 .max = BACKGROUND_THREADS_MAX,
	 .range = "a number from 0 to 256",
	 .example = "4"},
	{{0, "queue", "NAME", "take jobs from this queue; may be repeated (default: all)"},
	 .set = add_queue},
	{{0, "no-schedules", NULL, "leave the runs of schedules to others"},
	 OPTION_STORES(FLAG, struct background_options, no_schedules)},
	{{0, "no-jobs", NULL, "leave the jobs of the queue to others"},
	 OPTION_STORES(FLAG, struct background_options, no_jobs)},
	{{0, "lease", "TIME",
	  "others may take over what this process executes when it\n"
	  "stood still for TIME (1s or more; default: 30s)"},
	 OPTION_STORES(TIME, struct background_options, lease_ns),
	 .min = 1000000000,
	 .max = 86400000000000,
	 .range = "a time from 1s to 24h",
	 .example = "60s"},
};

void background_options__set_defaults(struct background_options *options)
{
	*options = (struct background_options){.threads = 2, .lease_ns = 30000000000};
}

int background_options__settings(const struct background_options *options,
				 struct background_settings *settings, struct error *err)
{
	*settings = (struct background_settings){
		.threads = options->threads,
		.runs_schedules = !options->no_schedules,
		.runs_jobs = !options->no_jobs,
		.queues = {options->queues.items, options->queues.count},
		.lease_ns = options->lease_ns,
	};
	if (options->no_jobs && options->queues.count)
		return error__set(err, -EINVAL, "--queue has no effect with --no-jobs");
	if (options->no_jobs && options->no_schedules)
		settings->threads = 0;
	return 0;
}

void background_options__tell(const struct background_counts *counts)
{
	if (counts->runs)
		log__info("%" PRIu64 " runs of schedules, %" PRIu64 " of them failed", counts->runs,
			  counts->failed_runs);
	if (counts->jobs || counts->dead_jobs)
		log__info("%" PRIu64 " attempts of jobs, %" PRIu64 " of them failed; %" PRIu64
			  " jobs are dead",
			  counts->jobs, counts->failed_jobs, counts->dead_jobs);
}
