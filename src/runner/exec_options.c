// SPDX-License-Identifier: BSD-2-Clause
#include "runner/exec_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/option_groups.h"
#include "common/parse.h"

/* ---- values */

static int add_pair(void *context, const char *value, struct error *err)
{
	if (value[0] == '=' || !strchr(value, '='))
		return error__set(err, -EINVAL, "--set takes KEY=VALUE, not '%s'", value);
	return option_list__add(&((struct exec_options *)context)->pairs, value, "set", err);
}

static int add_command(void *context, const char *value, struct error *err)
{
	return option_list__add(&((struct exec_options *)context)->commands, value, "also", err);
}

/* "200/s" or "200". */
static int set_rate(void *context, const char *value, struct error *err)
{
	size_t length = strlen(value);
	char digits[16];

	if (length > 2 && strcmp(value + length - 2, "/s") == 0)
		length -= 2;
	snprintf(digits, sizeof(digits), "%.*s", (int)length, value);
	if (length < sizeof(digits) &&
	    parse__u64(digits, 1, 1000000, &((struct exec_options *)context)->rate) == 0)
		return 0;
	return error__set(err, -EINVAL,
			  "--rate cannot be '%s': give a number from 1 to 1000000 (for example: "
			  "--rate 200/s)",
			  value);
}

/* ---- the rows */

static const struct option_row input_rows[] = {
	{{'c', "context", "FILE", "take the input from a JSON file ('-': stdin)"},
	 OPTION_STORES(TEXT, struct exec_options, context_path)},
	{{'s', "set", "KEY=VALUE", "set a key of the input; may be repeated"}, .set = add_pair},
	{{'n', "dry-run", NULL, "run the steps, but write nothing"},
	 OPTION_STORES(FLAG, struct exec_options, dry_run)},
	{{0, "also", "SLUG|DIR", "with --repeat: take turns with this command"},
	 .set = add_command},
	{{'r', "repeat", "N", "run N times; 0: until Ctrl-C (default: 1)"},
	 OPTION_STORES(NUMBER, struct exec_options, repeat),
	 .max = UINT64_MAX,
	 .range = "a number",
	 .example = "100"},
	{{0, "rate", "N/s", "start N commands per second"}, .set = set_rate},
};

static const struct option_row result_rows[] = {
	{{'q', "quiet", NULL, "print no results"}, OPTION_STORES(FLAG, struct exec_options, quiet)},
	{{0, "timing", NULL, "print the duration of each step to stderr"},
	 OPTION_STORES(FLAG, struct exec_options, timing)},
	{{0, "ids", NULL, "print the execution id in each result"},
	 OPTION_STORES(FLAG, struct exec_options, with_id)},
};

static const struct option_row event_rows[] = {
	{{0, "user", "NAME", "user id in events (default: local-default)"},
	 OPTION_STORES(TEXT, struct exec_options, user)},
	{{0, "source", "WORD", "source of the request in events (default: cli)"},
	 OPTION_STORES(TEXT, struct exec_options, source)},
	{{0, "correlation-id", "ID", "correlation id in events"},
	 OPTION_STORES(TEXT, struct exec_options, correlation_id)},
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

enum { GROUPS_COUNT = 4 };

static void collect_groups(struct exec_options *options, struct option_group groups[GROUPS_COUNT])
{
	groups[0] = (struct option_group){"input", input_rows, COUNT(input_rows), options};
	groups[1] = (struct option_group){"the runner", runner_option_rows, RUNNER_OPTION_ROWS,
					  options ? &options->runner : NULL};
	groups[2] = (struct option_group){"results", result_rows, COUNT(result_rows), options};
	groups[3] = (struct option_group){"in events", event_rows, COUNT(event_rows), options};
}

static void print_help(void)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	printf("usage: steprun exec SLUG|DIR [TEXT] [OPTIONS]\n\n"
	       "Runs a command pack and prints the result of each execution as one line of JSON.\n"
	       "TEXT becomes the key 'body' of the input. --db :memory: is a database that ends\n"
	       "with the program. The environment variable STEPRUN_AI_KEY holds the key of the\n"
	       "model's server.\n");
	option_groups__print(stdout, groups, GROUPS_COUNT);
	printf("\nexit status: 0 done, 1 an execution failed, 2 wrong usage\n");
}

/* ---- parsing */

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
		.user = "local-default",
		.source = "cli",
		.repeat = 1,
	};
	runner_options__set_defaults(&options->runner);
}

int exec_options__parse(struct exec_options *options, int argc, char **argv, struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	int which, code;

	set_defaults(options);
	collect_groups(options, groups);
	which = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (which == OPTION_HELP) {
		print_help();
		return 1;
	}
	if (which == OPTION_BAD)
		return -EINVAL;
	code = runner_options__finish(&options->runner, err);
	if (code)
		return -EINVAL;
	return take_operands(options, argv + parser.operands, argc - parser.operands, err);
}
