// SPDX-License-Identifier: BSD-2-Clause
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "runner/commands.h"
#include "runner/value/value_memory.h"
#include "steptrace/version.h"

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{"exec", "SLUG|DIR [TEXT]", "run a command pack", cmd_exec},
	{"serve", "", "run commands that come by HTTP", cmd_serve},
	{"work", "", "run the jobs of the queue", cmd_work},
	{"schedule", "VERB ...", "run commands at planned times", cmd_schedule},
	{"check", "[DIR...]", "check command packs for problems", cmd_check},
	{"list", "", "list the command packs", cmd_list},
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static int print_help(FILE *out)
{
	fprintf(out, "usage: steprun COMMAND [OPTIONS]\n\n"
		     "Runs command packs. A pack is a folder with a YAML file, which describes a\n"
		     "command as a pipeline of steps. The slug is the name of the command.\n\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-8s %-16s  %s\n", commands[i].name, commands[i].arguments,
			commands[i].help);
	fprintf(out,
		"\n"
		"  steprun COMMAND --help     show the options of a command\n"
		"  steprun --version          show the version\n\n"
		"examples:\n"
		"  steprun list --packs tests/packs\n"
		"  steprun exec triage 'buy milk #home' --packs tests/packs --db notes.db\n\n"
		"man 1 steprun describes the options, man 5 steprun-pack the format of packs.\n");
	return out == stdout ? EXIT_DONE : EXIT_USAGE;
}

static int dispatch(int argc, char **argv)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	log__error("unknown command '%s' (see: steprun --help)", argv[1]);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	log__init("steprun");
	value_memory__use();
	signal(SIGCHLD, SIG_DFL); /* ignored, it would hide how a tool ended */
	signal(SIGPIPE, SIG_IGN); /* writing to a closed pipe returns EPIPE, which is reported */
	if (argc < 2)
		return print_help(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return print_help(stdout);
	if (!strcmp(argv[1], "--version")) {
		printf("steprun %s\n", STEPTRACE_VERSION);
		return EXIT_DONE;
	}
	return dispatch(argc, argv);
}
