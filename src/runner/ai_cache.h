/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Answers of models that were given before, in the table ai_cache.
 *
 * The key is the whole text of what was asked (address, model, parameters, prompt). Its hash finds
 * the row, its text is compared, so two questions never share an answer. Entries end at their
 * time; expired ones are swept when a new one is stored.
 */
#ifndef STEPTRACE_RUNNER_AI_CACHE_H
#define STEPTRACE_RUNNER_AI_CACHE_H

#include <stdint.h>

#include "common/error.h"
#include "runner/ai_client.h"
#include "runner/store.h"

/* 0: found, the answer is the caller's. -ENOENT: not there, or too old. */
int ai_cache__find(struct store *store, const char *key, int64_t now_s, struct ai_answer *answer,
		   struct error *err);

int ai_cache__keep(struct store *store, const char *key, int64_t now_s, int64_t ttl_s,
		   const struct ai_answer *answer, struct error *err);

#endif
