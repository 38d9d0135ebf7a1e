// SPDX-License-Identifier: BSD-2-Clause
/* steptrace record: the help and the exit status. record_options.c parses the command line,
 * record_check.c does what --check says, and the room record/ does the work. */
#include <stdio.h>

#include "common/options.h"
#include "steptrace/command_line.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/record/recording.h"
#include "steptrace/record_check.h"
#include "steptrace/record_options.h"

static void print_help(void)
{
	printf("usage: steptrace record [-a] [OPTIONS]\n"
	       "       steptrace record -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace record -x PATH [OPTIONS]\n"
	       "       steptrace record [-x PATH] [OPTIONS] -- PROGRAM [ARGS...]\n\n"
	       "Attaches to runners (running programs that contain steptrace probes) and writes\n"
	       "their events, one per line: as text if every output is a terminal, otherwise as\n"
	       "JSON (see --format). Runners are not restarted.\n\n"
	       "  command    a pipeline of steps; a command or a step can call tools\n"
	       "  execution  one run of a command\n"
	       "  fragment   an item that the runner stores; a step can change it\n"
	       "  slug       the name of a command or tool\n"
	       "  aborted    the process ended, or called execve(2), in the middle of the\n"
	       "             command or step (if several processes execute the command: the\n"
	       "             last of them ended); or the runner itself reported this outcome\n\n"
	       "With -- PROGRAM, steptrace starts PROGRAM, and traces it and all its\n"
	       "descendants. Under sudo, PROGRAM runs as root.\n\n"
	       "The recording ends\n"
	       "  on Ctrl-C\n"
	       "  when the limit of --count or --duration is reached\n"
	       "  with -p: when the given processes and all their descendants have ended (with\n"
	       "  --no-children: the given processes)\n"
	       "  with -- PROGRAM: when PROGRAM ends. Ctrl-C goes to PROGRAM, and does not end\n"
	       "  the recording directly.\n\n"
	       "Recording needs root or a few capabilities. steptrace doctor shows which.\n");
	record_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. A number without a\n"
	       "unit is a number of seconds.\n"
	       "SIZE is a number of bytes, or a number with the unit K, M or G (powers of 1024).\n"
	       "GLOB is a pattern with *, ? and [a-z], or several patterns with commas between\n"
	       "them. A pattern that begins with ! excludes what it matches. If several patterns\n"
	       "match, the last of them applies: 'db.*,!db.x' selects db.*, but not db.x.\n"
	       "'!health.*' selects everything except health.*.\n\n"
	       "Exit status: 0 no error, 1 the recording failed, 2 wrong usage. With -- PROGRAM:\n"
	       "the exit status of PROGRAM. It is 1 instead in two cases: the recording failed;\n"
	       "or PROGRAM exited with 0, but neither PROGRAM nor a program that it started has\n"
	       "probes.\n\n"
	       "examples:\n"
	       "  sudo steptrace record -p 4711\n"
	       "  sudo steptrace record --failed -o failed.ndjson.gz --rotate-age 24h --keep 7\n"
	       "  sudo steptrace record -o events.ndjson -o tcp:collector:5170\n"
	       "  sudo steptrace record --duration 10s -- steprun exec triage 'buy milk'\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

/* --cgroup looks at the path, and --config reads the file. */
static int parse(struct record_request *request, int argc, char **argv, struct error *err)
{
	struct caller_rights saved;
	int result;

	*request = (struct record_request){.config = {.path = NULL}};
	if (caller_rights__use(&saved, err))
		return OPTION_BAD;
	result = record_options__parse(request, argc, argv, err);
	caller_rights__end(&saved);
	return result;
}

/* What --check reads is named by the caller, too. */
static int check(const struct record_request *request, struct error *err)
{
	struct caller_rights saved;
	int status;

	if (caller_rights__use(&saved, err))
		return STATUS_FAILED;
	status = record_check__run(request);
	caller_rights__end(&saved);
	return status;
}

int cmd_record(int argc, char **argv)
{
	struct record_request request;
	struct error err = {""};
	int status;

	if (command_line__is_work(parse(&request, argc, argv, &err), print_help, &err, &status))
		status = command_line__end(request.config.checks_only
						   ? check(&request, &err)
						   : recording__run(&request.session, &err),
					   &err);
	record_options__free(&request);
	return status;
}
