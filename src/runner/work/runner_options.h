/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options that all commands share which execute packs: where packs, database, model and tools
 * are, and what time it is. All texts are borrowed from argv and the environment.
 */
#ifndef STEPTRACE_RUNNER_RUNNER_OPTIONS_H
#define STEPTRACE_RUNNER_RUNNER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "common/option_groups.h"
#include "runner/run/context.h"

enum { OPTION_LIST_MAX = 64, RUNNER_OPTION_ROWS = 10 };

/* The folder of packs when no --packs is given, and the database when no --db is given. */
#define RUNNER_DEFAULT_PACKS    "packs"
#define RUNNER_DEFAULT_DATABASE "steprun.db"

/* The values of an option that may be given several times. */
struct option_list {
	const char *items[OPTION_LIST_MAX];
	size_t count;
};

struct runner_options {
	struct option_list packs;
	struct option_list switched_off;
	const char *database;
	const char *tools_path; /* NULL: none */
	const char *ai_url, *ai_model, *ai_key;
	uint64_t timeout_ns;  /* of each execution; 0: none */
	struct id_source ids; /* with the values of --now, --seed and --clock */
};

/* The rows; the context of the group is a struct runner_options. */
extern const struct option_row runner_option_rows[RUNNER_OPTION_ROWS];
/* Rows of some of them, for a command that does not execute packs itself. */
extern const struct option_row runner_option_db, runner_option_packs, runner_option_clock;

void runner_options__set_defaults(struct runner_options *options);
/* After parsing: the default folder of packs; and the clock must be readable. */
int runner_options__finish(struct runner_options *options, struct error *err);

int option_list__add(struct option_list *list, const char *item, const char *option,
		     struct error *err);

#endif
