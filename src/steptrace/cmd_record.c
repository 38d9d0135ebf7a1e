// SPDX-License-Identifier: BSD-2-Clause
/* steptrace record: what was asked for, checked; session.c does the work. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "common/options.h"
#include "common/parse.h"
#include "steptrace/attach/site.h"
#include "steptrace/commands.h"
#include "steptrace/record/session.h"
#include "steptrace/stream/pseudonym.h"

enum record_option {
	OPTION_PID,
	OPTION_EXE,
	OPTION_ALL,
	OPTION_CGROUP,
	OPTION_UID,
	OPTION_COMM,
	OPTION_COMMAND,
	OPTION_STEP_TYPE,
	OPTION_FAILED,
	OPTION_MIN_DURATION,
	OPTION_SAMPLE,
	OPTION_ENDS_ONLY,
	OPTION_OUTPUT,
	OPTION_WHEN_FULL,
	OPTION_ROTATE_SIZE,
	OPTION_ROTATE_AGE,
	OPTION_KEEP,
	OPTION_QUEUE,
	OPTION_FORMAT,
	OPTION_FIELDS,
	OPTION_PSEUDONYMIZE,
	OPTION_PSEUDONYM_KEY,
	OPTION_COUNT,
	OPTION_DURATION,
	OPTION_FLUSH,
	OPTION_BUFFER,
	OPTION_RINGS,
	OPTION_LINGER,
	OPTION_MAX_CPU,
	OPTION_STATS,
	OPTION_METRICS,
	OPTION_SITE,
};

static const struct option_spec specs[] = {
	[OPTION_PID] = {'p', "pid", "PID[,PID...]",
			"these processes and the processes that they fork"},
	[OPTION_EXE] = {'x', "exe", "PATH",
			"all processes that run this binary or library, also\n"
			"processes that start later"},
	[OPTION_ALL] = {'a', "all", NULL,
			"all runners of this machine, also runners that start\n"
			"later (default)"},
	[OPTION_CGROUP] = {0, "cgroup", "PATH", "only processes in this cgroup (v2) or below it"},
	[OPTION_UID] = {0, "uid", "USER", "only processes of this user (name or number)"},
	[OPTION_COMM] = {0, "comm", "GLOB", "only threads with this name (as in ps -L, 15 bytes)"},
	[OPTION_COMMAND] = {0, "command", "GLOB",
			    "only commands with this slug (name), such as 'mail.*'"},
	[OPTION_STEP_TYPE] = {0, "step-type", "GLOB",
			      "only steps of this type, for example 'Ai*'; commands,\n"
			      "tool calls and fragments are still written"},
	[OPTION_FAILED] = {0, "failed", NULL,
			   "only commands, steps and tool calls that failed, were\n"
			   "rejected or were aborted"},
	[OPTION_MIN_DURATION] = {0, "min-duration", "TIME",
				 "only commands, steps and tool calls that took at least\n"
				 "TIME"},
	[OPTION_SAMPLE] = {0, "sample", "N",
			   "only about 1 of N executions, each with all its events"},
	[OPTION_ENDS_ONLY] = {0, "ends-only", NULL,
			      "probe only the ends of steps, not their beginnings: a step\n"
			      "costs the runner half as much, but an aborted command does\n"
			      "not name the steps that were open"},
	[OPTION_OUTPUT] = {'o', "output", "WHERE",
			   "FILE (lines are appended), FILE.gz, unix:PATH,\n"
			   "tcp:HOST:PORT, or - for stdout (default); may be given\n"
			   "up to 8 times"},
	[OPTION_WHEN_FULL] = {0, "when-full", "block|drop",
			      "what the -o before this option does when its queue is\n"
			      "full: block makes the recording wait, drop discards\n"
			      "events (default: block; for sockets drop)"},
	[OPTION_ROTATE_SIZE] = {0, "rotate-size", "SIZE",
				"start a new file before FILE grows beyond SIZE (4K or\n"
				"more; default: never); the old file becomes FILE.1"},
	[OPTION_ROTATE_AGE] = {0, "rotate-age", "TIME",
			       "start a new file when FILE is older than TIME, for\n"
			       "example 24h (default: never)"},
	[OPTION_KEEP] = {0, "keep", "N", "keep N rotated files (1 to 10000; default: all)"},
	[OPTION_QUEUE] = {0, "queue", "SIZE",
			  "how much may wait for each output (64K to 1G; default:\n"
			  "32M)"},
	[OPTION_FORMAT] = {0, "format", "json|compact",
			   "json: one JSON object per line; compact: one line per\n"
			   "event for people (default: json)"},
	[OPTION_FIELDS] = {0, "fields", "seed|all|NAME[,NAME...]",
			   "which fields of an event to write: all (default), only the\n"
			   "basic ones (seed), or the named ones"},
	[OPTION_PSEUDONYMIZE] = {0, "pseudonymize", "FIELD[,FIELD...]",
				 "replace the values of these fields by keyed hashes: user_id,\n"
				 "correlation_id, command_slug, request_source, step_name,\n"
				 "tool_slug, comm, host"},
	[OPTION_PSEUDONYM_KEY] = {0, "pseudonym-key", "FILE",
				  "file with the key for --pseudonymize, 16 to 4096 bytes\n"
				  "(default: a random key for this recording only)"},
	[OPTION_COUNT] = {0, "count", "N", "stop after N events"},
	[OPTION_DURATION] = {0, "duration", "TIME", "stop after TIME: 500ms, 10s, 5m"},
	[OPTION_FLUSH] = {0, "flush", "TIME",
			  "write captured events at least this often (1ms to 1m;\n"
			  "default: 50ms)"},
	[OPTION_BUFFER] = {0, "buffer", "SIZE",
			   "total size of the kernel's ring buffers (64K to 1G;\n"
			   "default: 16M, from 16 CPUs on 32M, from 32 CPUs on 64M)"},
	[OPTION_RINGS] = {0, "rings", "N",
			  "number of ring buffers that share it (1 to 64; default: 1,\n"
			  "from 5 CPUs on half their number, at most 16)"},
	[OPTION_LINGER] = {0, "linger", "TIME",
			   "detach from a binary this long after its last process\n"
			   "has ended (default: 1m)"},
	[OPTION_MAX_CPU] = {0, "max-cpu", "PERCENT",
			    "limit the tracer to this much of one processor (0.1 to\n"
			    "100; default: no limit); to stay below it, the tracer\n"
			    "samples steps, then leaves out more; trace.degraded\n"
			    "events say what"},
	[OPTION_STATS] = {0, "stats", NULL,
			  "print the tracer's own rate, lag, CPU time, memory and\n"
			  "losses on stderr every second"},
	[OPTION_METRICS] = {0, "metrics", "ADDRESS:PORT",
			    "serve the same numbers to Prometheus over HTTP, for\n"
			    "example at 127.0.0.1:9464"},
	[OPTION_SITE] = {0, "site", "auto|nop1|nop5",
			 "which instruction of a probe to use (default: auto, the\n"
			 "fastest that is safe on this kernel)"},
};

enum { SPECS_COUNT = sizeof(specs) / sizeof(specs[0]) };

/* The help shows the options in groups; a group ends where the next one begins. */
static const struct {
	enum record_option first;
	const char *title;
} groups[] = {
	{OPTION_PID, "what to trace (one kind of target)"},
	{OPTION_CGROUP, "filters, applied in the kernel"},
	{OPTION_OUTPUT, "outputs"},
	{OPTION_FORMAT, "what a line contains"},
	{OPTION_COUNT, "when to stop"},
	{OPTION_FLUSH, "cost and limits"},
};

enum { GROUPS_COUNT = sizeof(groups) / sizeof(groups[0]) };

static void print_options(void)
{
	for (int i = 0; i < GROUPS_COUNT; i++) {
		int first = (int)groups[i].first;
		int end = i + 1 < GROUPS_COUNT ? (int)groups[i + 1].first : SPECS_COUNT;

		printf("\n%s:\n", groups[i].title);
		options__print_rows(stdout, &specs[first], (size_t)(end - first));
	}
	printf("\n");
	options__print(stdout, NULL, 0);
}

static void print_help(void)
{
	printf("usage: steptrace record [-a] [OPTIONS]\n"
	       "       steptrace record -p PID[,PID...] [OPTIONS]\n"
	       "       steptrace record -x PATH [OPTIONS]\n"
	       "       steptrace record [OPTIONS] -- COMMAND [ARGS...]\n\n"
	       "Attaches to runners (running programs that contain steptrace probes) and writes their\n"
	       "events, one per line. The runners are not restarted. With -- COMMAND, starts the\n"
	       "command and traces it and its children.\n\n"
	       "The recording ends on Ctrl-C, after --count or --duration, or when the command or the\n"
	       "processes of -p have ended. It needs root or a few capabilities (steptrace doctor\n"
	       "tells which).\n");
	print_options();
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

static int one_of(const char *value, const char *first, const char *second, const char *option,
		  bool *is_second, struct error *err)
{
	*is_second = strcmp(value, second) == 0;
	if (*is_second || strcmp(value, first) == 0)
		return 0;
	return error__set(err, -EINVAL, "%s must be %s or %s, not '%s'", option, first, second,
			  value);
}

/* `range`: what it may be. */
static int number_error(const char *option, const char *value, const char *range,
			const char *example, struct error *err)
{
	return error__set(err, -EINVAL, "%s cannot be '%s': give %s (for example: %s %s)", option,
			  value, range, option, example);
}

static int set_site(struct session_options *options, const char *value, struct error *err)
{
	options->site = -1;
	if (strcmp(value, "auto") == 0)
		return 0;
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		if (sites[kind].size_bytes && strcmp(value, sites[kind].name) == 0) {
			options->site = kind;
			return 0;
		}
	return error__set(err, -EINVAL,
			  "--site cannot be '%s': give auto, or a site that steptrace doctor lists",
			  value);
}

static int set_fields(struct session_options *options, const char *value, struct error *err)
{
	options->fields.count = 0;
	options->seed_fields_only = strcmp(value, "seed") == 0;
	if (options->seed_fields_only || strcmp(value, "all") == 0)
		return 0;
	return fields__parse(&options->fields, value, err);
}

static int add_output(struct session_options *options, const char *where, struct error *err)
{
	bool is_socket = strncmp(where, "unix:", 5) == 0 || strncmp(where, "tcp:", 4) == 0;

	options->writes_files = options->writes_files || sink__is_file(where);
	if (options->outputs_count == OUTPUTS_MAX)
		return error__set(err, -EINVAL, "more than %d outputs", OUTPUTS_MAX);
	options->connects = options->connects || is_socket;
	options->outputs[options->outputs_count++] =
		(struct output_options){.sink.where = where, .drops = is_socket};
	return 0;
}

static int set_policy(struct session_options *options, const char *value, struct error *err)
{
	size_t count = options->outputs_count;

	if (count == 0)
		return error__set(err, -EINVAL,
				  "--when-full must come after the -o that it applies to");
	return one_of(value, "block", "drop", "--when-full", &options->outputs[count - 1].drops,
		      err);
}

/* What holds for all outputs, wherever it stood. */
static void share_options(struct session_options *options)
{
	for (size_t i = 0; i < options->outputs_count; i++) {
		struct output_options *output = &options->outputs[i];

		output->queue_bytes = options->queue_bytes;
		output->sink.rotate_bytes = options->rotate_bytes;
		output->sink.rotate_age_ns = options->rotate_age_ns;
		output->sink.keep = (unsigned int)options->keep;
	}
}

static int set_option(struct session_options *options, int which, const char *value,
		      struct error *err)
{
	bool is_second;
	int code = 0;

	switch ((enum record_option)which) {
	case OPTION_PID: return targets__add_pids(&options->targets, value, err);
	case OPTION_EXE: return targets__add_exe(&options->targets, value, err);
	case OPTION_ALL: options->targets.all = true; return 0;
	case OPTION_CGROUP: return filters__set_cgroup(&options->filters, value, err);
	case OPTION_UID: return filters__set_uid(&options->filters, value, err);
	case OPTION_COMM: return filters__set_comm(&options->filters, value, err);
	case OPTION_COMMAND: return filters__set_command(&options->filters, value, err);
	case OPTION_STEP_TYPE: return filters__set_step_type(&options->filters, value, err);
	case OPTION_FAILED: filters__set_failed(&options->filters); return 0;
	case OPTION_MIN_DURATION: return filters__set_min_duration(&options->filters, value, err);
	case OPTION_SAMPLE: return filters__set_sample(&options->filters, value, err);
	case OPTION_ENDS_ONLY: options->ends_only = true; return 0;
	case OPTION_OUTPUT: return add_output(options, value, err);
	case OPTION_WHEN_FULL: return set_policy(options, value, err);
	case OPTION_ROTATE_SIZE:
		if (parse__size_bytes(value, 4096, UINT64_MAX / 2, &options->rotate_bytes))
			return number_error("--rotate-size", value, "a size of 4K or more", "256M",
					    err);
		return 0;
	case OPTION_ROTATE_AGE:
		if (parse__duration_ns(value, &options->rotate_age_ns) || !options->rotate_age_ns)
			return number_error("--rotate-age", value, "a time", "24h", err);
		return 0;
	case OPTION_KEEP:
		if (parse__u64(value, 1, 10000, &options->keep))
			return number_error("--keep", value, "a number from 1 to 10000", "7", err);
		return 0;
	case OPTION_QUEUE:
		if (parse__size_bytes(value, 1 << 16, 1 << 30, &options->queue_bytes))
			return number_error("--queue", value, "a size from 64K to 1G", "32M", err);
		return 0;
	case OPTION_FORMAT:
		code = one_of(value, "json", "compact", "--format", &is_second, err);
		options->format = is_second ? FORMAT_COMPACT : FORMAT_JSON;
		return code;
	case OPTION_FIELDS: return set_fields(options, value, err);
	case OPTION_PSEUDONYMIZE: return pseudonym__parse(value, &options->pseudonyms_mask, err);
	case OPTION_PSEUDONYM_KEY: options->pseudonym_key_path = value; return 0;
	case OPTION_COUNT:
		if (parse__u64(value, 1, UINT64_MAX, &options->events_limit))
			return number_error("--count", value, "a number of 1 or more", "100", err);
		return 0;
	case OPTION_DURATION:
		if (parse__duration_ns(value, &options->duration_ns) || options->duration_ns == 0)
			return number_error("--duration", value, "a time", "10s", err);
		return 0;
	case OPTION_FLUSH:
		if (parse__duration_ns(value, &options->flush_ns) || options->flush_ns < 1000000 ||
		    options->flush_ns > 60000000000ULL)
			return number_error("--flush", value, "a time from 1ms to 1m", "50ms", err);
		return 0;
	case OPTION_BUFFER:
		if (parse__size_bytes(value, 1 << 16, 1 << 30, &options->ring_sizes.buffer_bytes))
			return number_error("--buffer", value, "a size from 64K to 1G", "8M", err);
		return 0;
	case OPTION_RINGS:
		if (parse__u64(value, 1, RINGS_MAX, &options->ring_sizes.rings_count))
			return number_error("--rings", value, "a number from 1 to 64", "4", err);
		return 0;
	case OPTION_MAX_CPU:
		if (parse__percent(value, 0.1, 100, &options->max_cpu_percent))
			return number_error("--max-cpu", value, "a number from 0.1 to 100", "5",
					    err);
		return 0;
	case OPTION_STATS: options->shows_stats = true; return 0;
	case OPTION_METRICS: options->metrics_address = value; return 0;
	case OPTION_SITE: return set_site(options, value, err);
	case OPTION_LINGER:
		if (parse__duration_ns(value, &options->linger_ns))
			return number_error("--linger", value, "a time", "10s", err);
		return 0;
	}
	return 0;
}

/* An option that would do nothing is a mistake of somebody who expects something of it. */
static int check_options(const struct session_options *options, struct error *err)
{
	bool rotates = options->rotate_bytes || options->rotate_age_ns;

	if (options->pseudonym_key_path && !options->pseudonyms_mask)
		return error__set(err, -EINVAL, "--pseudonym-key needs --pseudonymize");
	if ((options->fields.count || options->seed_fields_only) &&
	    options->format == FORMAT_COMPACT)
		return error__set(err, -EINVAL, "--fields works only with --format json");
	if (rotates && !options->writes_files)
		return error__set(err, -EINVAL,
				  "--rotate-size and --rotate-age need a file as output (-o FILE)");
	if (options->keep && !rotates)
		return error__set(err, -EINVAL, "--keep needs --rotate-size or --rotate-age");
	return 0;
}

static int take_operands(struct session_options *options, const struct options_parser *parser,
			 struct error *err)
{
	struct targets *targets = &options->targets;
	int rest = parser->argc - parser->operands;
	int named;

	if (rest == 0 && parser->saw_dashes)
		return error__set(err, -EINVAL, "no command after '--'");
	if (rest > 0 && !parser->saw_dashes)
		return error__set(err, -EINVAL,
				  "unexpected argument '%s' (a command to run goes after '--')",
				  parser->argv[parser->operands]);
	if (rest > 0)
		targets->command = &parser->argv[parser->operands];
	named = (targets->pids_count > 0) + (targets->exes_count > 0) + (targets->command != NULL);
	if (named + targets->all > 1)
		return error__set(
			err, -EINVAL,
			"-p, -x, -a and -- COMMAND exclude each other: give one kind of target");
	if (!named)
		targets->all = true;
	return 0;
}

int cmd_record(int argc, char **argv)
{
	struct session_options options = {
		.site = -1,
		.flush_ns = 50000000,
		.linger_ns = 60000000000,
		.queue_bytes = 32 << 20,
	};
	struct options_parser parser = {
		.specs = specs, .count = SPECS_COUNT, .argc = argc, .argv = argv};
	struct error err = {0};
	const char *value;
	int which, status;

	while ((which = options__next(&parser, &value)) >= 0)
		if (set_option(&options, which, value, &err)) {
			log__error("%s", err.text);
			return STATUS_USAGE;
		}
	if (which == OPTION_HELP) {
		print_help();
		return STATUS_DONE;
	}
	if (which == OPTION_BAD || take_operands(&options, &parser, &err) ||
	    check_options(&options, &err)) {
		log__error("%s", which == OPTION_BAD ? parser.error.text : err.text);
		return STATUS_USAGE;
	}
	share_options(&options);
	ring_sizes__choose(&options.ring_sizes, sysconf(_SC_NPROCESSORS_CONF));
	status = session__run(&options, &err);
	if (err.text[0])
		log__error("%s", err.text);
	return status;
}
