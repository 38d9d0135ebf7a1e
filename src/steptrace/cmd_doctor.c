// SPDX-License-Identifier: BSD-2-Clause
/* steptrace doctor: checks the kernel, the privileges and the targets, and measures a hit. */
#include <stdio.h>
#include <unistd.h>

#include "common/log.h"
#include "common/option_groups.h"
#include "common/terminal.h"
#include "steptrace/commands.h"
#include "steptrace/doctor/checkup.h"
#include "steptrace/watch/watch_options.h"

struct request {
	struct targets targets;
	bool json;
};

static const struct option_row target_rows[] = {
	TARGET_OPTION_PID("check this machine and these processes"),
	TARGET_OPTION_EXE("check this machine and this binary or library"),
	TARGET_OPTION_ALL("check this machine, and no process or binary (default)"),
};

static const struct option_row form_rows[] = {
	{{0, "json", NULL, "print the result as one JSON object"},
	 OPTION_STORES(FLAG, struct request, json)},
};

enum { GROUPS_COUNT = 2 };

static void collect_groups(struct request *request, struct option_group groups[GROUPS_COUNT])
{
	groups[0] = (struct option_group){"what to check", target_rows, 3,
					  request ? &request->targets : NULL};
	groups[1] = (struct option_group){"output", form_rows, 1, request};
}

static void print_help(void)
{
	struct option_group groups[GROUPS_COUNT];

	collect_groups(NULL, groups);
	printf("usage: steptrace doctor [-p PID[,PID...] | -x PATH] [--json]\n\n"
	       "Checks whether recording works on this machine: the kernel, your privileges, and\n"
	       "the targets that you give. Prints what to do about each problem. Measures what a\n"
	       "traced probe costs on this machine. At the end, doctor detaches all its probes.\n");
	option_groups__print(stdout, groups, GROUPS_COUNT);
	printf("\nExit status: 0 recording works, 1 recording does not work, 2 wrong usage.\n");
}

static int examine(const struct request *request)
{
	struct findings findings = {0};
	bool colour = isatty(STDOUT_FILENO) && terminal__wants_colours();
	int status;

	checkup__kernel(&findings);
	checkup__privileges(&findings);
	checkup__sites(&findings);
	for (size_t i = 0; i < request->targets.exes_count; i++)
		checkup__binary(&findings, request->targets.exes[i]);
	for (size_t i = 0; i < request->targets.pids_count; i++)
		checkup__process(&findings, request->targets.pids[i]);
	status = findings__verdict(&findings) == VERDICT_FAIL ? STATUS_FAILED : STATUS_DONE;
	if (!request->json) {
		findings__print(&findings, stdout, colour);
	} else if (findings__print_json(&findings, stdout)) {
		log__error("out of memory");
		status = STATUS_FAILED;
	}
	findings__free(&findings);
	return status;
}

int cmd_doctor(int argc, char **argv)
{
	struct request request = {.json = false};
	struct option_group groups[GROUPS_COUNT];
	struct options_parser parser;
	struct error err = {""};
	int result;

	collect_groups(&request, groups);
	result = option_groups__parse(groups, GROUPS_COUNT, argc, argv, &parser, &err);
	if (result == OPTION_HELP) {
		print_help();
		return STATUS_DONE;
	}
	if (result == OPTION_END && parser.operands < argc)
		log__error("unexpected argument '%s' (see --help)", argv[parser.operands]);
	else if (result == OPTION_BAD)
		log__error("%s", err.text);
	else
		return examine(&request);
	return STATUS_USAGE;
}
