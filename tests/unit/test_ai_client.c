// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model_server.h"

/* How long a test waits for an answer before it fails. */
enum { PATIENCE_MS = 120000 };

static struct error err;

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

	assert_int_equal(ask_with(reply, PATIENCE_MS, &answer), code);
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
		assert_int_equal(ask_with(NULL, PATIENCE_MS, &answer), 0);
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
	expect(&(struct http_reply){.body = ""}, -EPROTO, "is not JSON");
	expect(&(struct http_reply){.body = "<html>"}, -EPROTO, "is not JSON (byte 1)");
	expect(&(struct http_reply){.body = "{}"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "[]"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "{\"choices\":[]}"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "{\"choices\":{}}"}, -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "{\"choices\":[{\"message\":{\"content\":7}}]}"},
	       -EPROTO, "not a chat completion");
	expect(&(struct http_reply){.body = "\0\0\0", .body_bytes = 3}, -EPROTO,
	       "contains a NUL character (byte 1)");
	expect(&(struct http_reply){.body = "{\"choices\":[{\"message\":{\"content\":\"\xff\"}}]}"},
	       -EPROTO, "is not valid UTF-8");
	expect(&(struct http_reply){.body = "{\"choices\":[{\"message\":{\"content\":"
					    "\"all is\\u0000 well\"}}]}"},
	       -EPROTO, "contains a NUL character");
}

static void odd_token_counts(void **state)
{
	const struct http_reply reply = {
		.body = "{\"choices\":[{\"message\":{\"content\":\"x\"}}],"
			"\"usage\":{\"prompt_tokens\":-4,\"completion_tokens\":1e99}}"};
	struct ai_answer answer;

	(void)state;
	assert_int_equal(ask_with(&reply, PATIENCE_MS, &answer), 0);
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
	       -EPROTO, "is not JSON");
}

static void slow_and_silent_servers(void **state)
{
	const struct http_reply slow = {.body = completion, .delay_ms = 20000};
	struct ai_answer answer;

	(void)state;
	assert_int_equal(ask_with(&slow, 50, &answer), -ETIMEDOUT);
	expect(&(struct http_reply){.hang_up = true}, -ECONNRESET, "cannot ask the model at");
}

/* Neither in messages nor in the key of the cache. */
static void a_password_in_the_address(void **state)
{
	static const struct {
		const char *url, *shown;
	} cases[] = {
		{"http://ada:secret-key@127.0.0.1:1/v1", "http://127.0.0.1:1/v1"},
		{"http://ada:se@cret-key@127.0.0.1:1", "http://127.0.0.1:1"},
		{"http://secret-key@127.0.0.1:1?a=@b", "http://127.0.0.1:1?a=@b"},
		{"http://127.0.0.1:1/a@b", "http://127.0.0.1:1/a@b"},
	};
	const struct ai_question question = {.prompt = "x", .timeout_ms = PATIENCE_MS};
	struct ai_client *other;
	struct ai_answer answer;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(ai_client__open(cases[i].url, "m", NULL, &other, &err), 0);
		assert_string_equal(ai_client__base_url(other), cases[i].shown);
		assert_int_not_equal(ai_client__ask(other, &question, &answer, &err), 0);
		assert_non_null(strstr(err.text, cases[i].shown));
		assert_null(strstr(err.text, "cret-key"));
		ai_client__close(other);
	}
	assert_int_equal(ai_client__open("ftp://ada:secret-key@x", "m", NULL, &other, &err),
			 -EINVAL);
	assert_null(strstr(err.text, "secret-key"));
	assert_non_null(strstr(err.text, "ftp://x"));
}

static void no_server(void **state)
{
	struct ai_client *other;
	const struct ai_question question = {.prompt = "x", .timeout_ms = PATIENCE_MS};
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_answer, model_server__open, model_server__close),
		cmocka_unit_test_setup_teardown(statuses, model_server__open, model_server__close),
		cmocka_unit_test_setup_teardown(garbage, model_server__open, model_server__close),
		cmocka_unit_test_setup_teardown(odd_token_counts, model_server__open,
						model_server__close),
		cmocka_unit_test_setup_teardown(too_long_answers, model_server__open,
						model_server__close),
		cmocka_unit_test_setup_teardown(slow_and_silent_servers, model_server__open,
						model_server__close),
		cmocka_unit_test(a_password_in_the_address),
		cmocka_unit_test(no_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
