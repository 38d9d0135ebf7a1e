// SPDX-License-Identifier: BSD-2-Clause
/* steprun work: executes the jobs of the queue, and no requests. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "runner/background_options.h"
#include "runner/commands.h"
#include "runner/stop_signals.h"

struct work_options {
	struct runner_options runner;
	struct background_options background;
	struct background_settings settings;
	bool until_empty;
	uint64_t grace_ns;
};

static const struct option_row end_rows[] = {
	{{0, "until-empty", NULL, "end when no job waits or runs, here or elsewhere"},
	 OPTION_STORES(FLAG, struct work_options, until_empty)},
	{{0, "grace", "TIME", "at the end, cancel what still runs after TIME (default: 10s)"},
	 OPTION_STORES(TIME, struct work_options, grace_ns),
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "30s"},
};

enum { GROUPS_COUNT = 3 };

static void collect_groups(struct work_options *options, struct option_group groups[GROUPS_COUNT])
{
	groups[0] = (struct option_group){"what to execute", background_option_rows,
					  BACKGROUND_OPTION_ROWS,
					  options ? &options->background : NULL};
	groups[1] = (struct option_group){"the end", end_rows,
					  sizeof(end_rows) / sizeof(end_rows[0]), options};
	groups[2] = (struct option_group){"the runner", runner_option_rows, RUNNER_OPTION_ROWS,
					  options ? &options->runner : NULL};
}

static void print_help(void)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	printf("usage: steprun work [OPTIONS]\n\n"
	       "Executes the jobs that steps of the type job.dispatch have put into the\n"
	       "queue, and the runs of schedules. 'steprun serve' does the same beside its\n"
	       "requests; several of both may work on one database. --timeout is 60s if it\n"
	       "is not given.\n");
	option_groups__print(stdout, groups, GROUPS_COUNT);
	printf("\nexit status: 0 stopped, 1 an error, or with --until-empty: a job is dead;\n"
	       "2 wrong usage\n");
}

static int check(struct work_options *options, const struct options_parser *parser,
		 struct error *err)
{
	int code = background_options__settings(&options->background, &options->settings, err);

	if (code)
		return code;
	if (parser->operands < parser->argc)
		return error__set(err, -EINVAL, "work takes no operands, such as '%s' (see --help)",
				  parser->argv[parser->operands]);
	if (!options->settings.threads)
		return error__set(err, -EINVAL, "there is nothing to do: see --background");
	if (options->until_empty && !options->settings.runs_jobs)
		return error__set(err, -EINVAL, "--until-empty has no effect with --no-jobs");
	if (strcmp(options->runner.database, ":memory:") == 0)
		return error__set(err, -EINVAL, "--db :memory: contains no jobs: give a file");
	return runner_options__finish(&options->runner, err) ? -EINVAL : 0;
}

/* Returns 0, 1 when the help was printed, or -EINVAL with a sentence. */
static int parse(struct work_options *options, int argc, char **argv, struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	int which;

	*options = (struct work_options){.grace_ns = 10000000000};
	runner_options__set_defaults(&options->runner);
	options->runner.timeout_ns = 60000000000;
	background_options__set_defaults(&options->background);
	collect_groups(options, groups);
	which = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (which == OPTION_HELP) {
		print_help();
		return 1;
	}
	return which == OPTION_BAD ? -EINVAL : check(options, &parser, err);
}

static bool is_over(void *context)
{
	return background__is_empty(context);
}

/* *dead_count is the number of jobs that are dead. */
static int work(const struct work_options *options, const struct runtime *runtime,
		uint64_t *dead_count, struct error *err)
{
	struct background_counts counts;
	struct background *background;
	const char *signal;
	int code = background__open(&options->settings, runtime, &background, err);

	if (code)
		return code;
	log__info("working with %zu packs and %zu threads; database '%s'",
		  runtime->catalogue.list.count, options->settings.threads,
		  options->runner.database);
	background__begin(background);
	signal = stop_signals__wait(options->until_empty ? is_over : NULL, background);
	if (signal)
		log__info("%s: finishing what runs", signal);
	background__stop(background, options->grace_ns);
	background__count(background, &counts);
	background_options__tell(&counts);
	background__close(background);
	*dead_count = counts.dead_jobs;
	return 0;
}

int cmd_work(int argc, char **argv)
{
	struct work_options options;
	struct runtime runtime;
	struct error err = {0};
	uint64_t dead_count = 0;
	int code = parse(&options, argc, argv, &err);

	if (code > 0)
		return EXIT_DONE;
	if (code) {
		log__error("%s", err.text);
		return EXIT_USAGE;
	}
	stop_signals__block();
	code = runtime__open(&runtime, &options.runner, &err);
	if (!code)
		code = work(&options, &runtime, &dead_count, &err);
	runtime__close(&runtime);
	if (code)
		log__error("%s", err.text);
	return code || (options.until_empty && dead_count) ? EXIT_FAILED : EXIT_DONE;
}
