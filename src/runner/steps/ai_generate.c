// SPDX-License-Identifier: BSD-2-Clause
/*
 * ai.generate: sends a prompt to a model, or takes the answer from the cache.
 *
 *	prompt		text, or the name of a file under prompts/
 *	cache		true: take the answer from the cache, and keep it there for a day; a
 *			number: for so many seconds. The default is false
 *	fallback	a value, used as the result if the request or parsing its answer fails;
 *			then the step succeeds. true: the value of fallback_text; false: none
 *	fallback_text	the same as text
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "runner/ai/ai_cache.h"
#include "runner/ai/ai_client.h"
#include "runner/pack/pack_prompts.h"
#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/template/template.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

/* The question, its options and the answer. */
struct generation {
	char *prompt;
	struct ai_question question;
	bool expect_json;
	int64_t ttl_s; /* 0: do not use the cache */
	char *key;     /* key of the cache entry; owned */
	struct ai_answer answer;
};

static void free_generation(struct generation *generation)
{
	free(generation->prompt);
	free(generation->key);
	free(generation->answer.text);
}

/* ------------------------------------------------------------------ reading the step */

/* `prompt` names a file under prompts/, or is the text of the prompt itself. */
static int read_prompt(struct step_run *run, struct generation *generation)
{
	const struct scope scope = step_run__scope(run, NULL, 0);
	const struct param *prompt = param__child(&run->step->params, "prompt"), *file = NULL;
	cJSON *value = NULL;
	int err = step_run__text(run, "prompt", &generation->prompt);

	if (err)
		return err;
	if (!generation->prompt)
		return error__set(run->err, -EINVAL, "'prompt' is missing or empty");
	if (!prompt->has_templates) /* text from the input must not be able to name a file */
		file = pack_prompts__find(&run->execution->pack->prompts, generation->prompt);
	if (!file)
		return 0;
	err = param__render(file, &scope, &value, run->err);
	if (err)
		return error__prefix(run->err, err, "prompts/%s", generation->prompt);
	free(generation->prompt);
	generation->prompt = value__text(value);
	cJSON_Delete(value);
	return generation->prompt ? 0 : error__set(run->err, -ENOMEM, "out of memory");
}

static int read_number(struct step_run *run, const char *key, double min, double max,
		       double *number)
{
	cJSON *value;
	int err = step_run__value(run, key, &value);

	if (!err && value && !cJSON_IsNull(value)) {
		value = step_value__parsed(value);
		if (!cJSON_IsNumber(value) ||
		    !(value->valuedouble >= min && value->valuedouble <= max))
			err = error__set(run->err, -EINVAL, "'%s' must be a number from %g to %g",
					 key, min, max);
		else
			*number = value->valuedouble;
	}
	cJSON_Delete(value);
	return err;
}

static int read_numbers(struct step_run *run, struct generation *generation)
{
	double tokens = 0, temperature = -1, timeout_s = AI_TIMEOUT_MS_DEFAULT / 1000.0;
	int err = read_number(run, "max_tokens", 1, 1e6, &tokens);

	if (!err)
		err = read_number(run, "temperature", 0, 2, &temperature);
	if (!err)
		err = read_number(run, "timeout", 0.001, AI_TIMEOUT_MS_MAX / 1000.0, &timeout_s);
	generation->question.max_tokens = (int64_t)tokens;
	generation->question.temperature = temperature;
	generation->question.timeout_ms = (int64_t)(timeout_s * 1000);
	return err;
}

static int read_expect(struct step_run *run, struct generation *generation)
{
	char *expect;
	int err = step_run__text(run, "expect", &expect);

	if (err)
		return err;
	generation->expect_json = expect && strcmp(expect, "json") == 0;
	if (expect && !generation->expect_json && strcmp(expect, "text") != 0)
		err = error__set(run->err, -EINVAL, "'expect' must be text or json, not '%.32s'",
				 expect);
	free(expect);
	return err;
}

static int read_cache(struct step_run *run, struct generation *generation)
{
	cJSON *value;
	int err = step_run__value(run, "cache", &value);

	if (err || !value)
		return err;
	value = step_value__parsed(value);
	if (cJSON_IsTrue(value))
		generation->ttl_s = AI_CACHE_TTL_S_DEFAULT;
	else if (cJSON_IsNumber(value) && value->valuedouble >= 0 &&
		 value->valuedouble <= AI_CACHE_TTL_S_MAX)
		generation->ttl_s = (int64_t)value->valuedouble;
	else if (!cJSON_IsFalse(value) && !cJSON_IsNull(value))
		err = error__set(run->err, -EINVAL,
				 "'cache' must be true, false, or a number of seconds from 0 to %d",
				 AI_CACHE_TTL_S_MAX);
	cJSON_Delete(value);
	return err;
}

static int read_step(struct step_run *run, struct generation *generation)
{
	int err = read_prompt(run, generation);

	if (!err)
		err = read_numbers(run, generation);
	if (!err)
		err = read_expect(run, generation);
	if (!err)
		err = read_cache(run, generation);
	generation->question.prompt = generation->prompt;
	return err;
}

/* ------------------------------------------------------------------ answers */

/*
 * Models often write sentences around their JSON, or put it between lines of three backticks. NULL:
 * there is no object and no list in the text, or more than one.
 *
 * Each `{` and `[` may begin JSON. What the parser reads in vain is limited: a text of brackets
 * without ends would take time that grows with the square of its length.
 */
static cJSON *parse_in_prose(const char *text)
{
	size_t limit = 4 * strlen(text) + 4096, in_vain = 0;
	cJSON *found = NULL;

	while ((text = strpbrk(text, "{[")) && in_vain < limit) {
		const char *end = text;
		cJSON *value = foreign_json__first(text, &end);

		if (value && found) {
			cJSON_Delete(value);
			break;
		}
		if (value)
			found = value;
		in_vain += value ? 0 : (size_t)(end - text);
		text = value ? end : text + 1;
	}
	if (!text)
		return found;
	cJSON_Delete(found);
	return NULL;
}

static int take_answer(struct step_run *run, const struct generation *generation)
{
	const char *text = generation->answer.text;

	if (!generation->expect_json) {
		run->output = cJSON_CreateString(text);
		return run->output ? 0 : error__set(run->err, -ENOMEM, "out of memory");
	}
	run->output = foreign_json__whole(text);
	if (!run->output)
		run->output = parse_in_prose(text);
	return run->output ? 0
			   : error__set(run->err, -EINVAL,
					"the model's answer is not JSON ('expect: json' needs it)");
}

static void tell_tokens(struct step_run *run, const struct generation *generation,
			enum steptrace_ai_cache cache)
{
	run->span->ai_cache = (uint8_t)cache;
	run->span->prompt_tokens = generation->answer.prompt_tokens;
	run->span->completion_tokens = generation->answer.completion_tokens;
}

/* The key contains everything that influences the answer. */
static int write_key(struct step_run *run, struct generation *generation)
{
	const struct ai_client *ai = run->execution->settings->ai;
	const char *url = ai_client__base_url(ai), *model = ai_client__model(ai);

	if (asprintf(&generation->key, "%s\n%s\n%g\n%lld\n%d\n%s", url ? url : "",
		     model ? model : "", generation->question.temperature,
		     (long long)generation->question.max_tokens, generation->expect_json,
		     generation->prompt) >= 0)
		return 0;
	generation->key = NULL;
	return error__set(run->err, -ENOMEM, "out of memory");
}

static int64_t now_s(const struct step_run *run)
{
	return run->execution->context.now_us / 1000000;
}

/* The cache saves time and money, but no step depends on it. */
static void say_uncached(const char *what, const struct error *err)
{
	static atomic_flag is_said = ATOMIC_FLAG_INIT; /* the workers of a server share it */

	if (!atomic_flag_test_and_set(&is_said))
		log__warn("an answer of the model could not be %s the cache (said once): %s", what,
			  err->text);
}

/* Takes the answer from the cache. -ENOENT: there is none. */
static int remember(struct step_run *run, struct generation *generation)
{
	struct error why = {""};
	int err;

	if (!generation->ttl_s)
		return -ENOENT;
	err = ai_cache__find(step_run__store(run), generation->key, now_s(run), &generation->answer,
			     &why);
	if (err && err != -ENOENT)
		say_uncached("read from", &why);
	if (err)
		return -ENOENT;
	tell_tokens(run, generation, STEPTRACE_AI_HIT);
	return take_answer(run, generation);
}

static void keep(struct step_run *run, struct generation *generation)
{
	struct error why = {""};

	if (ai_cache__keep(step_run__store(run), generation->key, now_s(run), generation->ttl_s,
			   &generation->answer, &why))
		say_uncached("kept in", &why);
}

static int ask(struct step_run *run, struct generation *generation)
{
	int err;

	generation->question.deadline = &run->execution->deadline;
	err = ai_client__ask(run->execution->settings->ai, &generation->question,
			     &generation->answer, run->err);

	tell_tokens(run, generation, generation->ttl_s ? STEPTRACE_AI_MISS : STEPTRACE_AI_OFF);
	if (!err)
		err = take_answer(run, generation);
	if (!err && generation->ttl_s)
		keep(run, generation);
	return err;
}

/* The value of `fallback` or of `fallback_text`; *value is NULL if the step has none. */
static int read_fallback(struct step_run *run, cJSON **value)
{
	int err = step_run__value(run, "fallback", value);
	bool is_switch, is_on;

	if (err || !*value)
		return err ? err : step_run__value(run, "fallback_text", value);
	*value = step_value__parsed(*value);
	is_switch = cJSON_IsBool(*value) || cJSON_IsNull(*value);
	is_on = cJSON_IsTrue(*value);
	if (!is_switch)
		return 0;
	cJSON_Delete(*value);
	*value = NULL;
	return is_on ? step_run__value(run, "fallback_text", value) : 0;
}

/* Returns `failure` if the step has no fallback. */
static int fall_back(struct step_run *run, int failure)
{
	struct error why = *run->err;
	cJSON *value;
	int err = read_fallback(run, &value);

	if (err)
		return err;
	if (!value) {
		*run->err = why;
		return failure;
	}
	cJSON_Delete(run->output);
	run->output = value;
	run->err->text[0] = 0;
	return 0;
}

static int generate(struct step_run *run, struct generation *generation)
{
	int err = write_key(run, generation);

	if (err)
		return err;
	err = remember(run, generation);
	if (err == -ENOENT)
		err = ask(run, generation);
	if (err && deadline__check_wait(&run->execution->deadline, NULL))
		return err; /* the command is over, whatever the step says */
	return err ? fall_back(run, err) : 0;
}

static int run(struct step_run *run)
{
	struct generation generation = {0};
	int err = read_step(run, &generation);

	if (!err && step_run__is_dry(run)) {
		tell_tokens(run, &generation, STEPTRACE_AI_OFF);
		run->output =
			generation.expect_json ? cJSON_CreateObject() : cJSON_CreateString("");
	} else if (!err && !run->execution->settings->ai) {
		err = error__set(run->err, -EINVAL, "no model is configured");
	} else if (!err) {
		err = generate(run, &generation);
	}
	free_generation(&generation);
	return err;
}

static const char *const keys[] = {"prompt", "expect",   "max_tokens",    "temperature", "timeout",
				   "cache",  "fallback", "fallback_text", NULL};

const struct step_type step_ai_generate = {
	.name = "ai.generate",
	.event_name = "AiGenerateStep",
	.keys = keys,
	.run = run,
};
