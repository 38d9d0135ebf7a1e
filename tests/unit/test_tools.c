// SPDX-License-Identifier: BSD-2-Clause
/* Tools: their file, the words of their argv, limits, and what is left of them. */
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
#include <unistd.h>

#include "../support/runner_fixture.h"
#include "runner/pack/step_type.h"
#include "runner/store/store_query.h"
#include "runner/tools/tool_list.h"
#include "runner/value/value.h"

static struct fixture fixture;
static struct tool_list tools;
static struct error err;

static const char file[] =
	"tools:\n"
	"  - {slug: words, argv: [/usr/bin/printf, '<%s>', '{{ args.a }}', '{{ args.b }}']}\n"
	"  - {slug: sh, argv: [/bin/sh, -c, '{{ args.script }}'], timeout: 20, max_output: 100}\n"
	"  - {slug: where, argv: [/bin/sh, -c,"
	" 'pwd; echo $TZ; echo ${HOME-none}; cat; ls /proc/self/fd'],"
	" directory: /usr, env: {TZ: UTC}}\n"
	"  - {slug: gone, argv: [/no/such/program]}\n"
	"  - {slug: nowhere, argv: [/bin/true], directory: /no/such/folder}\n";

static int load(const char *text)
{
	char path[128];

	fixture__write(&fixture, "tools.yaml", text);
	snprintf(path, sizeof(path), "%s/tools.yaml", fixture.directory);
	tool_list__free(&tools);
	return tool_list__load(&tools, path, &err);
}

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	if (load(file))
		fail_msg("%s", err.text);
	fixture.settings.tools = &tools;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	tool_list__free(&tools);
	return 0;
}

static void run(const char *steps)
{
	if (fixture__run(&fixture, steps, "{\"evil\":\"; rm -rf $(pwd) `id` \\\" ' \\\\ -x\"}"))
		fail_msg("%s", fixture.err.text);
}

static void expect(const char *path, const char *json)
{
	char *text = value__json(fixture__step(&fixture, path));

	if (strcmp(text, json) != 0)
		fail_msg("%s is %s, not %s", path, text, json);
	free(text);
}

static void expect_failure(const char *steps, enum steptrace_error category, const char *part)
{
	assert_int_not_equal(fixture__run(&fixture, steps, NULL), 0);
	if (fixture.execution.category != category || !strstr(fixture.err.text, part))
		fail_msg("%.200s: category %d, '%s' without '%s'", steps,
			 fixture.execution.category, fixture.err.text, part);
}

/* A word stays one word, whatever is in it. */
static void words_are_words(void **state)
{
	(void)state;
	run("- {id: t, type: tool.call, with: {tool: words, args: {a: '{{ ctx.evil }}', b: 7}}}");
	expect("t.output.stdout", "\"<; rm -rf $(pwd) `id` \\\" ' \\\\ -x><7>\"");
	expect("t.output.exit_code", "0");
	expect("t.output.success", "true");
	expect("t.output.stderr", "\"\"");
	expect_failure("- {id: t, type: tool.call, with: {name: words, args: {a: 1}}}",
		       STEPTRACE_ERROR_VALIDATION, "word 3 of the tool 'words' is null");
}

static void what_a_tool_has(void **state)
{
	char *text;

	(void)state;
	run("- {id: t, type: tool.call, tool: where}");
	text = value__text(fixture__step(&fixture, "t.output.stdout"));
	/* The folder, the variables, no input, and no descriptors but its own. */
	if (strncmp(text, "/usr\nUTC\nnone\n0\n1\n2\n3\n", 22) != 0 || strlen(text) > 22)
		fail_msg("%s", text);
	free(text);
}

static void failures(void **state)
{
	(void)state;
	expect_failure("- {id: t, type: tool.call, with: {tool: sh, args: {script: 'echo secret;"
		       " exit 3'}}}",
		       STEPTRACE_ERROR_GENERAL, "the tool 'sh' ended with exit status 3");
	assert_null(strstr(fixture.err.text, "secret"));
	expect_failure("- {id: t, type: tool.call, with: {tool: sh, args: {script: 'kill -9 $$'}}}",
		       STEPTRACE_ERROR_GENERAL, "exit status 137");
	expect_failure("- {id: t, type: tool.call, with: {tool: sh, args: {script:"
		       " 'head -c 1000 /dev/zero'}}}",
		       STEPTRACE_ERROR_LIMIT, "wrote more than 100 bytes");
	expect_failure("- {id: t, type: tool.call, with: {tool: sh, timeout: 0.1, args: {script:"
		       " 'sleep 1000'}}}",
		       STEPTRACE_ERROR_TIMEOUT, "was killed after 0.1 s");
	expect_failure("- {id: t, type: tool.call, tool: gone}", STEPTRACE_ERROR_NOT_FOUND,
		       "cannot start '/no/such/program'");
	expect_failure("- {id: t, type: tool.call, tool: nowhere}", STEPTRACE_ERROR_NOT_FOUND,
		       "cannot start '/bin/true'");
	expect_failure("- {id: t, type: tool.call, tool: /bin/sh}", STEPTRACE_ERROR_PERMISSION,
		       "'/bin/sh' is not permitted: it is not in the file");
	fixture.settings.tools = NULL;
	expect_failure("- {id: t, type: tool.call, tool: sh}", STEPTRACE_ERROR_PERMISSION,
		       "no tools were given");
}

/* A process that waits for its new parent has ended. */
static bool is_running(pid_t pid)
{
	char path[64], state = 0;
	FILE *stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	stat = fopen(path, "r");
	if (!stat)
		return false;
	assert_int_equal(fscanf(stat, "%*d %*s %c", &state), 1);
	fclose(stat);
	return state != 'Z' && state != 'X';
}

/* The tool ends, and a process that it left behind holds its output. */
static void the_whole_group_is_killed(void **state)
{
	pid_t pid;

	(void)state;
	run("- {id: t, type: tool.call, with: {tool: sh, args: {script:"
	    " 'sleep 1000 & echo $!'}}}");
	pid = (pid_t)atoi(cJSON_GetStringValue(fixture__step(&fixture, "t.output.stdout")));
	assert_true(pid > 1);
	for (int i = 0; i < 10000 && is_running(pid); i++)
		usleep(1000);
	assert_false(is_running(pid));
}

/* A process that left the group holds the output: the tool has ended nevertheless. */
static void what_leaves_the_group(void **state)
{
	pid_t pid;

	(void)state;
	run("- {id: t, type: tool.call, with: {tool: sh, args: {script:"
	    " 'setsid sleep 1000 & echo $!; sleep 0.1'}}}");
	expect("t.output.success", "true");
	pid = (pid_t)atoi(cJSON_GetStringValue(fixture__step(&fixture, "t.output.stdout")));
	assert_true(pid > 1);
	kill(pid, SIGKILL);
}

static void what_cannot_start(void **state)
{
	static const char begin[] = "{\"s\":\"";
	enum { BEGIN = sizeof(begin) - 1, WORD = 200000 };
	char *input = malloc(BEGIN + WORD + 8);

	(void)state;
	memcpy(input, begin, BEGIN);
	memset(input + BEGIN, 'x', WORD);
	strcpy(input + BEGIN + WORD, "\"}");
	assert_int_equal(fixture__run(&fixture,
				      "- {id: t, type: tool.call, with: {tool: sh,"
				      " args: {script: '{{ ctx.s }}'}}}",
				      input),
			 -E2BIG);
	assert_string_equal(fixture.err.text, "cannot start '/bin/sh': Argument list too long");
	free(input);
}

/* Whoever started the test program may have ignored the signal. */
static void the_end_of_children_is_ignored(void **state)
{
	(void)state;
	signal(SIGCHLD, SIG_IGN);
	assert_int_not_equal(fixture__run(&fixture,
					  "- {id: t, type: tool.call, with: {tool: sh,"
					  " args: {script: 'sleep 0.1; exit 0'}}}",
					  NULL),
			     0);
	signal(SIGCHLD, SIG_DFL);
}

static void bytes_that_are_no_text(void **state)
{
	(void)state;
	run("- {id: t, type: tool.call, with: {tool: sh, args: {script:"
	    " \"printf 'a\\\\377\\\\000b'\"}}}");
	expect("t.output.stdout", "\"a\xef\xbf\xbd\xef\xbf\xbd"
				  "b\"");
}

static void rows(void **state)
{
	(void)state;
	expect_failure("- {id: a, type: tool.call, with: {tool: sh, args: {script: 'exit 4'}}}",
		       STEPTRACE_ERROR_GENERAL, "");
	run("- {id: a, type: tool.call, with: {tool: sh, args: {script: 'true'}}}\n"
	    "- {id: q, type: model.query, with: {model: tool_invocations, order: id}}\n");
	expect("q.output.count", "2");
	expect("q.output.results.0.status", "\"failed\"");
	expect("q.output.results.0.exit_status", "4");
	expect("q.output.results.1.status", "\"succeeded\"");
	expect("q.output.results.1.tool_slug", "\"sh\"");
	fixture.settings.dry_run = true;
	run("- {id: a, type: tool.call, with: {tool: sh, args: {script: 'exit 4'}}}\n"
	    "- {id: q, type: model.query, with: {model: tool_invocations, order: id}}\n");
	expect("a.output.success", "true");
	expect("q.output.count", "2");
}

static void expect_bad(const char *text, const char *part)
{
	assert_int_not_equal(load(text), 0);
	if (!strstr(err.text, part) || !strstr(err.text, "tools.yaml"))
		fail_msg("%s: '%s' without '%s'", text, err.text, part);
}

static void bad_files(void **state)
{
	(void)state;
	expect_bad("tools: {}", "'tools' must be a list");
	expect_bad("tools: [7]", "a tool must be a mapping");
	expect_bad("tools: [{argv: [/bin/true]}]", "a tool has no slug");
	expect_bad("tools: [{slug: A, argv: [/bin/true]}]", "'A' is not a slug");
	expect_bad("tools: [{slug: a}]", "needs argv");
	expect_bad("tools: [{slug: a, argv: []}]", "needs argv");
	expect_bad("tools: [{slug: a, argv: [true]}]", "must be an absolute path");
	expect_bad("tools: [{slug: a, argv: [sh]}]", "must be an absolute path");
	expect_bad("tools: [{slug: a, argv: ['/bin/{{ args.x }}']}]", "without a template");
	expect_bad("tools: [{slug: a, argv: [/x], timeout: 0}]", "'timeout' must be a number");
	expect_bad("tools: [{slug: a, argv: [/x], max_output: -1}]", "'max_output' must be");
	expect_bad("tools: [{slug: a, argv: [/x], directory: tmp}]", "must be an absolute path");
	expect_bad("tools: [{slug: a, argv: [/x], env: [A]}]", "the env must be a mapping");
	expect_bad("tools: [{slug: a, argv: [/x], shell: yes}]", "does not know the key 'shell'");
	expect_bad("tools: [{slug: a, argv: [/x]}, {slug: a, argv: [/y]}]", "stands twice");
	expect_bad("tools:\n  - slug: a\n    argv: [/x]\n    timeout: soon\n", "tools.yaml:4:14");
}

/* ---- jobs */

static void job_dispatch(void **state)
{
	(void)state;
	fixture.settings.correlation_id = "req-00000042";
	run("- {id: j, type: job.dispatch, with: {command: send-report, queue: mail, delay: 90,"
	    " arguments: {week: 7}}}\n"
	    "- {id: q, type: model.query, model: jobs}\n");
	expect("j.output.job_id", "1");
	expect("j.output.queue", "\"mail\"");
	expect("j.output.status", "\"queued\"");
	expect("q.output.results.0.payload", "{\"week\":7}");
	expect("q.output.results.0.correlation_id", "\"req-00000042\"");
	expect("q.output.results.0.attempts", "0");
	assert_int_equal(fixture.execution.failed_step != NULL, 0);
	expect_failure("- {id: j, type: job.dispatch, command: '../x'}", STEPTRACE_ERROR_VALIDATION,
		       "'../x' is not a slug");
	expect_failure("- {id: j, type: job.dispatch, with: {command: a, delay: -1}}",
		       STEPTRACE_ERROR_VALIDATION, "'delay' must be");
	fixture.settings.dry_run = true;
	run("- {id: j, type: job.dispatch, command: send-report}\n"
	    "- {id: q, type: model.query, model: jobs}\n");
	expect("j.output.job_id", "null");
	expect("j.output.queue", "\"default\"");
	expect("q.output.count", "1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(words_are_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_a_tool_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_whole_group_is_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_leaves_the_group, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_start, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_end_of_children_is_ignored, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bytes_that_are_no_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bad_files, set_up, tear_down),
		cmocka_unit_test_setup_teardown(job_dispatch, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
