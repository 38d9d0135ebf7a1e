// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "steptrace/build_details.h"
#include "steptrace/commands.h"
#include "steptrace/version.h"

struct command {
	const char *name;
	const char *help;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{"record", "attach to runners and write their events, live", cmd_record},
	{"latency", "show how long commands and steps take, as a table", cmd_latency},
	{"top", "show how long commands and steps take, live, on a screen", cmd_top},
	{"inflight", "show what is executing now, for how long, and what it waits for",
	 cmd_inflight},
	{"profile", "show where in the code the time of commands and steps goes", cmd_profile},
	{"report", "show what a recording contains: durations, failures, losses", cmd_report},
	{"trace", "show one execution or correlation of a recording as a timeline", cmd_trace},
	{"export", "convert a recording for trace viewers and spreadsheets", cmd_export},
	{"list", "show which processes or binaries contain steptrace probes", cmd_list},
	{"doctor", "check kernel, privileges and targets; measure what a probe costs", cmd_doctor},
	{"schema", "print the JSON Schema of an event, or of all events", cmd_schema},
};

enum { COMMANDS_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_help(FILE *out)
{
	fprintf(out,
		"usage: steptrace COMMAND [OPTIONS]\n\n"
		"Shows what a running program does: which steps it executes, how long each step\n"
		"takes, and how it ends. The program must contain steptrace probes. steptrace\n"
		"does not restart the program.\n\n"
		"commands:\n");
	for (int i = 0; i < COMMANDS_COUNT; i++)
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	fprintf(out,
		"\n"
		"  steptrace COMMAND --help    show the options of a command\n"
		"  steptrace --version         show the version; with --verbose also what was\n"
		"                              built in\n\n"
		"examples:\n"
		"  sudo steptrace doctor\n"
		"  sudo steptrace list\n"
		"  sudo steptrace record -p 4711\n"
		"  sudo steptrace record -x /usr/bin/runner -o events.ndjson --duration 1m\n"
		"  sudo steptrace record -- steprun exec triage 'buy milk'\n");
}

/* `option` is NULL or --verbose. */
static int print_version(const char *option)
{
	if (option && strcmp(option, "--verbose") != 0) {
		log__error("unexpected argument '%s' (see: steptrace --help)", option);
		return STATUS_USAGE;
	}
	printf("steptrace %s\n%s", STEPTRACE_VERSION, option ? build_details : "");
	return STATUS_DONE;
}

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return STATUS_DONE;
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
		return print_version(argv[2]);
	for (int i = 0; i < COMMANDS_COUNT; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	log__error("there is no command '%s' (see: steptrace --help)", argv[1]);
	return STATUS_USAGE;
}

/* Output that could not be written is a failure, too. */
int main(int argc, char **argv)
{
	int status;

	log__init("steptrace");
	status = dispatch(argc, argv);
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	log__error("cannot write to standard output: %s", strerror(errno));
	return status ? status : STATUS_FAILED;
}
