// SPDX-License-Identifier: BSD-2-Clause
#include "runner/exec_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/options.h"
#include "common/parse.h"
#include "runner/commands.h"

enum which {
	OPT_CONTEXT,
	OPT_SET,
	OPT_DRY_RUN,
	OPT_ALSO,
	OPT_PACKS,
	OPT_DB,
	OPT_REPEAT,
	OPT_RATE,
	OPT_QUIET,
	OPT_TIMING,
	OPT_IDS,
	OPT_USER,
	OPT_SOURCE,
	OPT_CORRELATION,
	OPT_NOW,
	OPT_SEED,
	OPT_AI_URL,
	OPT_AI_MODEL,
	OPT_WITHOUT,
	OPT_TOOLS,
	OPT_TIMEOUT,
	OPT_COUNT,
};

static const struct option_spec specs[] = {
	[OPT_CONTEXT] = {'c', "context", "FILE", "take the input from a JSON file ('-': stdin)"},
	[OPT_SET] = {'s', "set", "KEY=VALUE", "set a key of the input; may be repeated"},
	[OPT_DRY_RUN] = {'n', "dry-run", NULL, "run the steps, but write nothing"},
	[OPT_ALSO] = {0, "also", "SLUG|DIR", "with --repeat: take turns with this command"},
	[OPT_PACKS] = {'p', "packs", "DIR", "folder of packs; may be repeated (default: packs)"},
	[OPT_DB] = {0, "db", "FILE", "the database, or :memory: (default: steprun.db)"},
	[OPT_REPEAT] = {'r', "repeat", "N", "run N times; 0: until Ctrl-C (default: 1)"},
	[OPT_RATE] = {0, "rate", "N/s", "start N commands per second"},
	[OPT_QUIET] = {'q', "quiet", NULL, "print no results"},
	[OPT_TIMING] = {0, "timing", NULL, "print the duration of each step to stderr"},
	[OPT_IDS] = {0, "ids", NULL, "print the execution id in each result"},
	[OPT_USER] = {0, "user", "NAME", "user id in events (default: local-default)"},
	[OPT_SOURCE] = {0, "source", "WORD", "source of the request in events (default: cli)"},
	[OPT_CORRELATION] = {0, "correlation-id", "ID", "correlation id in events"},
	[OPT_NOW] = {0, "now", "TIME", "use this time, such as 2025-03-01T08:30:00Z"},
	[OPT_SEED] = {0, "seed", "N", "create the same ids in every run with this N"},
	[OPT_AI_URL] = {0, "ai-url", "URL", "address of the model (or STEPRUN_AI_URL)"},
	[OPT_AI_MODEL] = {0, "ai-model", "NAME", "name of the model (or STEPRUN_AI_MODEL)"},
	[OPT_WITHOUT] = {0, "without", "CAPABILITY", "disable a capability; may be repeated"},
	[OPT_TIMEOUT] = {0, "timeout", "TIME", "cancel an execution after TIME, such as 30s"},
	[OPT_TOOLS] = {0, "tools", "FILE", "the tools that packs may call (default: none)"},
};

_Static_assert(sizeof(specs) / sizeof(specs[0]) == OPT_COUNT, "an option has no row in specs");

static void print_help(void)
{
	printf("usage: steprun exec SLUG|DIR [TEXT] [OPTIONS]\n\n"
	       "Runs a command pack and prints the result of each execution as one line of JSON.\n"
	       "TEXT becomes the key 'body' of the input. The environment variable\n"
	       "STEPRUN_AI_KEY holds the key of the model's server.\n\n");
	options__print(stdout, specs, OPT_COUNT);
	printf("\nexit status: 0 done, 1 an execution failed, 2 wrong usage\n");
}

static int add(struct exec_list *list, const char *item, const char *what, struct error *err)
{
	if (list->count == EXEC_LIST_MAX)
		return error__set(err, -EINVAL, "--%s is given more than %d times", what,
				  EXEC_LIST_MAX);
	list->items[list->count++] = item;
	return 0;
}

static int number(const char *text, uint64_t min, uint64_t max, const char *what, uint64_t *value,
		  struct error *err)
{
	if (parse__u64(text, min, max, value) == 0)
		return 0;
	return error__set(err, -EINVAL, "--%s takes a number from %llu to %llu, not '%s'", what,
			  (unsigned long long)min, (unsigned long long)max, text);
}

/* Parses "200/s" or "200". */
static int rate(const char *text, uint64_t *per_second, struct error *err)
{
	size_t length = strlen(text);
	char digits[16];

	if (length > 2 && strcmp(text + length - 2, "/s") == 0)
		length -= 2;
	snprintf(digits, sizeof(digits), "%.*s", (int)length, text);
	return number(digits, 1, 1000000, "rate", per_second, err);
}

static int timeout(const char *text, uint64_t *ns, struct error *err)
{
	if (parse__duration_ns(text, ns) == 0 && *ns > 0)
		return 0;
	return error__set(err, -EINVAL, "--timeout takes a time, such as 500ms or 30s, not '%s'",
			  text);
}

/* Checks and adds KEY=VALUE. */
static int pair(struct exec_options *options, const char *value, struct error *err)
{
	if (value[0] == '=' || !strchr(value, '='))
		return error__set(err, -EINVAL, "--set takes KEY=VALUE, not '%s'", value);
	return add(&options->pairs, value, "set", err);
}

static int take_number(struct exec_options *options, int which, const char *value,
		       struct error *err)
{
	uint64_t seed;
	int code;

	switch (which) {
	case OPT_REPEAT: return number(value, 0, UINT64_MAX, "repeat", &options->repeat, err);
	case OPT_RATE: return rate(value, &options->rate, err);
	default:
		code = number(value, 0, UINT64_MAX, "seed", &seed, err);
		if (!code)
			id_source__seed(&options->ids, seed);
		return code;
	}
}

static int take_flag(struct exec_options *options, int which)
{
	switch (which) {
	case OPT_DRY_RUN: options->dry_run = true; break;
	case OPT_QUIET: options->quiet = true; break;
	case OPT_TIMING: options->timing = true; break;
	case OPT_IDS: options->with_id = true; break;
	default: break;
	}
	return 0;
}

static int take(struct exec_options *options, int which, const char *value, struct error *err)
{
	switch (which) {
	case OPT_SET: return pair(options, value, err);
	case OPT_ALSO: return add(&options->commands, value, "also", err);
	case OPT_PACKS: return add(&options->packs, value, "packs", err);
	case OPT_WITHOUT: return add(&options->switched_off, value, "without", err);
	case OPT_REPEAT:
	case OPT_RATE:
	case OPT_SEED: return take_number(options, which, value, err);
	case OPT_CONTEXT: options->context_path = value; break;
	case OPT_DB: options->database = value; break;
	case OPT_USER: options->user = value; break;
	case OPT_SOURCE: options->source = value; break;
	case OPT_CORRELATION: options->correlation_id = value; break;
	case OPT_NOW: return id_source__fix_now(&options->ids, value, err);
	case OPT_TIMEOUT: return timeout(value, &options->timeout_ns, err);
	case OPT_TOOLS: options->tools_path = value; break;
	case OPT_AI_URL: options->ai_url = value; break;
	case OPT_AI_MODEL: options->ai_model = value; break;
	default: return take_flag(options, which);
	}
	return 0;
}

static int take_operands(struct exec_options *options, char **operands, int count,
			 struct error *err)
{
	if (count < 1)
		return error__set(err, -EINVAL,
				  "no command given (see: steprun list, steprun exec --help)");
	if (count > 2)
		return error__set(err, -EINVAL,
				  "unexpected '%s': put quotes around a TEXT of several words",
				  operands[2]);
	options->commands.items[0] = operands[0];
	options->text = count > 1 ? operands[1] : NULL;
	return 0;
}

static void set_defaults(struct exec_options *options)
{
	*options = (struct exec_options){
		.commands.count = 1, /* place 0 is for the operand, which is known last */
		.database = "steprun.db",
		.user = "local-default",
		.source = "cli",
		.repeat = 1,
		.ai_url = getenv("STEPRUN_AI_URL"),
		.ai_model = getenv("STEPRUN_AI_MODEL"),
		.ai_key = getenv("STEPRUN_AI_KEY"),
	};
}

int exec_options__parse(struct exec_options *options, int argc, char **argv, struct error *err)
{
	struct options_parser parser = {
		.specs = specs, .count = OPT_COUNT, .argc = argc, .argv = argv};
	const char *value;
	int which, code = 0;

	set_defaults(options);
	while (!code && (which = options__next(&parser, &value)) >= 0)
		code = take(options, which, value, err);
	if (code)
		return code;
	if (which == OPTION_HELP) {
		print_help();
		return 1;
	}
	if (which == OPTION_BAD)
		return error__set(err, -EINVAL, "%s", parser.error.text);
	if (!options->packs.count)
		options->packs.items[options->packs.count++] = COMMANDS_DEFAULT_PACKS;
	return take_operands(options, argv + parser.operands, argc - parser.operands, err);
}
