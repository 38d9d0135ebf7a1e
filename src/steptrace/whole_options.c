// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/whole_options.h"

#include <errno.h>

#define HOLD_BYTES_DEFAULT (64u << 20)

static int set_whole(void *context, const char *value, struct error *err)
{
	struct whole *whole = context;

	return whole__parse(whole, value, err);
}

static const struct option_row whole_rows[] = {
	{{0, "whole", "WHAT[,WHAT...]",
	  "write only executions that meet one of these conditions,\n"
	  "each with all of its events; WHAT is failed, aborted, or\n"
	  "slower:TIME (took at least TIME); steptrace keeps the\n"
	  "events in memory until the execution ends; --sample N also\n"
	  "writes one in N of the other executions"},
	 .set = set_whole},
	{{0, "hold", "SIZE",
	  "memory in which --whole keeps events (64K to 64G; default:\n"
	  "64M); when this memory is full, steptrace writes the oldest\n"
	  "executions before they end, whether or not they will meet a\n"
	  "condition"},
	 OPTION_STORES(SIZE, struct whole, hold_bytes),
	 .min = 1 << 16,
	 .max = 1ull << 36,
	 .range = "a size from 64K to 64G",
	 .example = "256M"},
};

struct option_group whole_options__group(struct whole *whole)
{
	return (struct option_group){"tail sampling", whole_rows,
				     sizeof(whole_rows) / sizeof(whole_rows[0]), whole};
}

int whole_options__finish(struct whole *whole, struct watch_options *watch, struct error *err)
{
	const struct steptrace_filters *filters = &watch->filters;

	if (!whole->conditions)
		return whole->hold_bytes ? error__set(err, -EINVAL, "--hold needs --whole") : 0;
	if (filters->only_failed || filters->min_duration_ns)
		return error__set(
			err, -EINVAL,
			"--whole cannot be combined with --failed or --min-duration: these leave "
			"out the other events of an execution before its end is known (instead, "
			"give --whole failed or --whole slower:TIME)");
	whole->sample_every = filters__take_sample(&watch->filters);
	if (!whole->hold_bytes)
		whole->hold_bytes = HOLD_BYTES_DEFAULT;
	return 0;
}
