/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A runner for tests: an in-memory database, a fixed clock and seed, and packs made from a few
 * lines of YAML in a folder of its own that goes away again.
 */
#ifndef STEPTRACE_TESTS_RUNNER_FIXTURE_H
#define STEPTRACE_TESTS_RUNNER_FIXTURE_H

#include "runner/execution.h"
#include "runner/store.h"

struct fixture {
	char directory[64];
	struct store *store;
	struct id_source ids;
	struct execution_settings settings;
	struct pack *pack;
	cJSON *input;
	struct execution execution;
	bool has_run;
	struct error err;
};

void fixture__open(struct fixture *fixture);
void fixture__close(struct fixture *fixture);

/* Writes DIRECTORY/NAME, making the folders it needs. */
void fixture__write(const struct fixture *fixture, const char *name, const char *text);

/* Loads a pack whose steps are `steps` (YAML, each line as it stands) and runs it with the input
 * `json` (NULL: none). Returns what execution__run or pack__load returned. */
int fixture__run(struct fixture *fixture, const char *steps, const char *json);

/* What is at a path like "save.output.tags.0" under the executed steps; NULL: nothing. */
const cJSON *fixture__step(const struct fixture *fixture, const char *path);
const char *fixture__step_text(const struct fixture *fixture, const char *path);
double fixture__step_number(const struct fixture *fixture, const char *path);

#endif
