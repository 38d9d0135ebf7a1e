// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/watch/watch_options.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* ---- targets; the context is a struct targets */

int target_option__pid(void *targets, const char *value, struct error *err)
{
	return targets__add_pids(targets, value, err);
}

int target_option__exe(void *targets, const char *value, struct error *err)
{
	return targets__add_exe(targets, value, err);
}

int target_option__all(void *context, const char *value, struct error *err)
{
	struct targets *targets = context;

	(void)value;
	(void)err;
	targets->all = true;
	return 0;
}

static const struct option_row target_rows[] = {
	TARGET_OPTION_PID("these processes and all their descendants, also those that\n"
			  "exist already"),
	TARGET_OPTION_EXE("all processes that run this binary or have loaded this\n"
			  "library, also processes that start later"),
	TARGET_OPTION_ALL("all runners of this machine, also runners that start\n"
			  "later (default)"),
	{{0, "no-children", NULL,
	  "with -p or -- PROGRAM: trace only the given processes or\n"
	  "PROGRAM, and none of their descendants"},
	 OPTION_STORES(FLAG, struct targets, no_children)},
};

/* ---- filters; the context is a struct watch_options, here and below */

#define FILTER_SETTER(name)                                                                        \
	static int set_##name(void *context, const char *value, struct error *err)                 \
	{                                                                                          \
		struct watch_options *options = context;                                           \
                                                                                                   \
		return filters__set_##name(&options->filters, value, err);                         \
	}

FILTER_SETTER(uid)
FILTER_SETTER(comm)
FILTER_SETTER(command)
FILTER_SETTER(step_type)
FILTER_SETTER(min_duration)
FILTER_SETTER(sample)

static int set_cgroup(void *context, const char *value, struct error *err)
{
	struct watch_options *options = context;
	int code = wanted_cgroup__find(&options->cgroup, value, err);

	options->filters.by_cgroup = code == 0;
	options->filters.cgroup_id = options->cgroup.id;
	return code;
}

static int set_failed(void *context, const char *value, struct error *err)
{
	struct watch_options *options = context;

	(void)value;
	(void)err;
	filters__set_failed(&options->filters);
	return 0;
}

static const struct option_row filter_rows[] = {
	{{0, "cgroup", "PATH",
	  "only executions that begin in this cgroup (version 2) or\n"
	  "in a cgroup below; when the cgroup is removed and created\n"
	  "again, steptrace uses the new cgroup"},
	 .set = set_cgroup},
	{{0, "uid", "USER", "only executions that this user begins (name or number)"},
	 .set = set_uid},
	{{0, "comm", "GLOB",
	  "only executions that begin in a thread with this name\n"
	  "(ps -L shows the names); only the first 15 bytes of a name\n"
	  "are compared"},
	 .set = set_comm},
	{{0, "sample", "N",
	  "all events of about one in N executions, and no events of\n"
	  "the other executions"},
	 .set = set_sample},
	{{0, "command", "GLOB",
	  "only commands with this slug, such as 'mail.*' or\n"
	  "'!health.*'; may be repeated"},
	 .set = set_command},
	{{0, "step-type", "GLOB",
	  "only steps of this type, such as 'Ai*'; the events of\n"
	  "commands, tools and fragments are still written"},
	 .set = set_step_type},
	{{0, "failed", NULL,
	  "only commands, steps and tool calls that failed or were\n"
	  "aborted, and commands that were rejected; exception: a step\n"
	  "that is open when its process ends gets no event"},
	 .set = set_failed},
	{{0, "min-duration", "TIME",
	  "only commands, steps and tool calls that took at least\n"
	  "TIME; exception: a step that is open when its process ends\n"
	  "gets no event"},
	 .set = set_min_duration},
	{{0, "ends-only", NULL,
	  "attach only to the ends of steps, not to the beginnings; a\n"
	  "recorded step then costs the runner about half as much; no\n"
	  "event is written for a step that is open when its process\n"
	  "ends"},
	 OPTION_STORES(FLAG, struct watch_options, ends_only)},
};

/* ---- probes and ring buffers */

static int set_site(void *context, const char *value, struct error *err)
{
	struct watch_options *options = context;

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

static const struct option_row probe_rows[] = {
	{{0, "buffer", "SIZE",
	  "total size of the kernel's ring buffers (64K to 1G;\n"
	  "default: 16M to 64M, more with more CPUs)"},
	 OPTION_STORES(SIZE, struct watch_options, ring_sizes.buffer_bytes),
	 .min = 1 << 16,
	 .max = 1 << 30,
	 .range = "a size from 64K to 1G",
	 .example = "8M"},
	{{0, "rings", "N",
	  "number of ring buffers, which share the size of --buffer\n"
	  "(1 to 64, rounded down to a power of two; default: 1 to\n"
	  "16, more with more CPUs)"},
	 OPTION_STORES(NUMBER, struct watch_options, ring_sizes.rings_count),
	 .min = 1,
	 .max = RINGS_MAX,
	 .range = "a number from 1 to 64",
	 .example = "4"},
	{{0, "linger", "TIME",
	  "detach from a binary when no process has used it for TIME\n"
	  "(default: 1m)"},
	 OPTION_STORES(TIME, struct watch_options, linger_ns),
	 .min = 0,
	 .max = UINT64_MAX,
	 .range = "a time",
	 .example = "10s"},
	{{0, "site", "auto|SITE",
	  "attach to this site of each probe: nop1, nop5 or nop10 (on\n"
	  "aarch64: nop); a probe contains one or more nop\n"
	  "instructions, the sites; auto (default) uses the fastest\n"
	  "site that does not crash runners on this kernel"},
	 .set = set_site},
};

void watch_options__groups(struct watch_options *options,
			   struct option_group groups[WATCH_OPTION_GROUPS])
{
	struct targets *targets = options ? &options->targets : NULL;

	groups[0] =
		(struct option_group){"what to trace (one kind of target, or -x with -- PROGRAM)",
				      target_rows, COUNT(target_rows), targets};
	groups[1] = (struct option_group){"filters, applied in the kernel", filter_rows,
					  COUNT(filter_rows), options};
	groups[2] = (struct option_group){"probes and ring buffers", probe_rows, COUNT(probe_rows),
					  options};
}

/* ---- after parsing */

static int take_command(struct targets *targets, const struct options_parser *parser,
			struct error *err)
{
	int rest = parser->argc - parser->operands;

	if (rest == 0 && parser->saw_dashes)
		return error__set(
			err, -EINVAL,
			"there is no program after '--' (for example: -- steprun exec triage)");
	if (rest > 0 && !parser->saw_dashes)
		return error__set(err, -EINVAL,
				  "unexpected argument '%s' (a program to run goes after '--')",
				  parser->argv[parser->operands]);
	if (rest > 0)
		targets->command = &parser->argv[parser->operands];
	return 0;
}

/* -x PATH and -- PROGRAM go together: the processes of the command, in these files. */
static int check_targets(struct targets *targets, struct error *err)
{
	int kinds = (targets->pids_count > 0) + (targets->exes_count > 0 || targets->command) +
		    targets->all;

	if (kinds > 1)
		return error__set(err, -EINVAL,
				  "-p, -a, -x and -- PROGRAM exclude each other: give one kind of "
				  "target (only -x and -- PROGRAM can be given together)");
	if (targets->no_children && !targets__are_processes(targets))
		return error__set(err, -EINVAL, "--no-children needs -p PID or -- PROGRAM");
	targets->all = targets->all || kinds == 0;
	return 0;
}

int watch_options__finish(struct watch_options *options, const struct options_parser *parser,
			  struct error *err)
{
	int code = take_command(&options->targets, parser, err);

	if (!code)
		code = check_targets(&options->targets, err);
	if (!code && options->breakdown && options->ends_only)
		code = error__set(
			err, -EINVAL,
			"--breakdown and --ends-only exclude each other: where the time of "
			"a step went is measured from its beginning");
	if (!code)
		ring_sizes__choose(&options->ring_sizes, sysconf(_SC_NPROCESSORS_CONF));
	return code;
}
