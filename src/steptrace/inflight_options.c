// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight_options.h"

#include <errno.h>

#include "common/option_groups.h"
#include "steptrace/capture/glob_compile.h"
#include "steptrace/watch/watch_options.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int set_command(void *context, const char *value, struct error *err)
{
	struct inflight_options *options = context;

	options->has_command = true;
	return glob__add(value, &options->command, err);
}

static const struct option_row target_rows[] = {
	TARGET_OPTION_PID("these processes and all their descendants"),
	TARGET_OPTION_EXE("all processes that run this binary or have loaded this\n"
			  "library"),
	TARGET_OPTION_ALL("all runners of this machine (default)"),
	{{0, "no-children", NULL, "with -p: only these processes, no descendants"},
	 OPTION_STORES(FLAG, struct targets, no_children)},
};

static const struct option_row search_rows[] = {
	{{0, "command", "GLOB",
	  "only commands with this slug, such as 'mail.*' or\n"
	  "'!health.*'; may be repeated"},
	 .set = set_command},
	{{0, "older-than", "TIME",
	  "only commands that have been open for at least TIME; if\n"
	  "there is such a command, the exit status is 3"},
	 OPTION_STORES(TIME, struct inflight_options, older_than_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "5m"},
	{{0, "attach", "TIME",
	  "attach to the runners with an older or newer steptrace.h,\n"
	  "whose memory cannot be searched; after TIME, show also what\n"
	  "they began since (with --watch, stay attached)"},
	 OPTION_STORES(TIME, struct inflight_options, attach_ns),
	 .min = 1,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "2s"},
	{{0, "scan", "SIZE",
	  "search at most SIZE of the memory of each process\n"
	  "(default: 4G)"},
	 OPTION_STORES(SIZE, struct inflight_options, scan_bytes),
	 .min = 1 << 20,
	 .max = 1ull << 46,
	 .range = "a size of 1M or more",
	 .example = "16G"},
};

static const struct option_row output_rows[] = {
	{{0, "stack", NULL,
	  "also show the kernel stack of each thread (needs\n"
	  "CAP_SYS_ADMIN)"},
	 OPTION_STORES(FLAG, struct inflight_options, has_stacks)},
	{{0, "json", NULL,
	  "write one JSON object for each row, and one object with\n"
	  "totals (see steptrace schema inflight.row and\n"
	  "inflight.summary)"},
	 OPTION_STORES(FLAG, struct inflight_options, is_json)},
	{{0, "watch", "TIME", "show the rows again every TIME, until Ctrl-C (100ms or more)"},
	 OPTION_STORES(TIME, struct inflight_options, watch_ns),
	 .min = 100000000,
	 .max = UINT64_MAX,
	 .range = "a time of 100ms or more",
	 .example = "2s"},
};

enum { GROUPS_COUNT = 3 };

static void collect_groups(struct inflight_options *options,
			   struct option_group groups[GROUPS_COUNT])
{
	groups[0] = (struct option_group){"what to look at (one kind of target)", target_rows,
					  COUNT(target_rows), options ? &options->targets : NULL};
	groups[1] = (struct option_group){"what to show", search_rows, COUNT(search_rows), options};
	groups[2] = (struct option_group){"output", output_rows, COUNT(output_rows), options};
}

void inflight_options__print(FILE *out)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	option_groups__print(out, groups, GROUPS_COUNT);
}

static int check(const struct inflight_options *options, const struct options_parser *parser,
		 struct error *err)
{
	const struct targets *targets = &options->targets;

	if (parser->operands < parser->argc)
		return error__set(err, -EINVAL,
				  "unexpected argument '%s' (inflight looks at what runs already)",
				  parser->argv[parser->operands]);
	if ((targets->pids_count > 0) + (targets->exes_count > 0) + targets->all > 1)
		return error__set(err, -EINVAL,
				  "-p, -a and -x exclude each other: give one kind of target");
	if (targets->no_children && targets->pids_count == 0)
		return error__set(err, -EINVAL, "--no-children needs -p PID");
	return 0;
}

int inflight_options__parse(struct inflight_options *options, int argc, char **argv,
			    struct error *err)
{
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	int result;

	*options = (struct inflight_options){.scan_bytes = 4ull << 30};
	collect_groups(options, groups);
	result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, err);
	if (result == OPTION_END && check(options, &parser, err))
		return OPTION_BAD;
	if (options->watch_ns)
		options->whole_share = INFLIGHT_WHOLE_SHARE;
	return result;
}
