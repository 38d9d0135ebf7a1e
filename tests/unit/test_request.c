// SPDX-License-Identifier: BSD-2-Clause
/* Requests as an API receives them: what is executed, and why the others are refused. */
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
#include <unistd.h>

#include "../support/runner_fixture.h"
#include "runner/request/request.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

enum { COMMAND_BODY_BYTES = 256 };

static struct fixture fixture;
static struct catalogue catalogue;

static int set_up(void **state)
{
	static const char *const folders[] = {"packs"};

	(void)state;
	fixture__open(&fixture);
	assert_int_equal(chdir(fixture.directory), 0);
	fixture__write(&fixture, "packs/todo/command.yaml",
		       "name: T\nslug: todo\nversion: 1.0.0\ntriggers: {slash: /t}\n"
		       "steps: [{id: a, type: notify}]\n");
	fixture__write(&fixture, "packs/broken/command.yaml", "name: [");
	return catalogue__open(&catalogue, folders, 1, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	catalogue__close(&catalogue);
	fixture__close(&fixture);
	return chdir("/");
}

/* ------------------------------------------------------------------ what is executed */

static void expect(const char *body, const char *expected_input, bool dry_run)
{
	struct refusal refusal;
	struct request request;
	char *json;

	if (request__read(&request, &catalogue, body, strlen(body), &refusal))
		fail_msg("%s: %s", body, refusal.err.text);
	assert_string_equal(request.pack->slug, "todo");
	assert_string_equal(refusal.slug, "todo");
	assert_true(cJSON_IsObject(request.input));
	json = value__json(request.input);
	if (strcmp(json, expected_input))
		fail_msg("%s is %s instead of %s", body, json, expected_input);
	assert_int_equal(request.dry_run, dry_run);
	free(json);
	request__free(&request);
	assert_null(request.input);
}

static void names_and_text(void **state)
{
	(void)state;
	expect("{\"command\":\"todo\"}", "{}", false);
	expect("{\"command\":\"/todo\"}", "{}", false);
	expect("{\"command\":\"/t buy milk due:now\"}", "{\"due\":\"now\",\"body\":\"buy milk\"}",
	       false);
	expect(" {\"command\" : \"\\/t\\u0020x\\ny\"} \r\n", "{\"body\":\"x\\ny\"}", false);
	expect("{\"command\":\"t \\ud83d\\ude00\"}", "{\"body\":\"\xf0\x9f\x98\x80\"}", false);
}

static void arguments(void **state)
{
	(void)state;
	expect("{\"command\":\"t\",\"arguments\":{\"a\":1,\"b\":[true,null]}}",
	       "{\"a\":1,\"b\":[true,null]}", false);
	expect("{\"arguments\":{\"body\":\"due:now\"},\"command\":\"t  \"}",
	       "{\"body\":\"due:now\"}", false);
	/* None of these is an input, so the text counts. */
	expect("{\"command\":\"t x\",\"arguments\":{}}", "{\"body\":\"x\"}", false);
	expect("{\"command\":\"t x\",\"arguments\":[]}", "{\"body\":\"x\"}", false);
	expect("{\"command\":\"t x\",\"arguments\":null}", "{\"body\":\"x\"}", false);
	expect("{\"command\":\"t\",\"arguments\":{\"n\":9223372036854775807}}",
	       "{\"n\":9223372036854775807}", false);
}

static void dry_runs(void **state)
{
	(void)state;
	expect("{\"command\":\"t\",\"dry_run\":true}", "{}", true);
	expect("{\"command\":\"t\",\"dry_run\":false}", "{}", false);
	expect("{\"command\":\"t\",\"dry_run\":null}", "{}", false);
}

/* ------------------------------------------------------------------ what is refused */

struct refused {
	const char *body, *reason, *field, *slug;
	int code;
};

static void expect_text(const char *text, const char *expected, const char *body)
{
	if (!text || !expected ? text != expected : strcmp(text, expected))
		fail_msg("%s: '%s' instead of '%s'", body, text ? text : "NULL",
			 expected ? expected : "NULL");
}

static void expect_refusal(const struct refused *refused)
{
	struct refusal refusal = {.slug = "before"};
	struct request request;
	int code =
		request__read(&request, &catalogue, refused->body, strlen(refused->body), &refusal);

	if (code != refused->code)
		fail_msg("%s: %d instead of %d", refused->body, code, refused->code);
	expect_text(refusal.reason, refused->reason, refused->body);
	expect_text(refusal.field, refused->field, refused->body);
	expect_text(refusal.slug, refused->slug, refused->body);
	assert_true(refusal.err.text[0]);
	assert_null(request.input);
}

#define MALFORMED(body)                                                                            \
	{                                                                                          \
		body, "malformed_request", NULL, "", -EINVAL                                       \
	}
#define INVALID(body, field, slug)                                                                 \
	{                                                                                          \
		body, "invalid_argument", field, slug, -EINVAL                                     \
	}

static void what_is_malformed(void **state)
{
	static const struct refused cases[] = {
		MALFORMED(""),
		MALFORMED(" "),
		MALFORMED("x"),
		MALFORMED("{"),
		MALFORMED("{\"command\":\"t\""),
		MALFORMED("{\"command\":\"t\"} x"),
		MALFORMED("{\"command\":\"t\"}{}"),
		MALFORMED("{\"command\":\"t\",}"),
		MALFORMED("{command:\"t\"}"),
		MALFORMED("[]"),
		MALFORMED("null"),
		MALFORMED("\"/todo\""),
		MALFORMED("command=todo"),
		MALFORMED("{\"command\":\"t \xff\"}"),
		MALFORMED("{\"command\":\"t \xc0\x80\"}"),
		MALFORMED("{\"command\":\"t \xed\xa0\x80\"}"),
		MALFORMED("{\"command\":\"t \\u0000\"}"),
		MALFORMED("{\"command\":\"t \\ud800\"}"),
		MALFORMED("{\"command\":\"t\",\"arguments\":{\"n\":18446744073709551616}}"),
	};
	struct refusal refusal;
	struct request request;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(&cases[i]);
	assert_int_equal(request__read(&request, &catalogue, "{\"command\":\"t\0\"}", 16, &refusal),
			 -EINVAL);
	assert_string_equal(refusal.reason, "malformed_request");
}

static void what_is_not_valid(void **state)
{
	static const struct refused cases[] = {
		INVALID("{}", "command", ""),
		INVALID("{\"command\":null}", "command", ""),
		INVALID("{\"command\":[\"todo\"]}", "command", ""),
		INVALID("{\"command\":\"\"}", "command", ""),
		INVALID("{\"command\":\" / \"}", "command", ""),
		INVALID("{\"command\":\"t\",\"dry_run\":\"true\"}", "dry_run", ""),
		INVALID("{\"command\":\"t\",\"dry_run\":1}", "dry_run", ""),
		INVALID("{\"command\":\"t\",\"dryrun\":true}", NULL, ""),
		INVALID("{\"command\":\"t\",\"Command\":\"t\"}", NULL, ""),
		INVALID("{\"command\":\"t\",\"\":1}", NULL, ""),
		INVALID("{\"command\":\"t\",\"arguments\":\"x\"}", "arguments", "todo"),
		INVALID("{\"command\":\"t\",\"arguments\":[1]}", "arguments", "todo"),
		INVALID("{\"command\":\"t\",\"arguments\":false}", "arguments", "todo"),
		INVALID("{\"command\":\"t x\",\"arguments\":{\"a\":1}}", "command", "todo"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(&cases[i]);
}

/* One reader would execute the first, another one the second. The name of the field is still there
 * when the request is not. */
static void members_that_come_twice(void **state)
{
	static const struct refused cases[] = {
		INVALID("{\"command\":\"t\",\"command\":\"t\"}", "command", ""),
		INVALID("{\"command\":\"t\",\"arguments\":{},\"arguments\":{}}", "arguments", ""),
		INVALID("{\"dry_run\":true,\"command\":\"t\",\"dry_run\":false}", "dry_run", ""),
		INVALID("{\"command\":\"t\",\"\\u0063ommand\":\"t\"}", "command", ""),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(&cases[i]);
}

static void arguments_that_come_twice(void **state)
{
	static const struct refused cases[] = {
		INVALID("{\"command\":\"t\",\"arguments\":{\"a\":1,\"b\":2,\"a\":1}}", "arguments",
			"todo"),
		INVALID("{\"command\":\"t\",\"arguments\":{\"l\":[1,{\"x\":{\"a\":1,\"a\":2}}]}}",
			"arguments", "todo"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(&cases[i]);
	expect("{\"command\":\"t\",\"arguments\":{\"a\":1,\"A\":2,\"b\":{\"a\":3},"
	       "\"c\":[{\"a\":4},{\"a\":5}]}}",
	       "{\"a\":1,\"A\":2,\"b\":{\"a\":3},\"c\":[{\"a\":4},{\"a\":5}]}", false);
}

static void commands_that_are_unknown(void **state)
{
	static const struct refused cases[] = {
		{"{\"command\":\"nonesuch SECRET\"}", "unknown_command", NULL, "nonesuch", -ENOENT},
		{"{\"command\":\"/nonesuch\"}", "unknown_command", NULL, "nonesuch", -ENOENT},
		{"{\"command\":\"//t\"}", "unknown_command", NULL, "", -ENOENT},
		{"{\"command\":\"SECRET\"}", "unknown_command", NULL, "", -ENOENT},
		{"{\"command\":\"../todo\"}", "unknown_command", NULL, "", -ENOENT},
		{"{\"command\":\"packs/todo\"}", "unknown_command", NULL, "", -ENOENT},
		{"{\"command\":\"broken\"}", "invalid_pack", NULL, "broken", -ENOEXEC},
	};
	char body[COMMAND_BODY_BYTES];
	struct refused too_long = {body, "unknown_command", NULL, "", -ENOENT};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_refusal(&cases[i]);
	snprintf(body, sizeof(body), "{\"command\":\"%0*d x\"}", COMMAND_BODY_BYTES - 32, 0);
	expect_refusal(&too_long);
}

/* ------------------------------------------------------------------ sizes */

/* What is cut in a message ends with a whole character. */
static void messages_are_valid_text(void **state)
{
	struct refusal refusal;
	struct request request;
	char body[256];

	(void)state;
	for (int before = 1; before < 5; before++) {
		int at = snprintf(body, sizeof(body), "{\"%.*s", before, "xxxxx");

		for (int i = 0; i < 30; i++)
			at += snprintf(body + at, sizeof(body) - (size_t)at, "\xe2\x82\xac");
		snprintf(body + at, sizeof(body) - (size_t)at, "\":1}");
		assert_int_equal(request__read(&request, &catalogue, body, strlen(body), &refusal),
				 -EINVAL);
		assert_int_equal(
			foreign_text__check(refusal.err.text, strlen(refusal.err.text), "", NULL),
			0);
	}
}

static char *repeated(const char *head, const char *piece, const char *tail)
{
	size_t room = REQUEST_BYTES_MAX - strlen(head) - strlen(tail), bytes;
	char *text;
	FILE *out = open_memstream(&text, &bytes);

	fputs(head, out);
	for (size_t at = 0; at + strlen(piece) <= room; at += strlen(piece))
		fputs(piece, out);
	fputs(tail, out);
	fclose(out);
	return text;
}

static int read_and_free(char *body)
{
	struct refusal refusal;
	struct request request;
	int code = request__read(&request, &catalogue, body, strlen(body), &refusal);

	request__free(&request);
	free(body);
	return code;
}

/* The time grows with the length, not with its square. */
static void bodies_of_a_mebibyte(void **state)
{
	char *many;
	size_t bytes;
	FILE *out = open_memstream(&many, &bytes);

	(void)state;
	assert_int_equal(read_and_free(repeated("[", "[", "")), -EINVAL);
	assert_int_equal(
		read_and_free(repeated("{\"command\":\"t\",\"arguments\":", "{\"a\":", "")),
		-EINVAL);
	assert_int_equal(read_and_free(repeated("{\"x\":1", ",\"x\":1", "}")), -EINVAL);
	assert_int_equal(read_and_free(repeated("{\"command\":\"t ", "word \\\"\\\" ", "\"}")), 0);
	assert_int_equal(
		read_and_free(repeated("{\"command\":\"t\",\"arguments\":{\"l\":[0", ",0", "]}}")),
		0);
	assert_int_equal(read_and_free(repeated("{\"command\":\"t\",\"arguments\":{\"a\":1",
						",\"a\":1", "}}")),
			 -EINVAL);
	fputs("{\"command\":\"t\",\"arguments\":{\"a\":0", out);
	for (int i = 0; ftell(out) < REQUEST_BYTES_MAX - 32; i++)
		fprintf(out, ",\"k%d\":0", i);
	fputs("}}", out);
	fclose(out);
	assert_int_equal(read_and_free(many), 0);
}

static void a_schedule_finds_its_pack(void **state)
{
	struct refusal refusal = {.slug = ""};
	const struct pack *pack;

	(void)state;
	assert_int_equal(request__find_pack(&catalogue, "t", &pack, &refusal), 0);
	assert_string_equal(pack->slug, "todo");
	assert_int_equal(request__find_pack(&catalogue, "broken", &pack, &refusal), -ENOEXEC);
	assert_null(pack);
	assert_int_equal(request__find_pack(&catalogue, "nonesuch", &pack, &refusal), -ENOENT);
	assert_string_equal(refusal.reason, "unknown_command");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(names_and_text),
		TEST(arguments),
		TEST(dry_runs),
		TEST(what_is_malformed),
		TEST(what_is_not_valid),
		TEST(members_that_come_twice),
		TEST(arguments_that_come_twice),
		TEST(commands_that_are_unknown),
		TEST(messages_are_valid_text),
		TEST(bodies_of_a_mebibyte),
		TEST(a_schedule_finds_its_pack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
