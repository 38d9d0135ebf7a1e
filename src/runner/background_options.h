/* SPDX-License-Identifier: BSD-2-Clause */
/* The options of `steprun serve` and `steprun work` about schedules and jobs. */
#ifndef STEPTRACE_RUNNER_BACKGROUND_OPTIONS_H
#define STEPTRACE_RUNNER_BACKGROUND_OPTIONS_H

#include "common/option_groups.h"
#include "runner/background/background.h"
#include "runner/work/runner_options.h"

enum { BACKGROUND_OPTION_ROWS = 5 };

struct background_options {
	uint64_t threads; /* 0: none */
	struct option_list queues;
	bool no_schedules, no_jobs;
	uint64_t lease_ns;
};

/* The context of the group is a struct background_options. */
extern const struct option_row background_option_rows[BACKGROUND_OPTION_ROWS];

void background_options__set_defaults(struct background_options *options);
/* Borrows from `options`. Returns 0 or -EINVAL with a sentence. */
int background_options__settings(const struct background_options *options,
				 struct background_settings *settings, struct error *err);

/* One line about what was done. `counts` of no work print nothing. */
void background_options__tell(const struct background_counts *counts);

#endif
