/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A runner for tests: a database in memory, a fixed time and seed, and packs made from a few lines
 * of YAML in a temporary folder. A failure of the fixture itself aborts the test program.
 */
#ifndef STEPTRACE_TESTS_RUNNER_FIXTURE_H
#define STEPTRACE_TESTS_RUNNER_FIXTURE_H

#include "runner/run/execution.h"
#include "runner/store/store.h"

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

/* Writes the file DIRECTORY/NAME and creates the folders that it needs. */
void fixture__write(const struct fixture *fixture, const char *name, const char *text);

/* Loads a pack with these steps (YAML) and runs it with the input `json` (NULL: no input). Returns
 * the result of pack__load or execution__run. */
int fixture__run(struct fixture *fixture, const char *steps, const char *json);

/* The value at a path such as "save.output.tags.0" in the outputs of the executed steps. Borrowed;
 * NULL: there is none. The other two return "(no text there)" and -1 if the value has another
 * type. */
const cJSON *fixture__step(const struct fixture *fixture, const char *path);
const char *fixture__step_text(const struct fixture *fixture, const char *path);
double fixture__step_number(const struct fixture *fixture, const char *path);

#endif
