/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The prompts of a pack: the files `prompts/NAME.md`, by NAME, as text and as templates, in
 * alphabetical order. The folder `prompts` may be missing.
 */
#ifndef STEPTRACE_RUNNER_PACK_PROMPTS_H
#define STEPTRACE_RUNNER_PACK_PROMPTS_H

#include "runner/pack.h"

/* Reads the files into pack->prompts and pack->prompt_params. Returns 0 or a negative errno. */
int pack__read_prompts(struct pack *pack, struct error *err);

/* The prompt that a step names as NAME, NAME.md or prompts/NAME.md; NULL: there is none. Borrowed
 * from the pack. */
const struct param *pack__prompt(const struct pack *pack, const char *name);

#endif
