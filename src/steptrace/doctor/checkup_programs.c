// SPDX-License-Identifier: BSD-2-Clause
/* The programs for context switches and stacks: each is loaded and attached for a moment. */
#include "steptrace/capture/capture.h"
#include "steptrace/doctor/checkup.h"
#include "steptrace/stack_record.h"

static const struct program_check {
	const char *name;
	const char *possible; /* what is said where it works */
	const char *advice;   /* where it does not */
	struct stack_options stacks;
	bool breakdown; /* otherwise the stacks are tried */
} checks[] = {
	{.name = "--breakdown",
	 .possible = "context switches can be observed (tp_btf)",
	 .advice = "everything else can be recorded",
	 .breakdown = true},
	{.name = "profile --on-cpu",
	 .possible = "CPUs can be sampled (software clock of perf)",
	 .advice = "profile --off-cpu is independent of it",
	 .stacks = {.on_cpu = true, .frequency_hz = 99}},
	{.name = "profile --off-cpu",
	 .possible = "stacks can be taken at context switches (tp_btf)",
	 .advice = "profile --on-cpu is independent of it",
	 .stacks = {.off_cpu = true}},
	{.name = "profile --unwind dwarf",
	 .possible = "stacks can be copied; this is the default",
	 .advice = "Linux 5.15 or later is needed; the default is --unwind fp here",
	 .stacks = {.on_cpu = true, .frequency_hz = 99, .on_copy_bytes = STACK_COPY_MIN}},
};

static int try(const struct program_check *check, struct error *err)
{
	const struct capture_options options = {.buffer_bytes = 1 << 16,
						.rings_count = 1,
						.breakdown = check->breakdown,
						.stacks = check->breakdown ? NULL : &check->stacks};
	struct capture *capture;
	int code = capture__open(&options, &capture, err);

	if (code)
		return code;
	code = check->breakdown ? capture__watch_switches(capture, err)
				: capture__start_stacks(capture, err);
	capture__close(capture);
	return code;
}

static void check_program(struct findings *findings, const struct program_check *check)
{
	struct error err;

	if (try(check, &err))
		findings__add(findings, "kernel", check->name, VERDICT_WARN, check->advice,
			      "not possible: %s", err.text);
	else
		findings__add(findings, "kernel", check->name, VERDICT_OK, NULL, "%s",
			      check->possible);
}

void checkup__programs(struct findings *findings, bool may_load)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (may_load)
			check_program(findings, &checks[i]);
		else
			findings__add(findings, "kernel", checks[i].name, VERDICT_WARN, NULL,
				      "not known: steptrace has no permission to test it");
}
