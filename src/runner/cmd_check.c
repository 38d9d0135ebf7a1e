// SPDX-License-Identifier: BSD-2-Clause
/* steprun check: prints one line for each problem to stdout. */
#include <stdio.h>

#include "common/log.h"
#include "common/options.h"
#include "runner/check.h"
#include "runner/commands.h"

static const struct option_spec specs[] = {
	{'p', "packs", "DIR", "one more folder of packs; may be repeated"},
};

enum { OPT_PACKS };

static void print_help(void)
{
	printf("usage: steprun check [DIR...] [--packs DIR]...\n\n"
	       "Checks command packs and prints one line for each problem. DIR is a folder of\n"
	       "packs, or the folder of a single pack (default: packs).\n\n");
	options__print(stdout, specs, sizeof(specs) / sizeof(specs[0]));
	printf("\nexit status: 0 no problems, 1 problems or an error, 2 wrong usage\n");
}

static void print_problem(void *data, const char *sentence)
{
	(void)data;
	puts(sentence);
}

static int check(const struct pack_list *list)
{
	size_t count = check__packs(list, print_problem, NULL);

	log__info("%zu packs, %zu problems", list->count, count);
	return count || fflush(stdout) ? EXIT_FAILED : EXIT_DONE;
}

static int add_operands(struct pack_list *list, char **operands, int count, struct error *err)
{
	int code = 0;

	for (int i = 0; !code && i < count; i++)
		code = pack_list__add(list, operands[i], err);
	if (!code && !list->count && !count)
		code = pack_list__add(list, COMMANDS_DEFAULT_PACKS, err);
	return code;
}

static int run(struct pack_list *list, struct options_parser *parser)
{
	struct error err = {0};
	const char *value;
	int which, code = 0;

	while (!code && (which = options__next(parser, &value)) == OPT_PACKS)
		code = pack_list__add(list, value, &err);
	if (!code && which == OPTION_HELP) {
		print_help();
		return EXIT_DONE;
	}
	if (!code && which == OPTION_BAD) {
		log__error("%s", parser->error.text);
		return EXIT_USAGE;
	}
	if (!code)
		code = add_operands(list, parser->argv + parser->operands,
				    parser->argc - parser->operands, &err);
	if (code) {
		log__error("%s", err.text);
		return EXIT_FAILED;
	}
	return check(list);
}

int cmd_check(int argc, char **argv)
{
	struct options_parser parser = {.specs = specs,
					.count = sizeof(specs) / sizeof(specs[0]),
					.argc = argc,
					.argv = argv};
	struct pack_list list = {0};
	int status = run(&list, &parser);

	pack_list__free(&list);
	return status;
}
