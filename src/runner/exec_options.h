/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of `steprun exec`, parsed. All texts are borrowed from argv and the environment, and
 * are valid as long as those are.
 */
#ifndef STEPTRACE_RUNNER_EXEC_OPTIONS_H
#define STEPTRACE_RUNNER_EXEC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/work/runner_options.h"

struct exec_options {
	struct runner_options runner;
	struct option_list commands; /* the operand, then the value of every --also */
	const char *text;            /* NULL: none */
	const char *context_path;    /* NULL: none */
	struct option_list pairs;    /* KEY=VALUE */
	const char *user, *source, *correlation_id;
	uint64_t repeat; /* number of executions; 0: until stopped */
	uint64_t rate;   /* executions per second; 0: without waiting */
	bool dry_run, quiet, timing, with_id;
};

/* Returns 0, 1 when --help was given and printed, or -EINVAL (wrong usage) with a sentence. */
int exec_options__parse(struct exec_options *options, int argc, char **argv, struct error *err);

#endif
