// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/runner_fixture.h"
#include "own_semaphore.h"
#include "runner/input.h"
#include "runner/pacer.h"
#include "runner/store/store_query.h"
#include "steptrace/stream/event.h"

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return 0;
}

static const char three_steps[] =
	"- {id: a, type: transform, template: '{{ ctx.body }}'}\n"
	"- {id: b, type: fragment.create, message: '{{ steps.a.output }}'}\n"
	"- {id: c, type: notify, message: 'made {{ steps.b.output.fragment_id }}'}\n";

static char *report(void)
{
	cJSON *tree = execution__report(&fixture.execution, false);
	char *text;

	cJSON_DeleteItemFromObject(tree, "outputs");
	text = cJSON_PrintUnformatted(tree);
	cJSON_Delete(tree);
	return text;
}

static void expect_report(const char *json)
{
	char *text = report();

	assert_string_equal(text, json);
	cJSON_free(text);
}

static void success_is_reported(void **state)
{
	const struct steptrace_command *span = &fixture.execution.span;

	(void)state;
	assert_int_equal(fixture__run(&fixture, three_steps, "{\"body\":\"x\",\"other\":1}"), 0);
	expect_report("{\"success\":true,\"command\":\"probe\","
		      "\"response\":{\"message\":\"made 1\",\"level\":\"info\"}}");
	assert_string_equal(span->slug, "probe");
	assert_string_equal(span->user_id, "tester");
	assert_string_equal(span->request_source, "test");
	assert_null(span->correlation_id);
	assert_int_equal(span->arguments_count, 2);
	assert_int_equal(span->steps_count[STEPTRACE_SUCCESS], 3);
	assert_int_equal(span->steps_count[STEPTRACE_FAILURE], 0);
}

static void the_first_failure_stops(void **state)
{
	const struct steptrace_command *span = &fixture.execution.span;

	(void)state;
	assert_int_equal(fixture__run(&fixture,
				      "- {id: a, type: fragment.create, message: kept}\n"
				      "- {id: b, type: model.delete, model: jobs, conditions: "
				      "{queue: none}}\n"
				      "- {id: c, type: notify, message: never}\n",
				      NULL),
			 -ENOENT);
	expect_report("{\"success\":false,\"command\":\"probe\",\"response\":{},"
		      "\"error\":{\"category\":\"not_found\",\"step\":\"b\","
		      "\"message\":\"no row of model 'jobs' matches\"}}");
	assert_int_equal(span->steps_count[STEPTRACE_SUCCESS], 1);
	assert_int_equal(span->steps_count[STEPTRACE_FAILURE], 1);
	assert_int_equal(span->error_category, STEPTRACE_ERROR_NOT_FOUND);
	assert_null(fixture__step(&fixture, "c"));
}

static void expect_no_secret(struct pack *pack)
{
	struct execution execution;

	assert_int_equal(execution__run(&execution, &fixture.settings, pack, NULL), -EACCES);
	assert_int_equal(execution.category, STEPTRACE_ERROR_PERMISSION);
	assert_non_null(strstr(execution.err.text, "STEPTRACE_TEST_SECRET"));
	assert_int_equal(execution.span.steps_count[STEPTRACE_SUCCESS], 0);
	execution__free(&execution);
}

static void requirements_come_first(void **state)
{
	static const char *const off[] = {"x", "fragment.create"};
	struct pack *pack;
	struct execution execution;
	struct error err;
	char path[128];

	(void)state;
	fixture__write(&fixture, "p/command.yaml",
		       "name: P\nslug: p\nversion: 1.0.0\n"
		       "requires: {secrets: [STEPTRACE_TEST_SECRET], capabilities: "
		       "[fragment.create]}\n"
		       "steps: [{id: a, type: notify, message: hello}]\n");
	snprintf(path, sizeof(path), "%s/p", fixture.directory);
	assert_int_equal(pack__load(path, NULL, &pack, &err), 0);
	unsetenv("STEPTRACE_TEST_SECRET");
	expect_no_secret(pack);
	setenv("STEPTRACE_TEST_SECRET", "", 1);
	expect_no_secret(pack);
	setenv("STEPTRACE_TEST_SECRET", "s3cret", 1);
	assert_int_equal(execution__run(&execution, &fixture.settings, pack, NULL), 0);
	execution__free(&execution);
	fixture.settings.switched_off = off;
	fixture.settings.switched_off_count = 2;
	assert_int_equal(execution__run(&execution, &fixture.settings, pack, NULL), -EACCES);
	execution__free(&execution);
	pack__free(pack);
}

static void inputs_are_unwrapped(void **state)
{
	(void)state;
	assert_int_equal(fixture__run(&fixture, three_steps, "{\"ctx\":{\"body\":\"deep\"}}"), 0);
	assert_string_equal(fixture__step_text(&fixture, "b.output.message"), "deep");
	assert_int_equal(fixture__run(&fixture, three_steps, "{\"ctx\":{},\"body\":\"flat\"}"), 0);
	assert_string_equal(fixture__step_text(&fixture, "b.output.message"), "flat");
}

static void runs_are_reproducible(void **state)
{
	static const char steps[] = "- {id: a, type: transform, template: '{{ uuid }} {{ ulid }} "
				    "{{ now }}'}";
	char first[128], id[37];
	cJSON *with_id;

	(void)state;
	assert_int_equal(fixture__run(&fixture, steps, NULL), 0);
	snprintf(first, sizeof(first), "%s", fixture__step_text(&fixture, "a.output"));
	assert_non_null(strstr(first, " 01JN8D"));
	assert_non_null(strstr(first, " 2025-03-01T08:30:00.000000Z"));
	assert_int_equal(fixture__run(&fixture, steps, NULL), 0);
	assert_string_not_equal(fixture__step_text(&fixture, "a.output"), first);
	id_source__seed(&fixture.ids, 7);
	assert_int_equal(fixture__run(&fixture, steps, NULL), 0);
	assert_string_equal(fixture__step_text(&fixture, "a.output"), first);
	with_id = execution__report(&fixture.execution, true);
	steptrace_command_id(&fixture.execution.span, id);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(with_id, "execution_id")), id);
	cJSON_Delete(with_id);
}

static void times_are_read(void **state)
{
	struct id_source source = {0};
	struct context context;
	struct error err;

	(void)state;
	assert_int_equal(id_source__fix_now(&source, "2024-02-29T23:59:59.25Z", &err), 0);
	assert_int_equal(context__init(&context, &source, NULL, NULL), 0);
	assert_string_equal(context.now, "2024-02-29T23:59:59.250000Z");
	context__free(&context);
	assert_int_equal(id_source__fix_now(&source, "2023-02-29T00:00:00Z", &err), -EINVAL);
	assert_int_equal(id_source__fix_now(&source, "2024-02-29", &err), -EINVAL);
	assert_int_equal(id_source__fix_now(&source, "2024-02-29T00:00:00", &err), -EINVAL);
	assert_int_equal(id_source__fix_now(&source, "2024-02-29T00:00:00.Z", &err), -EINVAL);
	assert_int_equal(id_source__fix_now(&source, "2024-02-29T00:00:00.1234567Z", &err),
			 -EINVAL);
	assert_int_equal(id_source__fix_now(&source, "", &err), -EINVAL);
}

static void errnos_have_categories(void **state)
{
	(void)state;
	assert_int_equal(execution__category_of(0), STEPTRACE_ERROR_NONE);
	assert_int_equal(execution__category_of(-EINVAL), STEPTRACE_ERROR_VALIDATION);
	assert_int_equal(execution__category_of(-ENOENT), STEPTRACE_ERROR_NOT_FOUND);
	assert_int_equal(execution__category_of(-ETIMEDOUT), STEPTRACE_ERROR_TIMEOUT);
	assert_int_equal(execution__category_of(-ENOMEM), STEPTRACE_ERROR_MEMORY);
	assert_int_equal(execution__category_of(-EACCES), STEPTRACE_ERROR_PERMISSION);
	assert_int_equal(execution__category_of(-EPROTO), STEPTRACE_ERROR_NETWORK);
	assert_int_equal(execution__category_of(-EBUSY), STEPTRACE_ERROR_DATABASE);
	assert_int_equal(execution__category_of(-ECANCELED), STEPTRACE_ERROR_CANCELLED);
	assert_int_equal(execution__category_of(-E2BIG), STEPTRACE_ERROR_LIMIT);
	assert_int_equal(execution__category_of(-EXDEV), STEPTRACE_ERROR_GENERAL);
	for (int err = 1; err < 134; err++)
		assert_string_equal(execution__category_name(execution__category_of(-err)),
				    error_category__name((uint8_t)execution__category_of(-err)));
	assert_string_equal(execution__category_name(STEPTRACE_ERROR_DATABASE), "database");
	assert_string_equal(execution__category_name(99), "general");
}

/* ------------------------------------------------------------------ with a tracer attached */

static char *outputs_of_a_run(void)
{
	cJSON *tree;
	char *text;

	tear_down(NULL);
	set_up(NULL);
	fixture.settings.correlation_id = "request-1";
	assert_int_equal(fixture__run(&fixture,
				      "- {id: a, type: fragment.create, message: one}\n"
				      "- id: b\n  type: condition\n  condition: true\n  then:\n"
				      "  - {id: c, type: fragment.update, with: {id: 1, data: "
				      "{title: T}}}\n"
				      "  - {id: d, type: model.delete, with: {model: fragment, "
				      "conditions: {type: log}}}\n"
				      "- {id: e, type: list.map, input: [1, 2]}\n"
				      "- {id: f, type: transform}\n",
				      NULL),
			 -EINVAL);
	tree = execution__report(&fixture.execution, false);
	text = cJSON_PrintUnformatted(tree);
	cJSON_Delete(tree);
	return text;
}

/* As if a tracer was attached: the semaphore is raised, but without a breakpoint the probes are
 * nops. */
static void results_do_not_depend_on_a_tracer(void **state)
{
	const struct steptrace_command_span *span = &fixture.execution.span.span;
	char *unseen = outputs_of_a_run(), *seen;

	(void)state;
	semaphore__raise();
	seen = outputs_of_a_run();
	semaphore__lower();
	assert_string_equal(unseen, seen);
	assert_string_equal(span->slug, "probe");
	assert_string_equal(span->correlation_id, "request-1");
	assert_int_equal(span->steps_successful, 5);
	assert_int_equal(span->steps_failed, 1);
	assert_int_equal(span->outcome, STEPTRACE_FAILURE);
	assert_int_equal(span->error_category, STEPTRACE_ERROR_VALIDATION);
	assert_true(span->head.end_ns >= span->head.start_ns && span->head.start_ns > 0);
	execution__reject(&fixture.settings, "nobody", "unknown_command", NULL, NULL);
	cJSON_free(unseen);
	cJSON_free(seen);
}

/* ------------------------------------------------------------------ input and pace */

static void inputs_are_loaded(void **state)
{
	struct error err;
	cJSON *input;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/input.json", fixture.directory);
	fixture__write(&fixture, "input.json", " {\"ctx\": {\"body\": \"b\"}}\n");
	assert_int_equal(input__load(path, &input, &err), 0);
	assert_int_equal(input__set_pair(input, "k=v=w", &err), 0);
	assert_int_equal(input__set_text(input, "body", "c", &err), 0);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(input, "k")), "v=w");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(input, "body")), "c");
	assert_int_equal(input__set_pair(input, "=v", &err), -EINVAL);
	assert_int_equal(input__set_pair(input, "kv", &err), -EINVAL);
	cJSON_Delete(input);
	fixture__write(&fixture, "input.json", "[1]");
	assert_int_equal(input__load(path, &input, &err), -EINVAL);
	fixture__write(&fixture, "input.json", "{} x");
	assert_int_equal(input__load(path, &input, &err), -EINVAL);
	fixture__write(&fixture, "input.json", "");
	assert_int_equal(input__load(path, &input, &err), -EINVAL);
	assert_int_equal(input__load("/nonexistent", &input, &err), -ENOENT);
}

/* Text is checked where it enters, and the message says what is wrong. */
static void inputs_that_are_no_text(void **state)
{
	static const struct {
		const char *text, *message;
	} files[] = {
		{"{\"body\": \"\xff\"}", "is not valid UTF-8 (byte 11)"},
		{"{\"\xc3(\": 1}", "is not valid UTF-8 (byte 3)"},
		{"{\"body\": \"a\\u0000b\"}", "contains a NUL character (\\u0000)"},
		{"{\"a\\u0000\": 1}", "contains a NUL character (\\u0000)"},
		{"{\"body\": }", "is not JSON (byte 10)"},
		{"{} x", "is not JSON (byte 4)"},
	};
	struct error err;
	cJSON *input;
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/input.json", fixture.directory);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		fixture__write(&fixture, "input.json", files[i].text);
		assert_int_equal(input__load(path, &input, &err), -EINVAL);
		if (!strstr(err.text, files[i].message) || !strstr(err.text, "input.json"))
			fail_msg("%s: %s", files[i].text, err.text);
	}
	fixture__write(&fixture, "input.json", "{\"a\": \"\\\\u0000 \xc3\xa9\"} \n");
	assert_int_equal(input__load(path, &input, &err), 0);
	assert_string_equal(cJSON_GetObjectItem(input, "a")->valuestring, "\\u0000 \xc3\xa9");
	assert_int_equal(input__set_text(input, "body", "a\xffz", &err), -EINVAL);
	assert_string_equal(err.text, "'body' is not valid UTF-8 (byte 2)");
	assert_int_equal(input__set_pair(input, "lang=\xed\xa0\x80", &err), -EINVAL);
	assert_string_equal(err.text, "'lang' is not valid UTF-8 (byte 1)");
	assert_int_equal(input__set_pair(input, "\xff=x", &err), -EINVAL);
	cJSON_Delete(input);
}

static void the_pacer_keeps_its_plan(void **state)
{
	struct pacer pacer;
	struct error err;
	sigset_t old;

	(void)state;
	sigprocmask(SIG_BLOCK, NULL, &old);
	assert_int_equal(pacer__open(&pacer, 0, &err), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(pacer__wait(&pacer), 0);
	raise(SIGTERM);
	assert_int_equal(pacer__wait(&pacer), 1);
	assert_int_equal(pacer__signal(), SIGTERM);
	pacer__close(&pacer);
	assert_int_equal(pacer__open(&pacer, 1000, &err), 0);
	for (int i = 0; i < 20; i++)
		assert_int_equal(pacer__wait(&pacer), 0);
	pacer__close(&pacer);
	assert_int_equal(pacer__open(&pacer, 1, &err), 0);
	assert_int_equal(pacer__wait(&pacer), 0);
	raise(SIGINT);
	assert_int_equal(pacer__wait(&pacer), 1);
	pacer__close(&pacer);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(success_is_reported, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_first_failure_stops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(requirements_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(inputs_are_unwrapped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(runs_are_reproducible, set_up, tear_down),
		cmocka_unit_test(times_are_read),
		cmocka_unit_test(errnos_have_categories),
		cmocka_unit_test_setup_teardown(results_do_not_depend_on_a_tracer, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(inputs_are_loaded, set_up, tear_down),
		cmocka_unit_test_setup_teardown(inputs_that_are_no_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_pacer_keeps_its_plan, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, semaphore__require_own, NULL);
}
