/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prompts of a pack: `prompts/NAME.md`, by NAME, as text and as templates. Files in
 * alphabetical order; a pack without the folder has none.
 */
#ifndef STEPTRACE_RUNNER_PACK_PROMPTS_H
#define STEPTRACE_RUNNER_PACK_PROMPTS_H

#include "runner/pack.h"

/* Fills pack->prompts and pack->prompt_params. */
int pack__read_prompts(struct pack *pack, struct error *err);

/* By what a step calls it: NAME, NAME.md or prompts/NAME.md; NULL where there is none. */
const struct param *pack__prompt(const struct pack *pack, const char *name);

#endif
