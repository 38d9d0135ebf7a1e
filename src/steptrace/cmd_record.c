// SPDX-License-Identifier: BSD-2-Clause
/* steptrace record: the help and the exit status. record_options.c parses the command line, the
 * room record/ does the work. */
#include <stdio.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/record/recording.h"
#include "steptrace/record_options.h"

static void print_help(void)
{
	printf("usage: steptrace record [-a] [OPTIONS]\n"
	       "       steptrace record -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace record -x PATH [OPTIONS]\n"
	       "       steptrace record [-x PATH] [OPTIONS] -- COMMAND [ARGS...]\n\n"
	       "Attaches to runners (running programs that contain steptrace probes) and writes\n"
	       "their events, one per line: as text on a terminal, otherwise as JSON. Runners\n"
	       "are not restarted.\n\n"
	       "A runner executes commands. A command is a pipeline of steps. A command or a\n"
	       "step can call tools. A step can change fragments (items that the runner stores).\n"
	       "A probe marks where a command or step begins or ends. An execution is one run of\n"
	       "a command. A command or step is aborted when its process ends, or calls\n"
	       "execve(2), before the command or step ends.\n\n"
	       "With -- COMMAND, steptrace starts the program COMMAND and traces this program\n"
	       "and its children. Under sudo, COMMAND runs as root. When nothing that COMMAND\n"
	       "ran has probes, the exit status is not 0.\n\n"
	       "The recording ends on Ctrl-C, and when the limit of --count or --duration is\n"
	       "reached. With -- COMMAND, Ctrl-C does not end the recording directly: the\n"
	       "terminal sends Ctrl-C to COMMAND, too, and the recording ends when COMMAND ends,\n"
	       "even if children of COMMAND are still running. With -p, the recording also ends\n"
	       "when the given processes and all their descendants have ended.\n\n"
	       "Recording needs root or a few capabilities; steptrace doctor shows which.\n");
	record_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. Without a unit, it is\n"
	       "a number of seconds.\n"
	       "SIZE is a number of bytes, or a number with the unit K, M or G (powers of 1024).\n"
	       "GLOB is a pattern with *, ? and [a-z], or several patterns with commas between\n"
	       "them. A pattern that begins with ! excludes. The last pattern that matches the\n"
	       "text decides: '!health.*' is all but health.*; 'db.*,!db.x' is db.*, but not\n"
	       "db.x.\n\n"
	       "Exit status: 0 no error, 1 the recording failed, 2 wrong usage. With -- COMMAND:\n"
	       "the exit status of COMMAND, or 1 if the recording failed or nothing had probes.\n\n"
	       "examples:\n"
	       "  sudo steptrace record -p 4711\n"
	       "  sudo steptrace record --failed -o failed.ndjson.gz --rotate-age 24h --keep 7\n"
	       "  sudo steptrace record -o events.ndjson -o tcp:collector:5170\n"
	       "  sudo steptrace record --duration 10s -- steprun exec triage 'buy milk'\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

/* --cgroup looks at the path. */
static int parse(struct session_options *options, int argc, char **argv, struct error *err)
{
	struct caller_rights saved;
	int result;

	if (caller_rights__use(&saved, err))
		return OPTION_BAD;
	result = record_options__parse(options, argc, argv, err);
	caller_rights__end(&saved);
	return result;
}

int cmd_record(int argc, char **argv)
{
	struct session_options options;
	struct error err = {""};
	int status;

	switch (parse(&options, argc, argv, &err)) {
	case OPTION_HELP: print_help(); return STATUS_DONE;
	case OPTION_BAD: log__error("%s", err.text); return STATUS_USAGE;
	default: break;
	}
	status = recording__run(&options, &err);
	if (err.text[0])
		log__error("%s", err.text);
	return status;
}
