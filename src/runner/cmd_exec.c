// SPDX-License-Identifier: BSD-2-Clause
/* steprun exec: runs command packs and prints one line of JSON for each execution. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "runner/ai/ai_client.h"
#include "runner/commands.h"
#include "runner/exec_options.h"
#include "runner/input.h"
#include "runner/pacer.h"
#include "runner/request/request.h"
#include "runner/run/execution.h"
#include "runner/store/store.h"
#include "runner/tools/tool_list.h"
#include "runner/value/value.h"

/* Everything that one run of `steprun exec` owns. */
struct session {
	struct exec_options options;
	struct execution_settings settings;
	struct pack *packs[OPTION_LIST_MAX];
	cJSON *input;
	struct store *store;
	struct ai_client *ai;
	struct tool_list tools;
	uint64_t run_count, failed_count;
	struct error err;
};

/* ------------------------------------------------------------------ opening */

/* The command was rejected before it could run. The tracer gets a rejected event. `command` is a
 * slug, or what the user wrote. */
static int refuse(struct session *session, const char *command, const char *reason,
		  const char *field, int err)
{
	struct refusal refusal;

	refusal__name(&refusal, command);
	execution__reject(&session->settings, refusal.slug, reason, field, NULL);
	return err;
}

static int load_packs(struct session *session)
{
	const struct exec_options *options = &session->options;
	const struct pack_path path = {options->runner.packs.items, options->runner.packs.count};

	for (size_t i = 0; i < options->commands.count; i++) {
		const char *command = options->commands.items[i];
		int err = pack__find(&path, command, &session->packs[i], &session->err);

		if (err)
			return refuse(session, command,
				      err == -ENOENT ? "unknown_command" : "invalid_pack", NULL,
				      err);
	}
	return 0;
}

static bool requires(const struct pack *pack, const char *capability)
{
	const cJSON *item;

	cJSON_ArrayForEach (item, pack->capabilities)
		if (strcmp(item->valuestring, capability) == 0)
			return true;
	return false;
}

/* An option without an effect is an error. */
static int check_without(struct session *session)
{
	const struct option_list *without = &session->options.runner.switched_off;

	for (size_t i = 0; i < without->count; i++) {
		bool is_required = false;

		for (size_t j = 0; j < session->options.commands.count; j++)
		is_required = is_required || requires(session->packs[j], without->items[i]);
		if (!is_required)
			return error__set(&session->err, -EINVAL,
					  "--without '%s' has no effect: no given command requires "
					  "this capability (see 'requires' in its command.yaml)",
					  without->items[i]);
	}
	return 0;
}

static int read_input(struct session *session)
{
	const struct exec_options *options = &session->options;
	int err = 0;

	if (options->context_path)
		err = input__load(options->context_path, &session->input, &session->err);
	else
		session->input = cJSON_CreateObject();
	if (!err && !session->input)
		err = error__set(&session->err, -ENOMEM, "out of memory");
	if (err)
		return refuse(session, session->packs[0]->slug, "invalid_argument", "context", err);
	if (options->text)
		err = input__set_text(session->input, "body", options->text, &session->err);
	if (err)
		return refuse(session, session->packs[0]->slug, "invalid_argument", "body", err);
	for (size_t i = 0; !err && i < options->pairs.count; i++)
		err = input__set_pair(session->input, options->pairs.items[i], &session->err);
	return err ? refuse(session, session->packs[0]->slug, "invalid_argument", "set", err) : 0;
}

static void set_settings(struct session *session)
{
	struct exec_options *options = &session->options;

	session->settings = (struct execution_settings){
		.ids = &options->runner.ids,
		.dry_run = options->dry_run,
		.timing = options->timing,
		.user_id = options->user,
		.request_source = options->source,
		.correlation_id = options->correlation_id,
		.switched_off = options->runner.switched_off.items,
		.switched_off_count = options->runner.switched_off.count,
		.timeout_ns = options->runner.timeout_ns,
		.cancelled_ns = pacer__cancelled_ns(),
	};
}

static int open_session(struct session *session)
{
	const struct exec_options *options = &session->options;
	int err;

	err = read_input(session);
	if (err)
		return err;
	if (options->runner.tools_path) {
		err = tool_list__load(&session->tools, options->runner.tools_path, &session->err);
		session->settings.tools = &session->tools;
	}
	if (err)
		return refuse(session, session->packs[0]->slug, "invalid_argument", "tools", err);
	err = store__open(options->runner.database, &session->store, &session->err);
	if (err)
		return refuse(session, session->packs[0]->slug, "database_unavailable", NULL, err);
	err = ai_client__open(options->runner.ai_url, options->runner.ai_model,
			      options->runner.ai_key, &session->ai, &session->err);
	if (err)
		refuse(session, session->packs[0]->slug, "invalid_argument", "ai-url", err);
	session->settings.store = session->store;
	session->settings.ai = session->ai;
	return err;
}

static void close_session(struct session *session)
{
	for (size_t i = 0; i < session->options.commands.count; i++)
		pack__free(session->packs[i]);
	cJSON_Delete(session->input);
	store__close(session->store);
	ai_client__close(session->ai);
	tool_list__free(&session->tools);
}

/* ------------------------------------------------------------------ running */

/* JSON may contain DEL and U+0080 to U+009F as they are, and a terminal executes them. */
static int print_json(const char *line)
{
	for (size_t plain; *line; line++) {
		const uint8_t *at;
		bool is_long;

		plain = strcspn(line, "\x7f\xc2");
		fwrite(line, 1, plain, stdout);
		line += plain;
		if (!*line)
			break;
		at = (const uint8_t *)line;
		is_long = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;
		line += is_long;
		if (is_long || at[0] == 0x7f)
			printf("\\u%04x", (uint8_t)*line);
		else
			putchar(*line);
	}
	return putchar('\n') == EOF || ferror(stdout) ? -EIO : 0;
}

static int print_report(const struct execution *execution, bool with_id, bool flush)
{
	cJSON *report = execution__report(execution, with_id);
	char *line = report ? value__json(report) : NULL;
	int err = line ? 0 : -ENOMEM;

	if (line)
		err = print_json(line);
	if (!err && flush && fflush(stdout))
		err = -EIO;
	free(line);
	cJSON_Delete(report);
	return err;
}

/* Prints a message for the first failure only. The results on stdout contain all of them. */
static void tell_failure(struct session *session, const struct execution *execution)
{
	const struct pack_step *step = execution->failed_step;

	if (session->failed_count++)
		return;
	log__error("%s%s%s failed (%s): %s", execution->pack->slug, step ? ": step " : "",
		   step ? step->id : "", execution__category_name(execution->category),
		   execution->err.text);
}

static int run_one(struct session *session)
{
	const struct exec_options *options = &session->options;
	const struct pack *pack = session->packs[session->run_count % options->commands.count];
	struct execution execution;
	int err = 0;

	if (execution__run(&execution, &session->settings, pack, session->input))
		tell_failure(session, &execution);
	session->run_count++;
	if (!options->quiet)
		err = print_report(&execution, options->with_id, options->rate > 0);
	execution__free(&execution);
	if (err)
		error__set(&session->err, err, "cannot write the result: %s", strerror(-err));
	return err;
}

/* Returns 0: all executions ran, 1: SIGINT or SIGTERM stopped the run, or a negative errno. */
static int run_all(struct session *session, struct pacer *pacer)
{
	uint64_t repeat = session->options.repeat;
	int err = 0;

	while (!err && (!repeat || session->run_count < repeat)) {
		err = pacer__wait(pacer);
		if (!err)
			err = run_one(session);
	}
	return err;
}

static void tell_end(const struct session *session)
{
	if (pacer__signal())
		log__info("stopped by %s after %" PRIu64 " executions",
			  pacer__signal() == SIGINT ? "Ctrl-C" : "SIGTERM", session->run_count);
	if (session->failed_count > 1)
		log__error("%" PRIu64 " of %" PRIu64 " executions failed", session->failed_count,
			   session->run_count);
}

static int run_session(struct session *session)
{
	struct pacer pacer;
	int err = pacer__open(&pacer, session->options.rate, &session->err);

	if (err)
		return err;
	err = run_all(session, &pacer);
	if (fflush(stdout) && err >= 0)
		err = error__set(&session->err, -EIO, "cannot write the result");
	tell_end(session);
	pacer__close(&pacer);
	return err < 0 ? err : 0;
}

static int run_commands(struct session *session)
{
	int status = EXIT_FAILED, err;

	set_settings(session);
	err = load_packs(session);
	if (!err) {
		err = check_without(session);
		status = err ? EXIT_USAGE : EXIT_FAILED;
	}
	if (!err)
		err = open_session(session);
	if (!err)
		err = run_session(session);
	if (err)
		log__error("%s", session->err.text);
	close_session(session);
	return err || session->failed_count ? status : EXIT_DONE;
}

int cmd_exec(int argc, char **argv)
{
	struct session session = {0};
	int err = exec_options__parse(&session.options, argc, argv, &session.err);

	if (err) {
		if (err < 0)
			log__error("%s", session.err.text);
		return err < 0 ? EXIT_USAGE : EXIT_DONE;
	}
	return run_commands(&session);
}
