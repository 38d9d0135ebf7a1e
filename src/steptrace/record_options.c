// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record_options.h"

#include <errno.h>
#include <string.h>

#include "common/option_groups.h"
#include "steptrace/output_options.h"
#include "steptrace/record/metrics.h"
#include "steptrace/record_format.h"
#include "steptrace/watch/watch_options.h"
#include "steptrace/whole_options.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* One of two words. */
static int set_word(const char *option, const char *value, const char *const words[2],
		    bool *is_second, struct error *err)
{
	*is_second = strcmp(value, words[1]) == 0;
	if (*is_second || strcmp(value, words[0]) == 0)
		return 0;
	return error__set(err, -EINVAL, "%s must be %s or %s, not '%s'", option, words[0], words[1],
			  value);
}

/* ---- lines; the context is a struct session_options, here and below */

static int set_format(void *context, const char *value, struct error *err)
{
	static const char *const words[] = {"json", "compact"};
	struct session_options *session = context;
	bool is_compact;
	int code = set_word("--format", value, words, &is_compact, err);

	session->format_is_given = true;
	session->format = is_compact ? FORMAT_COMPACT : FORMAT_JSON;
	return code;
}

static int set_fields(void *context, const char *value, struct error *err)
{
	struct session_options *session = context;

	session->fields.count = 0;
	session->seed_fields_only = strcmp(value, "seed") == 0;
	if (session->seed_fields_only || strcmp(value, "all") == 0)
		return 0;
	return fields__parse(&session->fields, value, err);
}

static int set_pseudonymize(void *context, const char *value, struct error *err)
{
	struct session_options *session = context;

	return pseudonym__parse(value, &session->pseudonyms_mask, err);
}

static int set_overdue(void *context, const char *value, struct error *err)
{
	struct session_options *session = context;

	return overdue_times__parse(&session->overdue, value, err);
}

static int add_label(void *context, const char *value, struct error *err)
{
	struct session_options *session = context;

	return labels__add(&session->labels, value, err);
}

static const struct option_row line_rows[] = {
	{{0, "format", "json|compact",
	  "json: one JSON object per line; compact: one line of\n"
	  "text for people per event (default: json; but compact if\n"
	  "--ids is given, or if every output is a terminal and no\n"
	  "option needs json)"},
	 .set = set_format},
	{{0, "ids", NULL,
	  "end each compact line with the complete ids of execution,\n"
	  "request and thread; such lines may be longer than the\n"
	  "terminal is wide"},
	 OPTION_STORES(FLAG, struct session_options, text.has_ids)},
	{{0, "fields", "seed|all|NAME[,NAME...]",
	  "which fields of the events to write: all (default), seed\n"
	  "(the basic fields, which man 8 steptrace lists), or the\n"
	  "fields with these names, such as step.name"},
	 .set = set_fields},
	{{0, "breakdown", NULL,
	  "measure how long each step and command was on a CPU,\n"
	  "waiting for a CPU, and blocked by a disk, a lock, the\n"
	  "network, a sleep, a pipe or something else (the field cpu);\n"
	  "each context switch of the machine then takes longer"},
	 OPTION_STORES(FLAG, struct session_options, watch.breakdown)},
	{{0, "overdue", "TIME[,TIME...]",
	  "write an event command.execution.overdue when a command,\n"
	  "or its innermost step, has been open for one of these\n"
	  "times; also for commands that began before the recording"},
	 .set = set_overdue},
	{{0, "safe-integers", NULL,
	  "write integers of 2^53 and more as strings, for readers\n"
	  "that would round such integers (JavaScript, jq 1.6)"},
	 OPTION_STORES(FLAG, struct session_options, safe_integers)},
	{{0, "label", "KEY=VALUE",
	  "write this label in the event trace.started; may be given\n"
	  "up to 32 times"},
	 .set = add_label},
	{{0, "labels-everywhere", NULL, "write the labels in every event"},
	 OPTION_STORES(FLAG, struct session_options, labels.is_everywhere)},
	{{0, "pseudonymize", "FIELD[,FIELD...]",
	  "replace the values of these fields by hashes that are\n"
	  "computed with a secret key; the fields are user_id,\n"
	  "correlation_id, command_slug, request_source, step_name,\n"
	  "tool_slug, comm and host"},
	 .set = set_pseudonymize},
	{{0, "pseudonym-key", "FILE",
	  "read the secret key for --pseudonymize from FILE, 16 to 4096\n"
	  "bytes (default: a new random key for each recording)"},
	 OPTION_STORES(TEXT, struct session_options, pseudonym_key_path)},
};

/* ---- when to stop */

static const struct option_row stop_rows[] = {
	{{0, "count", "N", "stop after N events (default: no limit)"},
	 OPTION_STORES(NUMBER, struct session_options, events_limit),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a number of 1 or more",
	 .example = "100"},
	{{0, "duration", "TIME",
	  "stop after TIME, such as 500ms, 10s or 5m (default: no\n"
	  "limit)"},
	 OPTION_STORES(TIME, struct session_options, duration_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "10s"},
};

/* ---- the tracer itself */

static int set_metrics_buckets(void *context, const char *value, struct error *err)
{
	struct session_options *session = context;

	return duration_bounds__parse(value, &session->metrics_bounds, err);
}

static const struct option_row tracer_rows[] = {
	{{0, "flush", "TIME",
	  "pass captured events to the outputs at least this often\n"
	  "(1ms to 1m; default: 50ms)"},
	 OPTION_STORES(TIME, struct session_options, flush_ns),
	 .min = 1000000,
	 .max = 60000000000ull,
	 .range = "a time from 1ms to 1m",
	 .example = "50ms"},
	{{0, "max-cpu", "PERCENT",
	  "limit the processor time of steptrace to PERCENT of one\n"
	  "processor (0.1 to 100; default: no limit); if the limit is\n"
	  "too low for all events, steptrace leaves out events: first\n"
	  "the steps of some executions, at last all events; a\n"
	  "trace.degraded event reports each change"},
	 OPTION_STORES(PERCENT, struct session_options, max_cpu_percent),
	 .min = 1,
	 .range = "a number from 0.1 to 100",
	 .example = "5"},
	{{0, "stats", NULL,
	  "print the rate, lag, CPU time, memory and losses of\n"
	  "steptrace on standard error every second"},
	 OPTION_STORES(FLAG, struct session_options, shows_stats)},
	{{0, "metrics", "ADDRESS:PORT",
	  "serve the numbers of --stats, and the durations of commands\n"
	  "and steps, to Prometheus over HTTP (example:\n"
	  "127.0.0.1:9464)"},
	 OPTION_STORES(TEXT, struct session_options, metrics_address)},
	{{0, "metrics-buckets", "TIME[,TIME...]",
	  "set the upper bounds of the buckets of --metrics for the\n"
	  "durations of commands and steps (default: 20 bounds from\n"
	  "100us to 5m)"},
	 .set = set_metrics_buckets},
};

/* ---- all groups, in the order of the help */

enum { GROUPS_COUNT = WATCH_OPTION_GROUPS + 7 };

/* `request` and `outputs` are NULL for the help. */
static void collect_groups(struct record_request *request, struct output_request *outputs,
			   struct option_group groups[GROUPS_COUNT])
{
	struct session_options *session = request ? &request->session : NULL;
	struct option_group watch[WATCH_OPTION_GROUPS];

	watch_options__groups(session ? &session->watch : NULL, watch);
	groups[0] = watch[0];
	groups[1] = watch[1];
	groups[2] = whole_options__group(session ? &session->whole : NULL);
	groups[3] = output_options__group(outputs);
	groups[4] = otlp_options__group(outputs ? &outputs->otlp : NULL);
	groups[5] =
		(struct option_group){"what a line contains", line_rows, COUNT(line_rows), session};
	groups[6] = (struct option_group){"when to stop", stop_rows, COUNT(stop_rows), session};
	groups[7] = (struct option_group){"cost and limits of the tracer", tracer_rows,
					  COUNT(tracer_rows), session};
	groups[8] = watch[2];
	groups[9] = record_config__group(request ? &request->config : NULL);
}

void record_options__print(FILE *out)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, NULL, groups);
	option_groups__print(out, groups, GROUPS_COUNT);
}

/* ---- after parsing */

static bool needs_json(const struct session_options *session)
{
	for (size_t i = 0; i < session->outputs_count; i++)
		if (sink__kind(session->outputs[i].sink.where)->needs_json)
			return true;
	return false;
}

/* An option without an effect is an error: the user expects an effect. */
static int check(const struct session_options *session, struct error *err)
{
	for (size_t i = 0; i < session->outputs_count; i++)
		if (sink__kind(session->outputs[i].sink.where)->needs_events &&
		    (session->format == FORMAT_COMPACT || session->fields.count ||
		     session->seed_fields_only))
			return error__set(err, -EINVAL,
					  "'%s' needs whole events: leave out --format compact, "
					  "--ids and --fields",
					  session->outputs[i].sink.where);
	if (session->pseudonym_key_path && !session->pseudonyms_mask)
		return error__set(err, -EINVAL, "--pseudonym-key needs --pseudonymize");
	if (session->watch.breakdown && session->seed_fields_only)
		return error__set(err, -EINVAL,
				  "--fields seed leaves out what --breakdown measures (--fields "
				  "NAME,cpu writes it)");
	if (session->metrics_bounds.count && !session->metrics_address)
		return error__set(err, -EINVAL, "--metrics-buckets needs --metrics");
	if (session->safe_integers && session->format == FORMAT_COMPACT)
		return error__set(err, -EINVAL, "--safe-integers works only with --format json");
	if (record_format__needs_json(session) && session->format == FORMAT_COMPACT)
		return error__set(err, -EINVAL,
				  "--fields and --label work only with --format json");
	if (session->format == FORMAT_COMPACT && needs_json(session))
		return error__set(err, -EINVAL, "kafka: outputs work only with --format json");
	if (session->labels.is_everywhere && session->labels.count == 0)
		return error__set(err, -EINVAL, "--labels-everywhere needs --label");
	if (session->text.has_ids && session->format == FORMAT_JSON)
		return error__set(err, -EINVAL, "--ids works only with --format compact");
	return session->metrics_address ? metrics__check(session->metrics_address, err) : 0;
}

static int finish(struct record_request *request, const struct output_request *outputs,
		  const struct options_parser *parser, struct error *err)
{
	struct session_options *session = &request->session;

	if (record_config__finish(&request->config, err) ||
	    watch_options__finish(&session->watch, parser, err) ||
	    whole_options__finish(&session->whole, &session->watch, err) ||
	    output_options__finish(outputs, session->outputs, &session->outputs_count, err))
		return OPTION_BAD;
	record_format__choose(session);
	return check(session, err) ? OPTION_BAD : OPTION_END;
}

int record_options__parse(struct record_request *request, int argc, char **argv, struct error *err)
{
	struct output_request outputs = OUTPUT_REQUEST_DEFAULT;
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	int result;

	*request = (struct record_request){
		.session = {.watch = WATCH_OPTIONS_DEFAULT, .flush_ns = 50000000}};
	collect_groups(request, &outputs, groups);
	result = record_config__apply(&request->config, groups, GROUPS_COUNT, argc, argv, err);
	if (result == 0)
		result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (result != OPTION_END)
		return result;
	result = finish(request, &outputs, &parser, err);
	if (result == OPTION_BAD && request->config.path)
		error__prefix(err, 0, "%s with the command line", request->config.path);
	return result;
}

void record_options__free(struct record_request *request)
{
	record_config__free(&request->config);
}
