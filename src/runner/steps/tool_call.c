// SPDX-License-Identifier: BSD-2-Clause
/*
 * tool.call: runs a tool that the operator permits (tools/tool_list.h).
 *
 *	tool: greet				the slug; `name` means the same
 *	args: {name: "{{ ctx.name }}"}		for the templates of the tool's argv
 *	timeout: 5				seconds; at most the tool's own
 *
 * The result: {"exit_code": 0, "stdout": "hello Ana\n", "stderr": "", "success": true}. A tool that
 * is not in the list, another exit status than 0, a timeout or too much output fails the step. Each
 * call that was made has a row in tool_invocations.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/steps/rows.h"
#include "runner/template/template.h"
#include "runner/tools/tool_list.h"
#include "runner/tools/tool_process.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

/* A call. Texts are owned. */
struct call {
	const struct tool *tool;
	char *argv[TOOL_WORDS_MAX + 1];
	size_t argv_count;
	int timeout_ms;
	struct steptrace_tool span;
	struct tool_ended ended;
	int code; /* of tool_process__run() */
	double duration_ms;
};

static void free_call(struct call *call)
{
	for (size_t i = 0; i < call->argv_count; i++)
		free(call->argv[i]);
	strbuf__free(&call->ended.out);
	strbuf__free(&call->ended.errors);
}

/* ---- what is called */

static int find_tool(struct step_run *run, const struct tool **tool)
{
	char *slug = NULL;
	int err = step_run__text(run, "tool", &slug);

	if (!err && !slug)
		err = step_run__text(run, "name", &slug);
	if (!err && !slug)
		err = error__set(run->err, -EINVAL, "'tool' is missing: name a tool");
	if (!err) {
		*tool = tool_list__find(run->execution->settings->tools, slug);
		if (!*tool)
			err = error__set(run->err, -EACCES, "the tool '%.64s' is not permitted: %s",
					 slug,
					 run->execution->settings->tools
						 ? "it is not in the file of --tools"
						 : "no tools were given (--tools FILE)");
	}
	free(slug);
	return err;
}

/* Each item is one word. A null has no text: the caller forgot an argument. */
static int add_word(struct step_run *run, struct call *call, const cJSON *word)
{
	char *text;

	if (cJSON_IsNull(word))
		return error__set(run->err, -EINVAL, "word %zu of the tool '%s' is null",
				  call->argv_count, call->tool->slug);
	text = value__text(word);
	if (!text)
		return rows__no_memory(run);
	call->argv[call->argv_count++] = text;
	return 0;
}

static int fill_argv(struct step_run *run, struct call *call, const cJSON *args)
{
	const struct scope_name names[] = {{"args", args}};
	const struct scope scope = {
		.names = names, .name_count = 1, .deadline = &run->execution->deadline};
	cJSON *words = NULL;
	const cJSON *word;
	int err = param__render(&call->tool->argv, &scope, &words, run->err);

	cJSON_ArrayForEach (word, words) {
		if (!err)
			err = add_word(run, call, word);
	}
	cJSON_Delete(words);
	return err;
}

static int read_timeout(struct step_run *run, struct call *call)
{
	cJSON *value;
	double seconds;
	int err = step_run__value(run, "timeout", &value);

	call->timeout_ms = call->tool->timeout_ms;
	if (err || !value)
		return err;
	if (!value__number(value, &seconds) || !(seconds > 0))
		err = error__set(run->err, -EINVAL, "'timeout' must be a number of seconds");
	else if (seconds * 1000 < call->timeout_ms)
		call->timeout_ms = (int)(seconds * 1000);
	cJSON_Delete(value);
	return err;
}

static int prepare(struct step_run *run, struct call *call)
{
	cJSON *args = NULL;
	int err = find_tool(run, &call->tool);

	if (!err)
		err = step_run__map(run, "args", &args);
	if (!err)
		err = read_timeout(run, call);
	if (!err)
		err = fill_argv(run, call, args);
	cJSON_Delete(args);
	return err;
}

/* ---- the row: a part of no transaction of the step, because failed calls have one as well */

static const char *status_of(const struct call *call)
{
	if (call->code)
		return call->code == -ETIMEDOUT   ? "timeout"
		       : call->code == -ECANCELED ? "cancelled"
						  : "failed";
	return call->ended.exit_status == 0 ? "succeeded" : "failed";
}

/* The id is that of the events: without a tracer there is none. */
static bool add_invocation_id(cJSON *row, const struct steptrace_tool *span)
{
	const uint8_t *id = (const uint8_t *)span->span.invocation_id;
	char text[37] = "";
	int at = 0;

	if (!span->described)
		return true;
	for (int i = 0; i < 16; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
	return cJSON_AddStringToObject(row, "invocation_id", text) != NULL;
}

static bool fill_row(struct step_run *run, const struct call *call, cJSON *row)
{
	struct execution *execution = run->execution;
	const char *user = execution->settings->user_id;
	char execution_id[37];

	steptrace_command_id(&execution->span, execution_id);
	return row && add_invocation_id(row, &call->span) &&
	       cJSON_AddStringToObject(row, "tool_slug", call->tool->slug) &&
	       cJSON_AddStringToObject(row, "command_slug", execution->pack->slug) &&
	       cJSON_AddStringToObject(row, "execution_id", execution_id) &&
	       cJSON_AddStringToObject(row, "user_id", user ? user : "") &&
	       cJSON_AddStringToObject(row, "status", status_of(call)) &&
	       cJSON_AddNumberToObject(row, "exit_status", call->ended.exit_status) &&
	       cJSON_AddNumberToObject(row, "duration_ms", call->duration_ms);
}

static int write_row(struct step_run *run, const struct call *call, struct error *err)
{
	struct store *store = step_run__store(run);
	const struct store_table *table = store__table(store, "tool_invocations");
	cJSON *row = cJSON_CreateObject();
	int64_t id;
	int code = fill_row(run, call, row) ? 0 : error__set(err, -ENOMEM, "out of memory");

	if (!code)
		code = step_run__stamp(run, table, row, "created_at");
	if (!code)
		code = store__begin(store, err);
	if (!code) {
		code = store__insert(store, table, row, &id, err);
		if (code)
			store__rollback(store);
		else
			code = store__commit(store, err);
	}
	cJSON_Delete(row);
	return code;
}

/* ---- the call */

static void call_tool(struct step_run *run, struct call *call)
{
	const struct tool_program program = {
		.argv = call->argv,
		.env = (char *const *)call->tool->env,
		.directory = call->tool->directory,
		.timeout_ms = call->timeout_ms,
		.output_bytes = call->tool->output_bytes,
		.deadline = &run->execution->deadline,
	};
	uint64_t begun_ns = clock__now_ns();

	steptrace_tool_init(&call->span, &run->execution->span, run->span, call->tool->slug);
	steptrace_tool_begin(&call->span);
	call->code = tool_process__run(&program, &call->ended, run->err);
	call->span.exit_status = call->ended.exit_status;
	call->span.has_exit_status = call->ended.exit_status >= 0;
	steptrace_tool_end(&call->span, call->code || call->ended.exit_status ? STEPTRACE_FAILURE
									      : STEPTRACE_SUCCESS);
	call->duration_ms = (double)((clock__now_ns() - begun_ns) / 1000) / 1e3;
}

/* A program may write any bytes. */
static bool add_text(cJSON *output, const char *name, const struct strbuf *text)
{
	char *repaired = foreign_text__repaired(text->text ? text->text : "", text->length);
	cJSON *value = value__from_text(repaired);

	if (value && cJSON_AddItemToObject(output, name, value))
		return true;
	cJSON_Delete(value);
	return false;
}

static int answer(struct step_run *run, const struct call *call)
{
	cJSON *output = run->output = cJSON_CreateObject();

	if (output && cJSON_AddNumberToObject(output, "exit_code", call->ended.exit_status) &&
	    add_text(output, "stdout", &call->ended.out) &&
	    add_text(output, "stderr", &call->ended.errors) &&
	    cJSON_AddBoolToObject(output, "success", call->ended.exit_status == 0))
		return 0;
	return rows__no_memory(run);
}

/* The message has no output of the tool: that is content. */
static int failure_of(struct step_run *run, const struct call *call)
{
	const struct tool *tool = call->tool;

	int over = call->code ? deadline__check_wait(&run->execution->deadline, run->err) : 0;

	if (over)
		return over;
	if (call->code && call->ended.exit_status < 0)
		return call->code; /* it did not start: there is a sentence */
	switch (call->code) {
	case 0: break;
	case -ETIMEDOUT:
		return error__set(run->err, -ETIMEDOUT,
				  "the tool '%s' was killed after %.6g s (timeout)", tool->slug,
				  call->timeout_ms / 1e3);
	case -E2BIG:
		return error__set(run->err, -E2BIG,
				  "the tool '%s' was killed: it wrote more than %zu bytes "
				  "(max_output)",
				  tool->slug, tool->output_bytes);
	default: return call->code; /* with a sentence */
	}
	if (call->ended.exit_status == 0)
		return 0;
	return error__set(run->err, -ECHILD, "the tool '%s' ended with exit status %d", tool->slug,
			  call->ended.exit_status);
}

static int run(struct step_run *run)
{
	struct call call = {.argv_count = 0};
	struct error row_err;
	int err = prepare(run, &call), row_code = 0;

	if (!err && !step_run__is_dry(run)) {
		call_tool(run, &call);
		store__watch(step_run__store(run), NULL); /* also a call that is out of time */
		row_code = write_row(run, &call, &row_err);
		store__watch(step_run__store(run), &run->execution->deadline);
		err = failure_of(run, &call);
	}
	if (!err && row_code) {
		*run->err = row_err;
		err = row_code;
	}
	if (!err)
		err = answer(run, &call);
	free_call(&call);
	return err;
}

static const char *const keys[] = {"tool", "name", "args", "timeout", NULL};

const struct step_type step_tool_call = {
	.name = "tool.call",
	.event_name = "ToolCallStep",
	.keys = keys,
	.run = run,
};
