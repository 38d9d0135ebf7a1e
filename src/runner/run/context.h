/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data that the templates of a command can read, and the source of ids and time.
 *
 *	{"ctx": {...}, "steps": {"save": {"output": {...}}}, "now": "2025-03-01T08:30:00.000000Z",
 *	 "uuid": "...", "ulid": "...", "env": {}, "prompts": {"summary": "..."}}
 *
 * `uuid` and `ulid` are made once for each execution. With a fixed time (--now) and a seed (--seed)
 * all of it is the same in every run.
 *
 * Functions return 0, -ENOMEM, or what is said at the function. Trees are cJSON.
 */
#ifndef STEPTRACE_RUNNER_CONTEXT_H
#define STEPTRACE_RUNNER_CONTEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "runner/value/time_text.h"

/* Shared by all executions of one run of steprun. When it is zeroed, the time comes from the
 * system's clock and ids from its random numbers. */
struct id_source {
	int64_t fixed_now_us; /* microseconds since 1970; used if has_fixed_now */
	uint64_t seed;        /* used if is_seeded; every new id changes it */
	bool has_fixed_now, is_seeded;
	const char *clock_path; /* borrowed: see clock_file.h; NULL: none */
};

/* `text` is "2025-03-01T08:30:00Z", with up to six decimals of a second; otherwise -EINVAL. */
int id_source__fix_now(struct id_source *source, const char *text, struct error *err);
/* Microseconds since 1970. While a clock file cannot be read, its clock stands still. */
int64_t id_source__now_us(const struct id_source *source);
/* The instant of the system's clock that is as long ago as `us` is by the clock of the source. The
 * two differ with a fixed time or a clock file. */
int64_t id_source__system_us(const struct id_source *source, int64_t us);
void id_source__seed(struct id_source *source, uint64_t seed);
void id_source__uuid(struct id_source *source, char text[37]);

struct context {
	cJSON *root;               /* owned */
	cJSON *steps;              /* borrowed: the member "steps" of `root` */
	int64_t now_us;            /* microseconds since 1970 */
	char now[TIME_TEXT_BYTES]; /* the same as text */
};

/* `input` and `prompts` are borrowed and must outlive the context. `input` may be NULL, which means
 * an empty object. If `input` is an object whose only key is `ctx`, the value of `ctx` is used. */
int context__init(struct context *context, struct id_source *source, const cJSON *input,
		  const cJSON *prompts);
void context__free(struct context *context);

/* Makes `output` readable as steps.<id>.output. Takes ownership of `output`, also on failure. */
int context__set_output(struct context *context, const char *step_id, cJSON *output);

/* `input`, or the value of `ctx` if that is its only key. Borrowed from `input`. */
const cJSON *context__unwrapped(const cJSON *input);

#endif
