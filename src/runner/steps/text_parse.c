// SPDX-License-Identifier: BSD-2-Clause
/*
 * text.parse: reads a text with the parser `todo` (todo_text.h).
 *
 *	input: "{{ ctx.body }}"
 *	parser: todo
 *	rules: {extract_due_date: true, extract_priority: true, extract_tags: true}	the default
 *
 * The result: {"output": {title, due_date, priority, tags, status}, "parsing_time_ms": 0.02}. With
 * a fixed time (--now) the parsing takes 0 ms.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "runner/pack/step_type.h"
#include "runner/run/step_run.h"
#include "runner/steps/todo_text.h"
#include "runner/value/value.h"

static bool is_on(const cJSON *rules, const char *name)
{
	const cJSON *rule = cJSON_GetObjectItemCaseSensitive(rules, name);

	return !rule || value__is_true(rule);
}

static int check_parser(struct step_run *run)
{
	char *parser;
	int err = step_run__text(run, "parser", &parser);

	if (!err && parser && strcmp(parser, "todo") != 0)
		err = error__set(run->err, -EINVAL, "unknown parser '%.32s': there is todo",
				 parser);
	free(parser);
	return err;
}

static int parse(struct step_run *run, const char *input, const cJSON *given)
{
	const struct todo_rules rules = {
		.due_date = is_on(given, "extract_due_date"),
		.priority = is_on(given, "extract_priority"),
		.tags = is_on(given, "extract_tags"),
	};
	uint64_t begun_ns = clock__now_ns();
	cJSON *result = todo_text__parse(input, &rules, run->execution->context.now_us / 1000000);
	bool is_fixed = run->execution->settings->ids->has_fixed_now;
	double took_ms = is_fixed ? 0 : (double)((clock__now_ns() - begun_ns) / 1000) / 1e3;

	run->output = cJSON_CreateObject();
	if (!result || !run->output || !cJSON_AddItemToObject(run->output, "output", result)) {
		cJSON_Delete(result);
		return error__set(run->err, -ENOMEM, "out of memory");
	}
	return cJSON_AddNumberToObject(run->output, "parsing_time_ms", took_ms)
		       ? 0
		       : error__set(run->err, -ENOMEM, "out of memory");
}

static int run(struct step_run *run)
{
	cJSON *rules = NULL;
	char *input = NULL;
	int err = check_parser(run);

	if (!err && !param__child(&run->step->params, "input"))
		err = error__set(run->err, -EINVAL, "'input' is missing");
	if (!err)
		err = step_run__text(run, "input", &input);
	if (!err)
		err = step_run__map(run, "rules", &rules);
	if (!err)
		err = parse(run, input ? input : "", rules);
	cJSON_Delete(rules);
	free(input);
	return err;
}

static const char *const keys[] = {"input", "parser", "rules", NULL};

const struct step_type step_text_parse = {
	.name = "text.parse",
	.event_name = "TextParseStep",
	.keys = keys,
	.run = run,
};
