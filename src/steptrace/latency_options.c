// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/latency_options.h"

#include <errno.h>

#include "common/option_groups.h"
#include "common/terminal.h"
#include "steptrace/output_options.h"
#include "steptrace/record/text_width.h"
#include "steptrace/watch/watch_options.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int set_by(void *context, const char *value, struct error *err)
{
	struct latency_request *request = context;

	return row_keys__parse(value, &request->latency.keys, err);
}

static const struct option_row table_rows[] = {
	{{0, "by", "KEY[,KEY...]",
	  "print a row for each combination of these keys (default:\n"
	  "command,step): command (slug), step (type), name (of the\n"
	  "step), outcome, user, source (of the request), uid, exe\n"
	  "(program) and pid; with step or name, rows show the\n"
	  "durations of steps, otherwise those of commands"},
	 .set = set_by},
	{{0, "limit", "N",
	  "print at most N rows; further combinations are added to the\n"
	  "row (other) (1 to 1000000; default: 1000)"},
	 OPTION_STORES(NUMBER, struct latency_request, latency.rows_limit),
	 .min = 1,
	 .max = 1000000,
	 .range = "a number from 1 to 1000000",
	 .example = "100"},
	{{0, "interval", "TIME",
	  "print a table every TIME (100ms or more); each table shows\n"
	  "what ended since the previous one (default: one table, at\n"
	  "the end)"},
	 OPTION_STORES(TIME, struct latency_request, latency.interval_ns),
	 .min = 100000000,
	 .max = UINT64_MAX,
	 .range = "a time of 100ms or more",
	 .example = "5s"},
	{{0, "histogram", NULL, "draw a histogram below each row"},
	 OPTION_STORES(FLAG, struct latency_request, latency.has_histograms)},
	{{0, "open", NULL,
	  "in the percentiles, MAX, SUM and histograms, also count what\n"
	  "is still open, with the time for which it has been open"},
	 OPTION_STORES(FLAG, struct latency_request, latency.counts_open)},
	{{0, "breakdown", NULL,
	  "also show the shares of the time on a CPU, waiting for a CPU\n"
	  "and blocked, and the cause of most of the blocked time; each\n"
	  "context switch of the machine then takes longer"},
	 OPTION_STORES(FLAG, struct latency_request, session.watch.breakdown)},
	{{0, "json", NULL,
	  "write one JSON object for each row, with its histogram\n"
	  "(steptrace schema latency.row describes the object)"},
	 OPTION_STORES(FLAG, struct latency_request, latency.is_json)},
	{{0, "duration", "TIME",
	  "stop after TIME, such as 500ms, 10s or 5m (default: no\n"
	  "limit)"},
	 OPTION_STORES(TIME, struct latency_request, session.duration_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "10s"},
};

/* ---- all groups, in the order of the help */

enum { GROUPS_COUNT = WATCH_OPTION_GROUPS + 2 };

static void collect_groups(struct latency_request *request, struct output_request *outputs,
			   struct option_group groups[GROUPS_COUNT])
{
	struct option_group watch[WATCH_OPTION_GROUPS];

	watch_options__groups(request ? &request->session.watch : NULL, watch);
	groups[0] = watch[0];
	groups[1] = watch[1];
	groups[2] = (struct option_group){"the table", table_rows, COUNT(table_rows), request};
	groups[3] = output_options__group(outputs);
	groups[4] = watch[2];
}

void latency_options__print(FILE *out)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, NULL, groups);
	option_groups__print(out, groups, GROUPS_COUNT);
}

/* ---- after parsing */

static int check(const struct latency_request *request, struct error *err)
{
	if (request->latency.counts_open && request->session.watch.filters.only_failed)
		return error__set(err, -EINVAL,
				  "--open and --failed exclude each other: what is open has not "
				  "failed");
	if (request->latency.has_histograms && request->latency.is_json)
		return error__set(err, -EINVAL,
				  "--histogram draws for people: with --json every row has its "
				  "histogram anyway");
	return 0;
}

static void choose_format(struct latency_request *request)
{
	struct session_options *session = &request->session;

	session->format = request->latency.is_json ? FORMAT_JSON : FORMAT_REPORT;
	session->text.columns = text_width__columns(session->outputs, session->outputs_count);
	session->text.has_colours = session->text.columns && terminal__wants_colours();
}

int latency_options__parse(struct latency_request *request, int argc, char **argv,
			   struct error *err)
{
	struct output_request outputs = OUTPUT_REQUEST_DEFAULT;
	struct option_group groups[GROUPS_COUNT];
	struct session_options *session = &request->session;
	struct options_parser parser;
	int result;

	*request = (struct latency_request){
		.session = {.watch = WATCH_OPTIONS_DEFAULT, .flush_ns = 50000000},
		.latency = {.rows_limit = 1000},
	};
	row_keys__parse("command,step", &request->latency.keys, err);
	collect_groups(request, &outputs, groups);
	result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (result != OPTION_END)
		return result;
	if (watch_options__finish(&session->watch, &parser, err) ||
	    output_options__finish(&outputs, session->outputs, &session->outputs_count, err) ||
	    check(request, err))
		return OPTION_BAD;
	choose_format(request);
	request->latency.has_breakdown = session->watch.breakdown;
	request->latency.shows_open = !session->watch.filters.only_failed;
	return OPTION_END;
}
