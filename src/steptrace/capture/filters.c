// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/filters.h"

#include <errno.h>
#include <pwd.h>

#include "common/parse.h"
#include "steptrace/capture/glob_compile.h"

/* Whether a span has to be read for a decision. To be called when a filter changes. */
static void update_by_span(struct steptrace_filters *filters)
{
	filters->by_span = filters->by_command || filters->by_step_type || filters->only_failed ||
			   filters->min_duration_ns || filters->sample_every;
}

int filters__set_uid(struct steptrace_filters *filters, const char *user, struct error *err)
{
	const struct passwd *entry = getpwnam(user);
	uint64_t uid;

	if (entry)
		uid = entry->pw_uid;
	else if (parse__u64(user, 0, UINT32_MAX - 1, &uid))
		return error__set(err, -EINVAL, "there is no user '%s'", user);
	filters->uid = (uint32_t)uid;
	filters->by_uid = 1;
	return 0;
}

int filters__set_comm(struct steptrace_filters *filters, const char *pattern, struct error *err)
{
	filters->by_comm = 1;
	return glob__add(pattern, &filters->comm, err);
}

int filters__set_command(struct steptrace_filters *filters, const char *pattern, struct error *err)
{
	filters->by_command = 1;
	update_by_span(filters);
	return glob__add(pattern, &filters->command, err);
}

int filters__set_step_type(struct steptrace_filters *filters, const char *pattern,
			   struct error *err)
{
	filters->by_step_type = 1;
	update_by_span(filters);
	return glob__add(pattern, &filters->step_type, err);
}

int filters__set_min_duration(struct steptrace_filters *filters, const char *duration,
			      struct error *err)
{
	uint64_t ns;

	if (parse__duration_ns(duration, &ns) || ns == 0)
		return error__set(err, -EINVAL,
				  "--min-duration cannot be '%s' (for example: --min-duration "
				  "100ms)",
				  duration);
	filters->min_duration_ns = ns;
	update_by_span(filters);
	return 0;
}

int filters__set_sample(struct steptrace_filters *filters, const char *every, struct error *err)
{
	uint64_t number;

	if (parse__u64(every, 1, UINT32_MAX, &number))
		return error__set(err, -EINVAL,
				  "--sample cannot be '%s' (for example: --sample 100 records one "
				  "execution in a hundred)",
				  every);
	filters->sample_every = (uint32_t)number;
	update_by_span(filters);
	return 0;
}

uint32_t filters__take_sample(struct steptrace_filters *filters)
{
	uint32_t every = filters->sample_every;

	filters->sample_every = 0;
	update_by_span(filters);
	return every;
}

void filters__set_failed(struct steptrace_filters *filters)
{
	filters->only_failed = 1;
	update_by_span(filters);
}
