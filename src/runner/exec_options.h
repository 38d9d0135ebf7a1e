/* SPDX-License-Identifier: BSD-2-Clause */
/* What `steprun exec` was asked to do. Texts are borrowed from argv and the environment. */
#ifndef STEPTRACE_RUNNER_EXEC_OPTIONS_H
#define STEPTRACE_RUNNER_EXEC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/context.h"

enum { EXEC_LIST_MAX = 64 };

/* The values of an option that may be given several times. */
struct exec_list {
	const char *items[EXEC_LIST_MAX];
	size_t count;
};

struct exec_options {
	struct exec_list commands; /* the operand, then every --also */
	const char *text;          /* NULL: none */
	const char *context_path;  /* NULL: none */
	struct exec_list pairs;    /* KEY=VALUE */
	struct exec_list packs;
	struct exec_list switched_off;
	const char *database;
	const char *user, *source, *correlation_id;
	const char *ai_url, *ai_model, *ai_key;
	uint64_t repeat;      /* 0: until stopped */
	uint64_t rate;        /* per second; 0: no waiting */
	struct id_source ids; /* with the time and the seed that were given */
	bool dry_run, quiet, timing, with_id;
};

/* 0; -EINVAL with a sentence: wrong usage; 1: the help was printed. */
int exec_options__parse(struct exec_options *options, int argc, char **argv, struct error *err);

#endif
