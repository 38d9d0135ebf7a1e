/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prompts of a pack: the files `prompts/NAME.md`, by NAME, as text and as templates, in
 * alphabetical order. The folder `prompts` may be missing.
 */
#ifndef STEPTRACE_RUNNER_PACK_PROMPTS_H
#define STEPTRACE_RUNNER_PACK_PROMPTS_H

#include <cjson/cJSON.h>

#include "runner/pack/pack_problem.h"
#include "runner/pack/param.h"

enum { PACK_PROMPT_BYTES_MAX = 256 << 10, PACK_PROMPTS_MAX = 64 };

/* Zeroed: none. */
struct pack_prompts {
	cJSON *texts; /* object: name of the file without .md -> text */
	struct param params;
};

/* Reads the files of the pack in `directory`, and adds a problem for each that cannot be read. The
 * caller frees the prompts. */
void pack_prompts__read(struct pack_prompts *prompts, const char *directory,
			struct pack_problems *problems);
void pack_prompts__free(struct pack_prompts *prompts);

/* The prompt that a step names as NAME, NAME.md or prompts/NAME.md; NULL: there is none. Borrowed
 * from the prompts. */
const struct param *pack_prompts__find(const struct pack_prompts *prompts, const char *name);

#endif
