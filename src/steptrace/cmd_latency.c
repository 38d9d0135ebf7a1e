// SPDX-License-Identifier: BSD-2-Clause
/* steptrace latency: the help and the exit status. latency_options.c parses the command line, the
 * room latency/ collects and reports, the room record/ runs it. */
#include <stdio.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/latency_options.h"
#include "steptrace/record/programs.h"
#include "steptrace/record/recording.h"

static void print_help(void)
{
	printf("usage: steptrace latency [-a] [OPTIONS]\n"
	       "       steptrace latency -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace latency -x PATH [OPTIONS]\n"
	       "       steptrace latency [-x PATH] [OPTIONS] -- COMMAND [ARGS...]\n\n"
	       "Attaches to runners and prints how long their steps take, as a table with one\n"
	       "row for each combination of command and step type. With --by, the rows are other\n"
	       "ones, also those of whole commands. The table is printed at the end,\n"
	       "or every --interval. Ctrl-C ends it.\n\n"
	       "A row shows how many steps (or commands) ended (COUNT, RATE/s), how many of them\n"
	       "failed or were aborted (FAILED), percentiles (P50: half of them took at most\n"
	       "this long), the longest, the sum, and the share of the sum of all rows.\n"
	       "Percentiles differ from the exact ones by less than 0.8 %%; count, sum and\n"
	       "maximum are exact.\n\n"
	       "Targets and filters are those of steptrace record.\n");
	latency_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. Without a unit, it is\n"
	       "a number of seconds.\n\n"
	       "Exit status: 0 no error, 1 steptrace failed, 2 wrong usage. With -- COMMAND: the\n"
	       "exit status of COMMAND; 1 instead if steptrace failed, or if COMMAND exited with\n"
	       "0 and no program that it ran has probes.\n\n"
	       "examples:\n"
	       "  sudo steptrace latency --duration 10s\n"
	       "  sudo steptrace latency -p 4711 --by command,outcome --interval 5s\n"
	       "  sudo steptrace latency --command triage --by name --histogram\n\n"
	       "man 8 steptrace describes every option in detail.\n");
}

/* --cgroup looks at the path. */
static int parse(struct latency_request *request, int argc, char **argv, struct error *err)
{
	struct caller_rights saved;
	int result;

	if (caller_rights__use(&saved, err))
		return OPTION_BAD;
	result = latency_options__parse(request, argc, argv, err);
	caller_rights__end(&saved);
	return result;
}

static int run(struct latency_request *request, struct error *err)
{
	struct programs *programs = programs__new();
	struct latency latency;
	const struct event_reader reader = {
		.on_event = latency__on_event, .on_time = latency__on_time, .context = &latency};
	int status = STATUS_FAILED;

	request->latency.source = (struct row_key_source){programs__path, programs};
	request->session.reader = &reader;
	if (latency__open(&latency, &request->latency) || !programs)
		error__set(err, -1, "out of memory");
	else
		status = recording__run(&request->session, err);
	if (latency.reports_failed)
		log__error("there was no memory for a table");
	latency__close(&latency);
	programs__free(programs);
	return latency.reports_failed ? STATUS_FAILED : status;
}

int cmd_latency(int argc, char **argv)
{
	struct latency_request request;
	struct error err = {""};
	int status;

	switch (parse(&request, argc, argv, &err)) {
	case OPTION_HELP: print_help(); return STATUS_DONE;
	case OPTION_BAD: log__error("%s", err.text); return STATUS_USAGE;
	default: break;
	}
	status = run(&request, &err);
	if (err.text[0])
		log__error("%s", err.text);
	return status;
}
