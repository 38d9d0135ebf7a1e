/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of the command line, as the BPF programs use them (struct steptrace_filters of
 * record.h).
 */
#ifndef STEPTRACE_FILTERS_H
#define STEPTRACE_FILTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/record.h"

/* Each takes the value of an option. Returns 0, or negative errno with a sentence. Patterns are
 * added to those of earlier calls. */
int filters__set_uid(struct steptrace_filters *filters, const char *user, struct error *err);
int filters__set_comm(struct steptrace_filters *filters, const char *pattern, struct error *err);
int filters__set_command(struct steptrace_filters *filters, const char *pattern, struct error *err);
int filters__set_step_type(struct steptrace_filters *filters, const char *pattern,
			   struct error *err);
int filters__set_min_duration(struct steptrace_filters *filters, const char *duration,
			      struct error *err);
int filters__set_sample(struct steptrace_filters *filters, const char *every, struct error *err);
void filters__set_failed(struct steptrace_filters *filters);

/* Removes --sample from the filters, for a caller that samples itself. Returns its number; 0: it
 * was not given. */
uint32_t filters__take_sample(struct steptrace_filters *filters);

/* Whether single steps may be left out of an execution that is recorded. */
static inline bool filters__leave_out_steps(const struct steptrace_filters *filters)
{
	return filters->by_step_type || filters->only_failed || filters->min_duration_ns;
}

/* Whether starts are captured only to know what is open, and are not written. */
static inline bool filters__leave_out_starts(const struct steptrace_filters *filters)
{
	return filters->only_failed || filters->min_duration_ns;
}

#endif
