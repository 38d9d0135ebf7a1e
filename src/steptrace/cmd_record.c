// SPDX-License-Identifier: BSD-2-Clause
/* steptrace record: the help and the exit status. record_options.c parses the command line, the
 * room record/ does the work. */
#include <stdio.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"
#include "steptrace/record/recording.h"
#include "steptrace/record_options.h"

static void print_help(void)
{
	printf("usage: steptrace record [-a] [OPTIONS]\n"
	       "       steptrace record -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace record -x PATH [OPTIONS]\n"
	       "       steptrace record [OPTIONS] -- COMMAND [ARGS...]\n\n"
	       "Attaches to runners (running programs that contain steptrace probes) and writes\n"
	       "their events, one per line. The runners are not restarted. With -- COMMAND, starts\n"
	       "this program and traces it and its children.\n\n"
	       "The recording ends on Ctrl-C, after --count or --duration, or when COMMAND or the\n"
	       "processes of -p have ended. It needs root or a few capabilities (steptrace doctor\n"
	       "tells which).\n");
	record_options__print(stdout);
	printf("\nTIME is a number with ns, us, ms, s, m, h or d; without a unit it is seconds.\n"
	       "SIZE is a number of bytes, or a number with K, M or G (powers of 1024).\n"
	       "GLOB is a pattern with *, ? and [a-z]; a comma separates several patterns.\n\n"
	       "Exit status: 0 done, 1 failed, 2 wrong usage. With -- COMMAND: the exit status of\n"
	       "the command.\n\n"
	       "examples:\n"
	       "  sudo steptrace record -p 4711 --format compact\n"
	       "  sudo steptrace record --failed -o failed.ndjson.gz --rotate-age 24h --keep 7\n"
	       "  sudo steptrace record -o events.ndjson -o tcp:collector:5170\n"
	       "  sudo steptrace record --duration 10s -- steprun exec todo 'buy milk'\n\n"
	       "man steptrace describes every option at length.\n");
}

int cmd_record(int argc, char **argv)
{
	struct session_options options;
	struct error err = {""};
	int status;

	switch (record_options__parse(&options, argc, argv, &err)) {
	case OPTION_HELP: print_help(); return STATUS_DONE;
	case OPTION_BAD: log__error("%s", err.text); return STATUS_USAGE;
	default: break;
	}
	status = recording__run(&options, &err);
	if (err.text[0])
		log__error("%s", err.text);
	return status;
}
