// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the probes cost the runner. This program is a runner that traces itself.
 *
 * With a tracer attached, the figures are for a whole boundary in the runner. An empty BPF program
 * at the same kind of site shows the smallest possible cost, which the kernel determines.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include <steptrace.h>

#include "bench.h"
#include "steptrace/attach/attachments.h"
#include "steptrace/capture/capture.h"
#include "steptrace/stream/event.h"

static struct steptrace_command command;
static struct steptrace_step step;
static int self_fd;

/* ---- no tracer attached */

static void nothing(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++)
		__asm__ volatile("");
}

static void enabled_check(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++) {
		steptrace_step_begin(&step);
		__asm__ volatile("" : : : "memory");
	}
}

/* What makes an open step visible to `steptrace inflight`. */
static void tag_alone(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++) {
		STEPTRACE__OPEN(&step, STEPTRACE_SPAN_STEP, steptrace_step);
		STEPTRACE__CLOSE(&step);
	}
}

static void whole_step(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++) {
		steptrace_step_init(&step, &command, "DatabaseUpdateStep");
		step.name = "set-title";
		step.index = (uint16_t)i;
		steptrace_step_begin(&step);
		__asm__ volatile("" : : : "memory");
		step.mutations_count = 1;
		steptrace_step_end(&step, STEPTRACE_SUCCESS);
	}
}

static void five_steps(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++) {
		steptrace_command_init(&command, "fragment.update");
		command.user_id = "local-default";
		command.request_source = "cli";
		steptrace_command_begin(&command);
		whole_step(NULL, 5);
		steptrace_command_end(&command, STEPTRACE_SUCCESS);
	}
}

static void bench_detached(void)
{
	struct contender all[] = {
		{.name = "empty loop", .run = nothing, .times = 250000},
		{.name = "begin call alone", .run = enabled_check, .times = 250000},
		{.name = "step: init, begin, end", .run = whole_step, .times = 250000},
		{.name = "command with five steps", .run = five_steps, .times = 25000},
		{.name = "the tag of a step", .run = tag_alone, .times = 250000},
	};
	double floor, tag;

	bench__run(all, 5);
	floor = bench__median(&all[0]);
	printf("no tracer attached\n");
	for (int i = 1; i < 4; i++)
		bench__line(.name = all[i].name, .value = fmax(bench__median(&all[i]) - floor, 0));
	tag = fmax(bench__median(&all[4]) - floor, 0);
	bench__line(.name = all[4].name, .value = tag, .target = "at most 1 ns", .met = tag <= 1);
}

/* ---- attached */

static struct probe_notes notes;

static const struct probe_note *note_of(enum steptrace_probe probe)
{
	for (size_t i = 0; i < notes.count; i++)
		if (notes.notes[i].probe == probe)
			return &notes.notes[i];
	fprintf(stderr, "bench: no note for %s\n", probes[probe].name);
	exit(1);
}

static void fire_tool_start(void *context, int times)
{
	for (int i = 0; i < times; i++)
		steptrace_probe_tool__start(context);
}

static void fire_step_done(void *context, int times)
{
	(void)context;
	for (int i = 0; i < times; i++)
		steptrace_probe_step__done(&step.span);
}

static int take(void *context, const void *bytes, size_t size_bytes)
{
	(void)bytes;
	(void)size_bytes;
	(*(uint64_t *)context)++;
	return 0;
}

static struct capture *capture;
static struct attachments attachments;

static void drain(void *context)
{
	uint64_t count = 0;

	(void)context;
	capture__drain(capture, take, &count, 1 << 30);
}

static struct capture *trace_ourselves(enum site_kind site)
{
	struct binary *binary = calloc(1, sizeof(*binary)); /* owned by the attachment */
	const struct capture_options options = {
		.buffer_bytes = 32 << 20, .rings_count = 1, .only_wanted_pids = true};
	const struct steptrace_file file = {0};
	struct attachment *attachment;
	struct capture *made;
	struct error err;

	binary->fd = dup(self_fd);
	binary->notes = notes;
	if (attachments__begin(&attachments, &err) || capture__open(&options, &made, &err) ||
	    capture__want_pid(made, getpid()) || attachments__open(&attachments, made, &err)) {
		fprintf(stderr, "bench: %s\n", err.text);
		exit(1);
	}
	attachments__use_site(&attachments, site);
	if (attachments__add(&attachments, binary, &file, &attachment, &err)) {
		fprintf(stderr, "bench: %s\n", err.text);
		exit(1);
	}
	capture__armed(made);
	return made;
}

/* Attaches an empty program to a probe that the capture does not use. The fd is -1 if the kernel
 * does not support it; uprobe__detach closes it. */
static struct uprobe attach_empty(enum steptrace_probe probe, enum site_kind site,
				  enum uprobe_method method)
{
	struct uprobe_place place = {.offset = note_of(probe)->offset + sites[site].offset};
	struct uprobe uprobe = {.fd = -1};
	int program = uprobe__load_empty(method, -1);

	if (program >= 0) {
		uprobe__attach(program, method, self_fd, &place, &uprobe);
		close(program);
	}
	return uprobe;
}

static void print_site(struct contender all[4], enum site_kind site, enum uprobe_method method)
{
	double floor = bench__median(&all[0]), captured = bench__median(&all[1]);
	double step = bench__median(&all[2]), command = bench__median(&all[3]);

	printf("attached, site %s (%s)\n", sites[site].name, uprobe__method_name(method));
	bench__line(.name = all[0].name, .value = floor);
	bench__line(.name = all[1].name, .value = captured, .ratio = captured / floor,
		    .of = "empty", .target = "at most 1.50", .met = captured / floor <= 1.5);
	bench__line(.name = all[2].name, .value = step, .ratio = step / floor, .of = "empty");
	bench__line(.name = all[3].name, .value = command, .ratio = 3e6 / command,
		    .of = "inside the 3 ms budget", .target = "under 15,000 ns",
		    .met = command < 15000);
}

static void bench_site(enum site_kind site)
{
	enum uprobe_method method = uprobe__probe_method();
	struct uprobe floor = attach_empty(PROBE_TOOL_START, site, method);
	struct contender all[] = {
		{.name = "empty BPF program", .run = fire_tool_start, .times = 2000},
		{.name = "step__done captured",
		 .run = fire_step_done,
		 .after = drain,
		 .times = 2000},
		{.name = "step: init, begin, end",
		 .run = whole_step,
		 .after = drain,
		 .times = 1000},
		{.name = "command with five steps",
		 .run = five_steps,
		 .after = drain,
		 .times = 200},
	};

	if (floor.fd < 0) {
		printf("attached, site %s: not supported by this kernel\n", sites[site].name);
		return;
	}
	capture = trace_ourselves(site);
	five_steps(NULL, 1); /* now the capture knows the command to which the steps belong */
	bench__run(all, 4);
	print_site(all, site, method);
	uprobe__detach(&floor);
	attachments__close(&attachments);
	capture__close(capture);
}

int main(void)
{
	struct error err;

	steptrace_command_init(&command, "fragment.update");
	steptrace_step_init(&step, &command, "DatabaseUpdateStep");
	self_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (elf_notes__read(self_fd, "/proc/self/exe", &notes, &err)) {
		fprintf(stderr, "bench: %s\n", err.text);
		return 1;
	}
	bench_detached();
	if (geteuid() != 0) {
		printf("attached: skipped, this needs root\n");
		return 0;
	}
	bench_site(SITE_NOP1);
	if (sites[SITE_NOP5].size_bytes)
		bench_site(SITE_NOP5);
	return 0;
}
