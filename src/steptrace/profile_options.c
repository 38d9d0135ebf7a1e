// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/profile_options.h"

#include <errno.h>
#include <string.h>

#include "common/option_groups.h"
#include "common/parse.h"
#include "steptrace/stack_record.h"
#include "steptrace/watch/watch_options.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- what is sampled */

static int set_unwind(void *context, const char *value, struct error *err)
{
	struct profile_request *request = context;
	struct stack_options *stacks = &request->stacks;
	uint64_t bytes = STACK_COPY_DEFAULT;

	request->has_unwind = true;
	stacks->on_copy_bytes = stacks->off_copy_bytes = 0;
	if (strcmp(value, "fp") == 0)
		return 0;
	if (strncmp(value, "dwarf", 5) != 0 || (value[5] && value[5] != ','))
		return error__set(err, -EINVAL,
				  "--unwind cannot be '%s': give fp, dwarf, or dwarf,SIZE", value);
	if (value[5] && parse__size_bytes(value + 6, STACK_COPY_MIN, STACK_COPY_MAX, &bytes))
		return error__set(err, -EINVAL,
				  "--unwind dwarf,%s: give a size from 1K to 32K, for example "
				  "dwarf,16K",
				  value + 6);
	stacks->on_copy_bytes = stacks->off_copy_bytes = (uint32_t)((bytes + 1023) / 1024 * 1024);
	return 0;
}

static const struct option_row sample_rows[] = {
	{{0, "on-cpu", NULL,
	  "only threads that run on a CPU, --frequency times a second\n"
	  "(default: both --on-cpu and --off-cpu)"},
	 OPTION_STORES(FLAG, struct profile_request, stacks.on_cpu)},
	{{0, "off-cpu", NULL,
	  "only threads that do not run: where and how long they wait\n"
	  "for a disk, a lock, the network and so on, or for a CPU"},
	 OPTION_STORES(FLAG, struct profile_request, stacks.off_cpu)},
	{{0, "frequency", "HZ", "samples per second of each CPU (1 to 10000; default: 99)"},
	 OPTION_STORES(NUMBER, struct profile_request, frequency_hz),
	 .min = 1,
	 .max = 10000,
	 .range = "a number from 1 to 10000",
	 .example = "999"},
	{{0, "min-blocked", "TIME", "leave out times off a CPU that are shorter (default: 10us)"},
	 OPTION_STORES(TIME, struct profile_request, stacks.min_off_ns),
	 .min = 0,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "1ms"},
	{{0, "unwind", "fp|dwarf[,SIZE]",
	  "how the stacks of programs are found: dwarf (default) copies\n"
	  "SIZE bytes of each stack (1K to 32K; default: 16K) and uses\n"
	  "the unwind tables of the programs; fp follows frame pointers,\n"
	  "for programs and libraries that are compiled with them, and\n"
	  "on Linux before 5.15"},
	 .set = set_unwind},
	{{0, "hold", "SIZE",
	  "memory in which samples wait until their step and command\n"
	  "end (64K to 64G; default: 64M); when this memory is full,\n"
	  "the oldest samples are dropped, and counted"},
	 OPTION_STORES(SIZE, struct profile_request, hold_bytes),
	 .min = 1 << 16,
	 .max = 1ull << 36,
	 .range = "a size from 64K to 64G",
	 .example = "256M"},
	{{0, "duration", "TIME",
	  "stop after TIME, such as 500ms, 10s or 5m (default: no\n"
	  "limit)"},
	 OPTION_STORES(TIME, struct profile_request, session.duration_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "10s"},
};

/* ---- filters, applied when a span ends */

static int set_command(void *context, const char *value, struct error *err)
{
	struct profile_request *request = context;

	return filters__set_command(&request->session.watch.filters, value, err);
}

static int set_step_type(void *context, const char *value, struct error *err)
{
	struct profile_request *request = context;

	return filters__set_step_type(&request->session.watch.filters, value, err);
}

static int set_min_duration(void *context, const char *value, struct error *err)
{
	struct profile_request *request = context;

	return filters__set_min_duration(&request->session.watch.filters, value, err);
}

static int set_execution(void *context, const char *value, struct error *err)
{
	struct profile_request *request = context;
	struct profile_filter *filter = &request->profile.filter;

	filter->by_execution = parse__id128(value, filter->execution_id) == 0;
	return filter->by_execution
		       ? 0
		       : error__set(err, -EINVAL,
				    "--execution '%s' is no execution id: give 32 hexadecimal "
				    "digits with or without hyphens",
				    value);
}

static const struct option_row span_rows[] = {
	{{0, "command", "GLOB",
	  "only commands with this slug, such as 'mail.*' or\n"
	  "'!health.*'; may be repeated"},
	 .set = set_command},
	{{0, "step-type", "GLOB", "only samples in steps of this type, such as 'Ai*'"},
	 .set = set_step_type},
	{{0, "failed", NULL,
	  "only commands that failed or were aborted; with --step-type,\n"
	  "only such steps"},
	 OPTION_STORES(FLAG, struct profile_request, profile.filter.only_failed)},
	{{0, "min-duration", "TIME",
	  "only commands that took at least TIME; with --step-type,\n"
	  "only such steps"},
	 .set = set_min_duration},
	{{0, "execution", "ID", "only the execution with this id"}, .set = set_execution},
};

/* ---- the result */

static int set_format(void *context, const char *value, struct error *err)
{
	struct profile_request *request = context;

	int format = flame_format__parse(value);

	if (format < 0)
		return error__set(err, format,
				  "there is no format '%s': give folded, speedscope, svg or html",
				  value);
	request->format = (enum flame_format)format;
	return 0;
}

static const struct option_row result_rows[] = {
	{{0, "format", "FORMAT",
	  "folded (default): a line of text for each stack;\n"
	  "speedscope: JSON for https://www.speedscope.app;\n"
	  "svg: a flame graph as one picture;\n"
	  "html: a flame graph to zoom and search in, as one page"},
	 .set = set_format},
	{{'o', "output", "FILE",
	  "write to FILE, in place of what FILE contains (default: -,\n"
	  "standard output)"},
	 OPTION_STORES(TEXT, struct profile_request, output)},
};

/* ---- all groups, in the order of the help */

enum { GROUPS_COUNT = WATCH_OPTION_GROUPS + 3 };

static void collect_groups(struct profile_request *request,
			   struct option_group groups[GROUPS_COUNT])
{
	struct option_group watch[WATCH_OPTION_GROUPS];

	watch_options__groups(request ? &request->session.watch : NULL, watch);
	groups[0] = watch[0];
	groups[1] =
		(struct option_group){"what to sample", sample_rows, COUNT(sample_rows), request};
	groups[2] = (struct option_group){"filters on commands and steps", span_rows,
					  COUNT(span_rows), request};
	groups[3] = (struct option_group){"filters on processes, applied in the kernel",
					  watch[1].rows, WATCH_PROCESS_FILTERS, watch[1].context};
	groups[4] = (struct option_group){"the result", result_rows, COUNT(result_rows), request};
	groups[5] = watch[2];
}

void profile_options__print(FILE *out)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	option_groups__print(out, groups, GROUPS_COUNT);
}

/* ---- after parsing */

/* The kernel side would leave out single spans. Here the spans that end decide about samples. */
static void take_filters(struct profile_request *request)
{
	struct steptrace_filters *filters = &request->session.watch.filters;
	struct profile_filter *filter = &request->profile.filter;

	filter->by_command = filters->by_command;
	filter->by_step_type = filters->by_step_type;
	filter->min_duration_ns = filters->min_duration_ns;
	filter->command = filters->command;
	filter->step_type = filters->step_type;
	filters->by_command = filters->by_step_type = 0;
	filters->min_duration_ns = 0;
	filters->by_span = filters->sample_every != 0;
}

static void finish(struct profile_request *request)
{
	struct stack_options *stacks = &request->stacks;

	if (!stacks->on_cpu && !stacks->off_cpu)
		stacks->on_cpu = stacks->off_cpu = true;
	stacks->frequency_hz = (uint32_t)request->frequency_hz;
	request->profile.hold_bytes = request->hold_bytes;
	request->profile.period_ns = 1000000000 / stacks->frequency_hz;
	request->session.watch.ends_only = true;
	request->session.watch.stacks = stacks;
	request->session.format = FORMAT_REPORT;
	take_filters(request);
}

bool profile_options__choose_unwind(struct profile_request *request, bool can_copy)
{
	if (request->has_unwind || can_copy)
		return true;
	request->stacks.on_copy_bytes = request->stacks.off_copy_bytes = 0;
	return false;
}

int profile_options__parse(struct profile_request *request, int argc, char **argv,
			   struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct session_options *session = &request->session;
	struct options_parser parser;
	int result;

	*request = (struct profile_request){
		.session = {.watch = WATCH_OPTIONS_DEFAULT, .flush_ns = 50000000},
		.stacks = {.min_off_ns = 10000,
			   .on_copy_bytes = STACK_COPY_DEFAULT,
			   .off_copy_bytes = STACK_COPY_DEFAULT},
		.frequency_hz = 99,
		.hold_bytes = 64 << 20,
	};
	collect_groups(request, groups);
	result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (result != OPTION_END)
		return result;
	if (watch_options__finish(&session->watch, &parser, err))
		return OPTION_BAD;
	finish(request);
	return OPTION_END;
}
