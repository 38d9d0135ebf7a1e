// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/http_server.h"
#include "../support/runner_fixture.h"
#include "runner/ai_cache.h"
#include "runner/ai_client.h"

static struct http_server *server;
static struct ai_client *client;
static char *completion;
static char url[64];
static struct error err;

static int set_up(void **state)
{
	struct http_reply reply = {0};

	(void)state;
	completion = http_server__completion("Nice \"weather\"", 11, 4);
	reply.body = completion;
	server = http_server__start(&reply);
	if (!server)
		return -1;
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/v1/", http_server__port(server));
	return ai_client__open(url, "tiny", "secret-key", &client, &err);
}

static int tear_down(void **state)
{
	(void)state;
	ai_client__close(client);
	http_server__stop(server);
	free(completion);
	return 0;
}

static int ask_with(const struct http_reply *reply, int64_t timeout_ms, struct ai_answer *answer)
{
	const struct ai_question question = {.prompt = "How is it?\n",
					     .temperature = 0.5,
					     .max_tokens = 9,
					     .timeout_ms = timeout_ms};

	if (reply)
		http_server__set_reply(server, reply);
	err.text[0] = 0;
	return ai_client__ask(client, &question, answer, &err);
}

static void expect(const struct http_reply *reply, int code, const char *part)
{
	struct ai_answer answer;

	assert_int_equal(ask_with(reply, 5000, &answer), code);
	assert_null(answer.text);
	if (!strstr(err.text, part) || strstr(err.text, "secret-key"))
		fail_msg("'%s' without '%s'", err.text, part);
}

static void an_answer(void **state)
{
	struct ai_answer answer;
	const char *request;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask_with(NULL, 5000, &answer), 0);
		assert_string_equal(answer.text, "Nice \"weather\"");
		assert_int_equal(answer.prompt_tokens, 11);
		assert_int_equal(answer.completion_tokens, 4);
		free(answer.text);
	}
	assert_int_equal(http_server__request_count(server), 3);
	request = http_server__last_request(server);
	assert_non_null(strstr(request, "POST /v1/chat/completions HTTP"));
	assert_non_null(strstr(request, "Authorization: Bearer secret-key\r\n"));
	assert_non_null(strstr(request, "{\"model\":\"tiny\",\"messages\":[{\"role\":\"user\","
					"\"content\":\"How is it?\\n\"}],\"max_tokens\":9,"
					"\"temperature\":0.5}"));
}

static void statuses(void **state)
{
	(void)state;
	expect(&(struct http_reply){.status = 401}, -EACCES, "STEPRUN_AI_KEY");
	expect(&(struct http_reply){.status = 403}, -EACCES, "403");
	expect(&(struct http_reply){.status = 404}, -EPROTO, "404");
	expect(&(struct http_reply){.status = 429}, -EPROTO, "429");
	expect(&(struct http_reply){.status = 500, .body = "{}"}, -EPROTO, "500");
	expect(&(struct http_reply){.status = 504}, -ETIMEDOUT, "504");
	expect(&(struct http_reply){.status = 302, .location = "file:///etc/passwd"}, -EPROTO,
	       "302");
}

static void garbage(void **state)
{
	(void)state;
	expect(&(struct http_reply){.body = ""}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "<html>"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "{}"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "[]"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "{\"choices\":[]}"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "{\"choices\":{}}"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "{\"choices\":[{\"message\":{\"content\":7}}]}"},
	       -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "\0\0\0", .body_bytes = 3}, -EPROTO,
	       "not a chat completion");
}

static void odd_token_counts(void **state)
{
	const struct http_reply reply = {
		.body = "{\"choices\":[{\"message\":{\"content\":\"x\"}}],"
			"\"usage\":{\"prompt_tokens\":-4,\"completion_tokens\":1e99}}"};
	struct ai_answer answer;

	(void)state;
	assert_int_equal(ask_with(&reply, 5000, &answer), 0);
	assert_int_equal(answer.prompt_tokens, 0);
	assert_int_equal(answer.completion_tokens, UINT32_MAX);
	free(answer.text);
}

static void too_long_answers(void **state)
{
	static char block[65536];

	(void)state;
	memset(block, ' ', sizeof(block));
	expect(&(struct http_reply){.body = block, .body_bytes = sizeof(block), .repeat = 65},
	       -E2BIG, "longer than");
	expect(&(struct http_reply){.body = block, .body_bytes = sizeof(block), .repeat = 64},
	       -EPROTO, "not a chat completion");
}

static void slow_and_silent_servers(void **state)
{
	const struct http_reply slow = {.body = completion, .delay_ms = 20000};
	struct ai_answer answer;

	(void)state;
	assert_int_equal(ask_with(&slow, 50, &answer), -ETIMEDOUT);
	expect(&(struct http_reply){.hang_up = true}, -ECONNRESET, "cannot ask the model at");
}

static void no_server(void **state)
{
	struct ai_client *other;
	const struct ai_question question = {.prompt = "x", .timeout_ms = 5000};
	struct ai_answer answer;

	(void)state;
	assert_int_equal(ai_client__open("http://127.0.0.1:1", "m", NULL, &other, &err), 0);
	assert_int_equal(ai_client__ask(other, &question, &answer, &err), -ECONNREFUSED);
	ai_client__close(other);
	assert_int_equal(ai_client__open(NULL, NULL, NULL, &other, &err), 0);
	assert_int_equal(ai_client__ask(other, &question, &answer, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--ai-url"));
	ai_client__close(other);
	assert_int_equal(ai_client__open("http://127.0.0.1:1", NULL, NULL, &other, &err), 0);
	assert_int_equal(ai_client__ask(other, &question, &answer, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--ai-model"));
	ai_client__close(other);
	assert_int_equal(ai_client__open("file:///etc", "m", NULL, &other, &err), -EINVAL);
	assert_int_equal(ai_client__open("http://x", "m", "a\r\nb: c", &other, &err), -EINVAL);
}

static void the_cache_keeps_answers(void **state)
{
	const struct ai_answer given = {"answer", 5, 6};
	struct ai_answer found;
	struct store *store;

	(void)state;
	assert_int_equal(store__open(":memory:", &store, &err), 0);
	assert_int_equal(ai_cache__find(store, "key", 100, &found, &err), -ENOENT);
	assert_int_equal(ai_cache__keep(store, "key", 100, 10, &given, &err), 0);
	assert_int_equal(ai_cache__find(store, "key", 109, &found, &err), 0);
	assert_string_equal(found.text, "answer");
	assert_int_equal(found.completion_tokens, 6);
	free(found.text);
	assert_int_equal(ai_cache__find(store, "other", 109, &found, &err), -ENOENT);
	assert_int_equal(ai_cache__find(store, "key", 110, &found, &err), -ENOENT);
	assert_int_equal(ai_cache__keep(store, "key", 200, 10, &given, &err), 0);
	assert_int_equal(ai_cache__find(store, "key", 205, &found, &err), 0);
	free(found.text);
	store__close(store);
}

/* ------------------------------------------------------------------ the step */

static struct fixture fixture;

static int set_up_step(void **state)
{
	int failed = set_up(state);

	fixture__open(&fixture);
	fixture.settings.ai = client;
	return failed;
}

static int tear_down_step(void **state)
{
	fixture__close(&fixture);
	return tear_down(state);
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

static void the_step_reads_prompt_files(void **state)
{
	(void)state;
	fixture__write(&fixture, "prompts/greet.md", "Greet {{ ctx.name }} warmly");
	assert_int_equal(fixture__run(&fixture, "- {id: a, type: ai.generate, prompt: greet.md}",
				      "{\"name\":\"Bo\"}"),
			 0);
	assert_non_null(strstr(http_server__last_request(server), "Greet Bo warmly"));
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
		cmocka_unit_test_setup_teardown(an_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(statuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(garbage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(odd_token_counts, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_long_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_and_silent_servers, set_up, tear_down),
		cmocka_unit_test(no_server),
		cmocka_unit_test(the_cache_keeps_answers),
		cmocka_unit_test_setup_teardown(the_step_asks_once, set_up_step, tear_down_step),
		cmocka_unit_test_setup_teardown(the_step_reads_prompt_files, set_up_step,
						tear_down_step),
		cmocka_unit_test_setup_teardown(the_step_expects_json, set_up_step, tear_down_step),
		cmocka_unit_test_setup_teardown(the_step_fails_and_falls_back, set_up_step,
						tear_down_step),
		cmocka_unit_test_setup_teardown(a_dry_run_sends_no_request, set_up_step,
						tear_down_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
