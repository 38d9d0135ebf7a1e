// SPDX-License-Identifier: BSD-2-Clause
/* The step ai.generate: prompts, answers, and when the cache answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
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
		"- {id: a, type: ai.generate, prompt: 'Hi {{ ctx.name }}'}\n"
		"- {id: b, type: ai.generate, with: {prompt: 'Hi {{ ctx.name }}'}}\n"
		"- {id: c, type: ai.generate, prompt: 'Hi {{ ctx.name }}', cache: false}\n"
		"- {id: d, type: ai.generate, prompt: 'Hi {{ ctx.name }}', max_tokens: 5}\n";

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
	for (size_t i = 0; i < sizeof(different_questions) / sizeof(*different_questions); i++)
		if (requests_of(different_questions[i]) != requests)
			fail_msg("%s: not %d requests", different_questions[i], requests);
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
	static const char steps[] = "- {id: a, type: ai.generate, prompt: x, expect: json}";
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
		cmocka_unit_test_setup_teardown(the_step_fails_and_falls_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_dry_run_sends_no_request, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
