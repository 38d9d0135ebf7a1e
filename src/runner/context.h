/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command's templates see, and where its ids and its time come from.
 *
 *	{"ctx": {...}, "steps": {"save": {"output": {...}}}, "now": "2025-03-01T08:30:00.000000Z",
 *	 "uuid": "...", "ulid": "...", "env": {}, "prompts": {"summary": "..."}}
 *
 * `uuid` and `ulid` are made once per execution. With a fixed time and a seed everything here is
 * the same in every run.
 */
#ifndef STEPTRACE_RUNNER_CONTEXT_H
#define STEPTRACE_RUNNER_CONTEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum { CONTEXT_NOW_BYTES = 28 };

/* Shared by the executions of one run. Zeroed: the system's clock and random numbers. */
struct id_source {
	int64_t fixed_now_us; /* since 1970, with has_fixed_now */
	uint64_t seed;        /* with is_seeded; changes with every id made */
	bool has_fixed_now, is_seeded;
};

/* "2025-03-01T08:30:00Z", with up to six decimals. -EINVAL for anything else. */
int id_source__fix_now(struct id_source *source, const char *text, struct error *err);
int64_t id_source__now_us(const struct id_source *source);
void id_source__seed(struct id_source *source, uint64_t seed);

struct context {
	cJSON *root;
	cJSON *steps; /* of the root */
	int64_t now_us;
	char now[CONTEXT_NOW_BYTES];
};

/* `input` and `prompts` are borrowed and must outlive the context. An input that is an object with
 * the one key `ctx` is unwrapped; NULL is an empty one. */
int context__init(struct context *context, struct id_source *source, const cJSON *input,
		  const cJSON *prompts);
void context__free(struct context *context);

/* Makes `output` (taken over, also on failure) visible as steps.<id>.output. */
int context__set_output(struct context *context, const char *step_id, cJSON *output);

const cJSON *context__unwrapped(const cJSON *input);

#endif
