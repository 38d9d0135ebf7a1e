// SPDX-License-Identifier: BSD-2-Clause
/* steptrace latency: the help and the exit status. latency_options.c parses the command line, the
 * room latency/ collects and reports, the room record/ runs it. */
#include <stdio.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/command_line.h"
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
	       "       steptrace latency [-x PATH] [OPTIONS] -- PROGRAM [ARGS...]\n\n"
	       "Attaches to runners and prints a table of how long their steps or commands take.\n"
	       "By default, there is one row for each combination of command and step type;\n"
	       "--by chooses other rows. steptrace prints the table at the end, or every\n"
	       "--interval. Ctrl-C ends steptrace latency.\n\n"
	       "The columns show\n"
	       "  COUNT, RATE/s  how many steps (or commands) ended, in total and per second\n"
	       "  FAILED         how many of them failed or were aborted\n"
	       "  P50 to P99.9   percentiles: half of the durations are at most P50 long\n"
	       "  MAX, SUM       the longest duration, and the sum of all durations\n"
	       "  SHARE          SUM as a percentage of the SUM of all rows together\n"
	       "  OPEN, OLDEST   how many steps (or commands) have not ended, and how long the\n"
	       "                 oldest of them has been open (> in front of a lower bound);\n"
	       "                 steptrace reads this from the memory of the runners\n"
	       "Percentiles differ from the exact percentiles by less than 0.8 %%. The other\n"
	       "columns are exact.\n\n"
	       "Targets and filters are those of steptrace record.\n");
	latency_options__print(stdout);
	printf("\nTIME is a number with the unit ns, us, ms, s, m, h or d. A number without a\n"
	       "unit is a number of seconds.\n\n"
	       "Exit status: 0 no error, 1 steptrace failed, 2 wrong usage. With -- PROGRAM: the\n"
	       "exit status of PROGRAM. It is 1 instead in two cases: steptrace failed; or\n"
	       "PROGRAM exited with 0, but neither PROGRAM nor a program that it started has\n"
	       "probes.\n\n"
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

static const struct open_items_reader open_reader = {
	.subject = "steptrace latency",
	.is_due = latency__is_due,
	.waits = true,
	.looks_at_end = true,
	.asked = latency__open_asked,
	.begin = latency__open_begin,
	.add = latency__open_add,
	.add_blind = latency__open_add_blind,
	.end = latency__open_end,
};

static int run(struct latency_request *request, struct error *err)
{
	struct programs *programs = programs__new();
	struct latency latency;
	const struct event_reader reader = {
		.on_event = latency__on_event,
		.on_time = latency__on_time,
		.on_stop = latency__on_stop,
		.context = &latency,
		.open = request->latency.shows_open ? &open_reader : NULL,
	};
	int status = STATUS_FAILED;

	request->latency.source = (struct row_key_source){programs__path, programs};
	request->latency.min_duration_ns = request->session.watch.filters.min_duration_ns;
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

	if (!command_line__is_work(parse(&request, argc, argv, &err), print_help, &err, &status))
		return status;
	return command_line__end(run(&request, &err), &err);
}
