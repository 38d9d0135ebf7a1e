/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks a model: POST {base}/chat/completions, as OpenAI-compatible servers take it.
 *
 *	{"model":"...","messages":[{"role":"user","content":"..."}],"max_tokens":200,"temperature":0.2}
 *
 * One client is one connection, kept open between questions, used by one thread. http and https
 * only, no redirects, an answer of at most 4 MiB. The key travels in the Authorization header and
 * appears in no message; neither do prompts and answers.
 *
 * Errors: -ETIMEDOUT; -ECONNREFUSED (no server there); -EACCES (401, 403); -EPROTO (another status,
 * or not such an answer); -E2BIG (too long an answer); -EINVAL (no model, no address); -ENOMEM.
 */
#ifndef STEPTRACE_RUNNER_AI_CLIENT_H
#define STEPTRACE_RUNNER_AI_CLIENT_H

#include <stdint.h>

#include "common/error.h"

enum {
	AI_ANSWER_BYTES_MAX = 4 << 20,
	AI_TIMEOUT_MS_DEFAULT = 30000,
	AI_TIMEOUT_MS_MAX = 600000,
	AI_CACHE_TTL_S_DEFAULT = 24 * 3600,
};

struct ai_client;

/* All copied. `base_url` and `model` may be NULL: asking fails then, with what to do about it. */
int ai_client__open(const char *base_url, const char *model, const char *key,
		    struct ai_client **client, struct error *err);
void ai_client__close(struct ai_client *client);

const char *ai_client__model(const struct ai_client *client);
const char *ai_client__base_url(const struct ai_client *client);

struct ai_question {
	const char *prompt;
	double temperature; /* negative: the server's own */
	int64_t max_tokens; /* 0: the server's own */
	int64_t timeout_ms;
};

struct ai_answer {
	char *text; /* owned */
	uint32_t prompt_tokens, completion_tokens;
};

int ai_client__ask(struct ai_client *client, const struct ai_question *question,
		   struct ai_answer *answer, struct error *err);

#endif
