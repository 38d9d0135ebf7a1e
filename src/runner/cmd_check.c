// SPDX-License-Identifier: BSD-2-Clause
/*
 * steprun check: prints one line for each problem to stdout. With --json, the line is an object:
 *
 *	{"file":"packs/notes/command.yaml","line":12,"column":11,"pack":"notes",
 *	 "rule":"unknown-type","message":"unknown step type 'fragment.make' in step 'save'"}
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/log.h"
#include "common/options.h"
#include "runner/check/check.h"
#include "runner/commands.h"

static const struct option_spec specs[] = {
	{'p', "packs", "DIR", "one more folder of packs; may be repeated"},
	{0, "json", NULL, "print each problem as a JSON object"},
};

enum { OPT_PACKS, OPT_JSON };

struct checking {
	struct pack_list list;
	bool as_json;
	struct error err;
};

static void print_help(void)
{
	printf("usage: steprun check [DIR...] [--packs DIR]... [--json]\n\n"
	       "Checks command packs and prints one line for each problem. DIR is a folder of\n"
	       "packs, or the folder of a single pack (default: packs).\n\n");
	options__print(stdout, specs, sizeof(specs) / sizeof(specs[0]));
	printf("\nexit status: 0 no problems, 1 problems or an error, 2 wrong usage\n");
}

/* ------------------------------------------------------------------ problems */

static bool add_number(cJSON *object, const char *key, unsigned int number)
{
	return number ? cJSON_AddNumberToObject(object, key, number) != NULL
		      : cJSON_AddNullToObject(object, key) != NULL;
}

/* The caller frees the text; NULL: out of memory. */
static char *json_of(const struct pack_entry *entry, const struct pack_problem *problem)
{
	cJSON *object = cJSON_CreateObject();
	char *text = NULL;

	if (cJSON_AddStringToObject(object, "file", problem->file) &&
	    add_number(object, "line", problem->line) &&
	    add_number(object, "column", problem->column) &&
	    cJSON_AddStringToObject(object, "pack", entry->pack->slug) &&
	    cJSON_AddStringToObject(object, "rule", pack_rule__name(problem->rule)) &&
	    cJSON_AddStringToObject(object, "message", problem->sentence))
		text = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	return text;
}

static void print_problem(void *data, const struct pack_entry *entry,
			  const struct pack_problem *problem)
{
	struct checking *checking = data;
	struct error line;
	char *json;

	if (!checking->as_json) {
		pack_problem__tell(problem, &line);
		puts(line.text);
		return;
	}
	json = json_of(entry, problem);
	if (json)
		puts(json);
	else
		error__set(&checking->err, -ENOMEM, "out of memory");
	free(json);
}

static int check(struct checking *checking)
{
	size_t count;

	if (check__packs(&checking->list, print_problem, checking, &count))
		error__set(&checking->err, -ENOMEM, "out of memory");
	if (!checking->err.text[0] && (fflush(stdout) || ferror(stdout)))
		error__set(&checking->err, -EIO, "cannot write the problems");
	if (checking->err.text[0]) {
		log__error("%s", checking->err.text);
		return EXIT_FAILED;
	}
	log__info("%zu packs, %zu problems", checking->list.count, count);
	return count ? EXIT_FAILED : EXIT_DONE;
}

/* ------------------------------------------------------------------ the command line */

/* A folder in which nothing is checked is an error: its name is misspelt, or the packs moved. */
static int add(struct checking *checking, const char *directory)
{
	size_t found = 0;
	int err = pack_list__add(&checking->list, directory, &found, &checking->err);

	if (err || found)
		return err;
	return error__set(&checking->err, -ENOENT,
			  "there is no pack in '%s' (a pack is a folder with a command.yaml)",
			  directory);
}

static int add_operands(struct checking *checking, char **operands, int count)
{
	int err = 0;

	for (int i = 0; !err && i < count; i++)
		err = add(checking, operands[i]);
	if (!err && !checking->list.count)
		err = add(checking, COMMANDS_DEFAULT_PACKS);
	return err;
}

static int run(struct checking *checking, struct options_parser *parser)
{
	const char *value;
	int which, err = 0;

	while (!err && (which = options__next(parser, &value)) >= 0) {
		if (which == OPT_JSON)
			checking->as_json = true;
		else
			err = add(checking, value);
	}
	if (!err && which == OPTION_HELP) {
		print_help();
		return EXIT_DONE;
	}
	if (!err && which == OPTION_BAD) {
		log__error("%s", parser->error.text);
		return EXIT_USAGE;
	}
	if (!err)
		err = add_operands(checking, parser->argv + parser->operands,
				   parser->argc - parser->operands);
	if (err) {
		log__error("%s", checking->err.text);
		return EXIT_FAILED;
	}
	return check(checking);
}

int cmd_check(int argc, char **argv)
{
	struct options_parser parser = {.specs = specs,
					.count = sizeof(specs) / sizeof(specs[0]),
					.argc = argc,
					.argv = argv};
	struct checking checking = {.as_json = false};
	int status = run(&checking, &parser);

	pack_list__free(&checking.list);
	return status;
}
