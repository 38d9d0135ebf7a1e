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
#include "runner/run/context.h"

enum { EXEC_LIST_MAX = 64 };

/* The values of an option that may be given several times. */
struct exec_list {
	const char *items[EXEC_LIST_MAX];
	size_t count;
};

struct exec_options {
	struct exec_list commands; /* the operand, then the value of every --also */
	const char *text;          /* NULL: none */
	const char *context_path;  /* NULL: none */
	struct exec_list pairs;    /* KEY=VALUE */
	struct exec_list packs;
	struct exec_list switched_off;
	const char *database;
	const char *tools_path; /* NULL: none */
	const char *user, *source, *correlation_id;
	const char *ai_url, *ai_model, *ai_key;
	uint64_t repeat;      /* number of executions; 0: until stopped */
	uint64_t rate;        /* executions per second; 0: without waiting */
	uint64_t timeout_ns;  /* of each execution; 0: none */
	struct id_source ids; /* with the values of --now and --seed */
	bool dry_run, quiet, timing, with_id;
};

/* Returns 0, 1 when --help was given and printed, or -EINVAL (wrong usage) with a sentence. */
int exec_options__parse(struct exec_options *options, int argc, char **argv, struct error *err);

#endif
