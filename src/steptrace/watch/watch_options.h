/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command-line options that fill struct watch_options: targets, filters, and how the probes and
 * ring buffers are set up. Every live command uses these groups, so that an option means the same
 * everywhere.
 */
#ifndef STEPTRACE_WATCH_OPTIONS_H
#define STEPTRACE_WATCH_OPTIONS_H

#include "common/error.h"
#include "common/option_groups.h"
#include "steptrace/watch/watch.h"

/* Rows whose context is a struct targets; each command says in its own words what they do. */
#define TARGET_OPTION_PID(help)                                                                    \
	{                                                                                          \
		{'p', "pid", "PID[,PID...]", help}, .set = target_option__pid                      \
	}
#define TARGET_OPTION_EXE(help)                                                                    \
	{                                                                                          \
		{'x', "exe", "PATH", help}, .set = target_option__exe                              \
	}
#define TARGET_OPTION_ALL(help)                                                                    \
	{                                                                                          \
		{'a', "all", NULL, help}, .set = target_option__all                                \
	}

int target_option__pid(void *targets, const char *value, struct error *err);
int target_option__exe(void *targets, const char *value, struct error *err);
int target_option__all(void *targets, const char *value, struct error *err);

/* What no option gives. */
#define WATCH_OPTIONS_DEFAULT                                                                      \
	{                                                                                          \
		.site = -1, .linger_ns = 60000000000ull                                            \
	}

enum {
	WATCH_OPTION_GROUPS = 3,
	/* The first rows of the filters are about processes and whole executions: --cgroup, --uid,
	 * --comm and --sample. */
	WATCH_PROCESS_FILTERS = 4,
};

/* Targets, filters, probes and ring buffers: WATCH_OPTION_GROUPS groups. */
void watch_options__groups(struct watch_options *options,
			   struct option_group groups[WATCH_OPTION_GROUPS]);

/*
 * After all options were parsed: takes the command behind `--`, checks that one kind of target was
 * given (none: all), and chooses sizes that were not given. 0 or -EINVAL with a sentence.
 */
int watch_options__finish(struct watch_options *options, const struct options_parser *parser,
			  struct error *err);

#endif
