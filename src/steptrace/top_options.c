// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/top_options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/option_groups.h"
#include "common/terminal.h"
#include "steptrace/screen/screen.h"
#include "steptrace/stream/text_line.h"
#include "steptrace/watch/watch_options.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int set_sort(void *context, const char *value, struct error *err)
{
	struct top_request *request = context;

	return top_column__parse(value, &request->top.sort, err);
}

static const struct option_row screen_rows[] = {
	{{0, "interval", "TIME", "draw the screen every TIME (100ms or more; default: 1s)"},
	 OPTION_STORES(TIME, struct top_request, interval_ns),
	 .min = 100000000,
	 .max = UINT64_MAX,
	 .range = "a time of 100ms or more",
	 .example = "2s"},
	{{0, "sort", "COLUMN",
	  "sort by this column: command, rate, count, p50, p99\n"
	  "(default), max, failed, open or oldest, with --breakdown\n"
	  "also cpu or waits; the largest value comes first"},
	 .set = set_sort},
	{{0, "breakdown", NULL,
	  "also show the share of the time on a CPU, and what blocked\n"
	  "for the longest time; each context switch of the machine\n"
	  "then takes longer"},
	 OPTION_STORES(FLAG, struct top_request, session.watch.breakdown)},
	{{0, "limit", "N",
	  "keep at most N rows of commands, and N rows of steps for\n"
	  "all commands together; further commands and steps are added\n"
	  "to a row (other) (1 to 100000; default: 1000)"},
	 OPTION_STORES(NUMBER, struct top_request, top.rows_limit),
	 .min = 1,
	 .max = 100000,
	 .range = "a number from 1 to 100000",
	 .example = "5000"},
	{{0, "once", NULL,
	  "print the table once, as text without colours, at the end\n"
	  "of --duration; -- PROGRAM works only with --once"},
	 OPTION_STORES(FLAG, struct top_request, top.is_once)},
	{{0, "duration", "TIME",
	  "stop after TIME, such as 500ms, 10s or 5m (default: no\n"
	  "limit; with --once: one --interval, or until PROGRAM ends)"},
	 OPTION_STORES(TIME, struct top_request, session.duration_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "10s"},
};

/* ---- all groups, in the order of the help */

enum { GROUPS_COUNT = WATCH_OPTION_GROUPS + 1 };

static void collect_groups(struct top_request *request, struct option_group groups[GROUPS_COUNT])
{
	struct option_group watch[WATCH_OPTION_GROUPS];

	watch_options__groups(request ? &request->session.watch : NULL, watch);
	groups[0] = watch[0];
	groups[1] = watch[1];
	groups[2] = (struct option_group){"the screen", screen_rows, COUNT(screen_rows), request};
	groups[3] = watch[2];
}

void top_options__print(FILE *out)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	option_groups__print(out, groups, GROUPS_COUNT);
}

/* ---- after parsing */

static void __attribute__((format(printf, 2, 3)))
say(struct top_request *request, const char *format, ...)
{
	size_t used = strlen(request->target);
	va_list args;

	va_start(args, format);
	vsnprintf(request->target + used, sizeof(request->target) - used, format, args);
	va_end(args);
}

/* "process 4711", "processes 4711, 4712", "/usr/bin/runner", "all runners" */
static void describe_target(struct top_request *request)
{
	const struct targets *targets = &request->session.watch.targets;

	if (targets->pids_count)
		say(request, "process%s ", targets->pids_count > 1 ? "es" : "");
	for (size_t i = 0; i < targets->pids_count; i++)
		say(request, "%s%d", i ? ", " : "", targets->pids[i]);
	for (size_t i = 0; i < targets->exes_count; i++)
		say(request, "%s%s", i ? ", " : "", targets->exes[i]);
	if (targets->command && !targets->exes_count)
		say(request, "%s", targets->command[0]);
	if (targets->all)
		say(request, "all runners");
	request->top.target = request->target;
}

/* A command would write to the terminal, and read from it. */
static int check(const struct top_request *request, struct error *err)
{
	if (request->top.sort >= TOP_COLUMNS_USUAL && !request->session.watch.breakdown)
		return error__set(err, -EINVAL, "--sort %s needs --breakdown",
				  top_columns[request->top.sort].option);
	if (request->top.is_once)
		return 0;
	if (request->session.watch.targets.command)
		return error__set(err, -EINVAL,
				  "steptrace top needs the terminal for itself: start the program "
				  "in another terminal and give -p PID or -x PATH (or use --once)");
	return screen__check(err);
}

/* Standard output, for --once. */
static void choose_output(struct top_request *request)
{
	struct session_options *session = &request->session;

	session->format = FORMAT_REPORT;
	if (!request->top.is_once)
		return;
	session->outputs[0] = (struct output_options){.sink.where = NULL};
	session->outputs_count = 1;
	session->text.columns = terminal__columns(STDOUT_FILENO, TEXT_COLUMNS);
	if (!session->duration_ns && !session->watch.targets.command)
		session->duration_ns = request->interval_ns;
}

int top_options__parse(struct top_request *request, int argc, char **argv, struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct session_options *session = &request->session;
	struct options_parser parser;
	int result;

	*request = (struct top_request){
		.session = {.watch = WATCH_OPTIONS_DEFAULT, .flush_ns = 50000000},
		.top = {.rows_limit = 1000, .sort = COLUMN_P99},
		.interval_ns = 1000000000,
	};
	collect_groups(request, groups);
	result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (result != OPTION_END)
		return result;
	if (watch_options__finish(&session->watch, &parser, err) || check(request, err))
		return OPTION_BAD;
	request->top.has_breakdown = session->watch.breakdown;
	describe_target(request);
	choose_output(request);
	return OPTION_END;
}
