/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A cache of model answers, in the database table ai_cache.
 *
 * The key is the full text of the question: address, model, parameters and prompt. The hash of the
 * key finds the row; then the stored key is compared with the wanted one, so that two questions
 * with the same hash never share an answer. An entry expires at its time. Expired entries are
 * deleted when a new one is stored.
 *
 * Times are seconds since 1970. Errors are those of store.h, with a sentence in `err`.
 */
#ifndef STEPTRACE_RUNNER_AI_CACHE_H
#define STEPTRACE_RUNNER_AI_CACHE_H

#include <stdint.h>

#include "common/error.h"
#include "runner/ai/ai_client.h"
#include "runner/store/store.h"

/* Returns 0 and fills `answer`, whose text the caller frees. Returns -ENOENT when there is no entry
 * or when it has expired. */
int ai_cache__find(struct store *store, const char *key, int64_t now_s, struct ai_answer *answer,
		   struct error *err);

/* Stores a copy of `answer` for `ttl_s` seconds. Replaces an older entry with the same key. */
int ai_cache__keep(struct store *store, const char *key, int64_t now_s, int64_t ttl_s,
		   const struct ai_answer *answer, struct error *err);

#endif
