/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends a question to a model: POST {base}/chat/completions, the OpenAI-compatible interface.
 *
 *	{"model":"...","messages":[{"role":"user","content":"..."}],
 *	 "max_tokens":200,"temperature":0.2}
 *
 * A client holds one connection, which stays open between questions. Only one thread may use it.
 * Only http and https are allowed, redirects are not followed, and an answer has at most 4 MiB.
 * The key is sent in the Authorization header. Error messages never contain the key, a prompt or an
 * answer.
 *
 * Errors: -ETIMEDOUT (no answer in time, or HTTP 408 or 504, or the deadline); -ECANCELED;
 * -ECONNREFUSED (cannot connect);
 * -EACCES (HTTP 401 or 403); -EPROTO (another HTTP status, or the answer is not a completion);
 * -E2BIG (the answer is too long); -EINVAL (no model or no address given); -ENOMEM.
 */
#ifndef STEPTRACE_RUNNER_AI_CLIENT_H
#define STEPTRACE_RUNNER_AI_CLIENT_H

#include <stdint.h>

#include "common/deadline.h"
#include "common/error.h"

enum {
	AI_ANSWER_BYTES_MAX = 4 << 20,
	AI_TIMEOUT_MS_DEFAULT = 30000,
	AI_TIMEOUT_MS_MAX = 600000,
	AI_CACHE_TTL_S_DEFAULT = 24 * 3600,
	AI_CACHE_TTL_S_MAX = 1000000000,
};

struct ai_client;

/* The texts are copied. `base_url` and `model` may be NULL; then ai_client__ask fails, and its
 * message says how to set them. `key` may be NULL: no Authorization header is sent. The caller
 * closes the client. */
int ai_client__open(const char *base_url, const char *model, const char *key,
		    struct ai_client **client, struct error *err);
void ai_client__close(struct ai_client *client);

const char *ai_client__model(const struct ai_client *client);
const char *ai_client__base_url(const struct ai_client *client);

struct ai_question {
	const char *prompt;
	double temperature;              /* negative: not sent, so the server uses its default */
	int64_t max_tokens;              /* 0: not sent, so the server uses its default */
	int64_t timeout_ms;              /* for the whole request */
	const struct deadline *deadline; /* borrowed; NULL: none */
};

struct ai_answer {
	char *text;                                /* owned */
	uint32_t prompt_tokens, completion_tokens; /* as counted by the server; 0: not reported */
};

/* Returns 0 and fills `answer`, whose text the caller frees. */

int ai_client__ask(struct ai_client *client, const struct ai_question *question,
		   struct ai_answer *answer, struct error *err);

#endif
