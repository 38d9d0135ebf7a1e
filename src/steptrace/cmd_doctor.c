// SPDX-License-Identifier: BSD-2-Clause
/* steptrace doctor: what this kernel, these privileges and that target allow, and what a hit costs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/log.h"
#include "common/options.h"
#include "steptrace/attach/targets.h"
#include "steptrace/commands.h"
#include "steptrace/doctor/checkup.h"

enum doctor_option {
	OPTION_PID,
	OPTION_EXE,
	OPTION_ALL,
	OPTION_JSON,
};

static const struct option_spec specs[] = {
	[OPTION_PID] = {'p', "pid", "PID[,PID...]", "check these processes, too"},
	[OPTION_EXE] = {'x', "exe", "PATH", "check this binary or library, too"},
	[OPTION_ALL] = {'a', "all", NULL, "check only this machine (default)"},
	[OPTION_JSON] = {0, "json", NULL, "print the result as one JSON object"},
};

enum { SPECS_COUNT = sizeof(specs) / sizeof(specs[0]) };

struct request {
	struct targets targets;
	bool json;
};

static void print_help(void)
{
	printf("usage: steptrace doctor [-p PID[,PID...] | -x PATH] [--json]\n\n"
	       "Checks whether recording works here: the kernel, the privileges of the caller, and the\n"
	       "given targets. Measures what one hit of a probe costs on this machine. For each problem\n"
	       "it prints what to do. When it ends, no probe is left attached.\n\n"
	       "options:\n");
	options__print(stdout, specs, SPECS_COUNT);
	printf("\nExit status: 0 recording would work, 1 recording would not work, 2 wrong usage.\n");
}

static int set_option(struct request *request, int which, const char *value, struct error *err)
{
	switch ((enum doctor_option)which) {
	case OPTION_PID: return targets__add_pids(&request->targets, value, err);
	case OPTION_EXE: return targets__add_exe(&request->targets, value, err);
	case OPTION_ALL: return 0;
	case OPTION_JSON: request->json = true; return 0;
	}
	return 0;
}

static int examine(const struct request *request)
{
	struct findings findings = {0};
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	int status;

	checkup__kernel(&findings);
	checkup__privileges(&findings);
	checkup__sites(&findings);
	for (size_t i = 0; i < request->targets.exes_count; i++)
		checkup__binary(&findings, request->targets.exes[i]);
	for (size_t i = 0; i < request->targets.pids_count; i++)
		checkup__process(&findings, request->targets.pids[i]);
	if (!request->json)
		findings__print(&findings, stdout, colour);
	else if (findings__print_json(&findings, stdout))
		log__error("out of memory");
	status = findings__verdict(&findings) == VERDICT_FAIL ? STATUS_FAILED : STATUS_DONE;
	findings__free(&findings);
	return status;
}

int cmd_doctor(int argc, char **argv)
{
	struct options_parser parser = {
		.specs = specs, .count = SPECS_COUNT, .argc = argc, .argv = argv};
	struct request request = {.json = false};
	struct error err = {0};
	const char *value;
	int which;

	while ((which = options__next(&parser, &value)) >= 0)
		if (set_option(&request, which, value, &err)) {
			log__error("%s", err.text);
			return STATUS_USAGE;
		}
	if (which == OPTION_HELP) {
		print_help();
		return STATUS_DONE;
	}
	if (which == OPTION_END && parser.operands < argc)
		log__error("unexpected argument '%s' (see --help)", argv[parser.operands]);
	else if (which == OPTION_BAD)
		log__error("%s", parser.error.text);
	else
		return examine(&request);
	return STATUS_USAGE;
}
