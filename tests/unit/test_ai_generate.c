// SPDX-License-Identifier: BSD-2-Clause
/* The step ai.generate: prompts, answers, and when the cache answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/runner_fixture.h"
#include "model_server.h"

static struct fixture fixture;

static int set_up(void **state)
{
	int failed = model_server__open(state);

	fixture__open(&fixture);
	fixture.settings.ai = client;
	return failed;
}

static int tear_down(void **state)
{
	fixture__close(&fixture);
	return model_server__close(state);
}

static void the_step_asks_once(void **state)
{
	static const char steps[] =
		"- {id: a, type: ai.generate, prompt: 'Hi {{ ctx.name }}', cache: true}\n"
		"- {id: b, type: ai.generate, with: {prompt: 'Hi {{ ctx.name }}', cache: 60}}\n"
		"- {id: c, type: ai.generate, prompt: 'Hi {{ ctx.name }}', cache: false}\n"
		"- {id: d, type: ai.generate, prompt: 'Hi {{ ctx.name }}', max_tokens: 5,"
		" cache: true}\n";

	(void)state;
	if (fixture__run(&fixture, steps, "{\"name\":\"Ann\"}"))
		fail_msg("%s", fixture.err.text);
	assert_string_equal(fixture__step_text(&fixture, "b.output"), "Nice \"weather\"");
	assert_int_equal(http_server__request_count(server), 3);
	assert_non_null(strstr(http_server__last_request(server), "Hi Ann"));
}

/* Runs one step with these keys, and returns how many requests that made. */
static int requests_of(const char *step_keys)
{
	int before = http_server__request_count(server);
	char step[256];

	snprintf(step, sizeof(step), "- {id: a, type: ai.generate, %s}", step_keys);
	if (fixture__run(&fixture, step, NULL))
		fail_msg("%s: %s", step_keys, fixture.err.text);
	return http_server__request_count(server) - before;
}

/* A question that differs in anything that the model gets has an answer of its own. */
static const char *const different_questions[] = {
	"prompt: x",
	"prompt: y",
	"prompt: x, temperature: 0",
	"prompt: x, temperature: 0.5",
	"prompt: x, temperature: 1",
	"prompt: x, max_tokens: 5",
	"prompt: x, max_tokens: 6",
	"prompt: x, max_tokens: 5, temperature: 0.5",
	"prompt: x, expect: json",
};

static void ask_all(int requests)
{
	char keys[128];

	for (size_t i = 0; i < sizeof(different_questions) / sizeof(*different_questions); i++) {
		snprintf(keys, sizeof(keys), "%s, cache: true", different_questions[i]);
		if (requests_of(keys) != requests)
			fail_msg("%s: not %d requests", different_questions[i], requests);
	}
}

/* The cache is used only if the step asks for it. Text says what it says. */
static void when_the_cache_is_used(void **state)
{
	static const char *const without[] = {
		"",           ", cache: false", ", cache: 'false'",
		", cache: 0", ", cache: null",  ", cache: '{{ ctx.missing }}'"};
	static const char *const with[] = {", cache: true", ", cache: 'true'", ", cache: 60",
					   ", cache: '3600'", ", cache: '{{ 60 }}'"};
	char keys[64];

	(void)state;
	assert_int_equal(requests_of("prompt: x, cache: true"), 1);
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		snprintf(keys, sizeof(keys), "prompt: x%s", without[i]);
		if (requests_of(keys) != 1)
			fail_msg("%s: from the cache", keys);
	}
	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		snprintf(keys, sizeof(keys), "prompt: x%s", with[i]);
		if (requests_of(keys) != 0)
			fail_msg("%s: not from the cache", keys);
	}
	assert_int_equal(fixture__run(&fixture,
				      "- {id: a, type: ai.generate, prompt: x, cache: often}",
				      NULL),
			 -EINVAL);
	assert_non_null(strstr(fixture.err.text, "'cache' must be true, false"));
}

/* The table of the cache is gone, so it can neither be read nor written. */
static void an_answer_that_cannot_be_cached(void **state)
{
	sqlite3 *db;
	char path[80];
	struct store *in_memory = fixture.store;

	(void)state;
	snprintf(path, sizeof(path), "%s/notes.db", fixture.directory);
	assert_int_equal(store__open(path, &fixture.store, &fixture.err), 0);
	fixture.settings.store = fixture.store;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DROP TABLE ai_cache", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(requests_of("prompt: x, cache: true, fallback_text: calm"), 1);
		assert_string_equal(fixture__step_text(&fixture, "a.output"), "Nice \"weather\"");
	}
	store__close(fixture.store);
	fixture.store = fixture.settings.store = in_memory;
}

static void each_question_has_its_own_answer(void **state)
{
	static const struct {
		const char *path, *model;
	} others[] = {{"v1", "large"}, {"v2", "tiny"}};
	char *body = http_server__completion("[1]", 1, 1);
	char url[64];

	(void)state;
	http_server__set_reply(server, &(struct http_reply){.body = body});
	ask_all(1);
	ask_all(0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(url, sizeof(url), "http://127.0.0.1:%d/%s/", http_server__port(server),
			 others[i].path);
		assert_int_equal(ai_client__open(url, others[i].model, NULL, &fixture.settings.ai,
						 &fixture.err),
				 0);
		ask_all(1);
		ask_all(0);
		ai_client__close(fixture.settings.ai);
	}
	free(body);
}

static void the_step_reads_prompt_files(void **state)
{
	(void)state;
	fixture__write(&fixture, "prompts/greet.md", "Greet {{ ctx.name }} warmly");
	assert_int_equal(fixture__run(&fixture, "- {id: a, type: ai.generate, prompt: greet.md}",
				      "{\"name\":\"Bo\"}"),
			 0);
	assert_non_null(strstr(http_server__last_request(server), "Greet Bo warmly"));
}

/* Text from the input is the prompt itself, also where a file has that name. */
static void the_input_names_no_prompt_file(void **state)
{
	static const char *const names[] = {"greet.md", "greet", "prompts/greet.md"};
	char input[64], content[64];

	(void)state;
	fixture__write(&fixture, "prompts/greet.md", "inside the file");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(input, sizeof(input), "{\"name\":\"%s\"}", names[i]);
		snprintf(content, sizeof(content), "\"content\":\"%s\"", names[i]);
		assert_int_equal(fixture__run(&fixture,
					      "- {id: a, type: ai.generate,"
					      " prompt: '{{ ctx.name }}'}",
					      input),
				 0);
		assert_non_null(strstr(http_server__last_request(server), content));
	}
}

static void the_step_expects_json(void **state)
{
	static const char steps[] =
		"- {id: a, type: ai.generate, prompt: x, expect: json, cache: true}";
	char *fenced = http_server__completion("Sure:\n```json\n{\"k\": [1]}\n```\n", 1, 1);
	char *plain = http_server__completion("[true]", 1, 1);

	(void)state;
	assert_int_equal(fixture__run(&fixture, steps, NULL), -EINVAL);
	assert_int_equal(fixture.execution.category, STEPTRACE_ERROR_VALIDATION);
	http_server__set_reply(server, &(struct http_reply){.body = fenced});
	assert_int_equal(fixture__run(&fixture, steps, NULL), 0);
	assert_int_equal(fixture__step_number(&fixture, "a.output.k.0"), 1);
	http_server__set_reply(server, &(struct http_reply){.body = plain});
	assert_int_equal(fixture__run(&fixture, steps, NULL), 0); /* from the cache */
	assert_int_equal(fixture__step_number(&fixture, "a.output.k.0"), 1);
	assert_int_equal(http_server__request_count(server), 2);
	free(fenced);
	free(plain);
}

static void json_in_prose(void **state)
{
	static const struct {
		const char *answer, *json; /* NULL: there is not exactly one */
	} cases[] = {
		{"Sure! {\"k\": 1} Anything else?", "{\"k\":1}"},
		{"[see below]\n\n[1, {\"a\": []}]", "[1,{\"a\":[]}]"},
		{"```json\n{\"k\": {}}\n```", "{\"k\":{}}"},
		{"The set {x} is [2].", "[2]"},
		{"{\"a\": 1} or {\"a\": 2}", NULL},
		{"[] and {}", NULL},
		{"no JSON", NULL},
		{"\"text\"", "\"text\""},
		{"{\"a\": ", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *body = http_server__completion(cases[i].answer, 1, 1), *printed;
		int code;

		http_server__set_reply(server, &(struct http_reply){.body = body});
		code = fixture__run(&fixture,
				    "- {id: a, type: ai.generate, prompt: x, expect: json}", NULL);
		if ((code == 0) != (cases[i].json != NULL))
			fail_msg("%s: %d", cases[i].answer, code);
		free(body);
		if (code)
			continue;
		printed = cJSON_PrintUnformatted(fixture__step(&fixture, "a.output"));
		assert_string_equal(printed, cases[i].json);
		cJSON_free(printed);
	}
}

/* To try each of them would take time that grows with the square of the length. So the JSON behind
 * them is not found. */
static void brackets_without_ends(void **state)
{
	static const char json[] = " {\"k\":1}";
	size_t bytes = 100000;
	char *answer = malloc(bytes + sizeof(json)), *body;

	(void)state;
	assert_non_null(answer);
	for (size_t i = 0; i < bytes; i++)
		answer[i] = i < 900 ? '[' : i % 2 ? ',' : '1';
	memcpy(answer + bytes, json, sizeof(json));
	body = http_server__completion(answer, 1, 1);
	http_server__set_reply(server, &(struct http_reply){.body = body});
	assert_int_equal(fixture__run(&fixture,
				      "- {id: a, type: ai.generate, prompt: x, expect: json}",
				      NULL),
			 -EINVAL);
	free(body);
	free(answer);
}

static void the_step_fails_and_falls_back(void **state)
{
	static const struct {
		const char *steps;
		struct http_reply reply;
		enum steptrace_error category;
	} cases[] = {
		{"- {id: a, type: ai.generate, prompt: x}",
		 {.status = 500},
		 STEPTRACE_ERROR_NETWORK},
		{"- {id: a, type: ai.generate, prompt: x}",
		 {.status = 401},
		 STEPTRACE_ERROR_PERMISSION},
		{"- {id: a, type: ai.generate, prompt: x, timeout: 0.05}",
		 {.delay_ms = 20000},
		 STEPTRACE_ERROR_TIMEOUT},
		{"- {id: a, type: ai.generate}", {0}, STEPTRACE_ERROR_VALIDATION},
		{"- {id: a, type: ai.generate, prompt: x, expect: xml}",
		 {0},
		 STEPTRACE_ERROR_VALIDATION},
		{"- {id: a, type: ai.generate, prompt: x, temperature: hot}",
		 {0},
		 STEPTRACE_ERROR_VALIDATION},
		{"- {id: a, type: ai.generate, prompt: x, timeout: -1}",
		 {0},
		 STEPTRACE_ERROR_VALIDATION},
		{"- {id: a, type: ai.generate, prompt: x, fallback_text: calm}",
		 {.status = 500},
		 STEPTRACE_ERROR_NONE},
		{"- {id: a, type: ai.generate, prompt: x, expect: json, fallback: calm}",
		 {.status = 500},
		 STEPTRACE_ERROR_NONE},
		{"- {id: a, type: ai.generate, prompt: x, fallback: true, fallback_text: calm}",
		 {.status = 500},
		 STEPTRACE_ERROR_NONE},
		{"- {id: a, type: ai.generate, prompt: x, fallback: 'true', fallback_text: calm}",
		 {.status = 500},
		 STEPTRACE_ERROR_NONE},
		{"- {id: a, type: ai.generate, prompt: x, fallback: false, fallback_text: calm}",
		 {.status = 500},
		 STEPTRACE_ERROR_NETWORK},
		{"- {id: a, type: ai.generate, prompt: x, fallback: true}",
		 {.status = 500},
		 STEPTRACE_ERROR_NETWORK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		http_server__set_reply(server, &cases[i].reply);
		fixture__run(&fixture, cases[i].steps, NULL);
		assert_int_equal(fixture.execution.category, cases[i].category);
		if (cases[i].category == STEPTRACE_ERROR_NONE)
			assert_string_equal(fixture__step_text(&fixture, "a.output"), "calm");
	}
}

static void a_dry_run_sends_no_request(void **state)
{
	(void)state;
	fixture.settings.dry_run = true;
	assert_int_equal(fixture__run(&fixture,
				      "- {id: a, type: ai.generate, prompt: x, expect: json}",
				      NULL),
			 0);
	assert_true(cJSON_IsObject(fixture__step(&fixture, "a.output")));
	assert_int_equal(http_server__request_count(server), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_step_asks_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(each_question_has_its_own_answer, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_step_reads_prompt_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_input_names_no_prompt_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_step_expects_json, set_up, tear_down),
		cmocka_unit_test_setup_teardown(when_the_cache_is_used, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_answer_that_cannot_be_cached, set_up, tear_down),
		cmocka_unit_test_setup_teardown(json_in_prose, set_up, tear_down),
		cmocka_unit_test_setup_teardown(brackets_without_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_step_fails_and_falls_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dry_run_sends_no_request, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
