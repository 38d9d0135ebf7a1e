// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "steptrace/capture/capture_private.h"
#include "steptrace/stack_record.h"

enum {
	BUFFER_BYTES = 16 << 20,
	NS_PER_S = 1000000000,
	LIST_BYTES = STACK_FRAMES_MAX * 8,
	LEFT_BYTES = 64 << 20, /* of memory for the threads that are off a processor */
	LEFT_THREADS_MAX = 16384,
	RELEASE_RECORDS = 64,
};

struct capture_stacks {
	struct stack_options options;
	struct ring ring;
	struct rings rings; /* this one */
	struct bpf_link *switches, *wakeups, *exits, *execs;
	struct bpf_link **samples; /* owned; by processor, NULL where there is none */
	int processors;
};

/* ---- before loading */

bool capture__can_copy_stacks(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_PERF_EVENT, BPF_FUNC_task_pt_regs, NULL) != 0;
}

static int leave_out(struct steptrace_bpf *skeleton)
{
	int code = bpf_map__set_autocreate(skeleton->maps.stacks, false);

	if (!code)
		code = bpf_map__set_autocreate(skeleton->maps.left_stacks, false);
	return code ? code : bpf_map__set_autocreate(skeleton->maps.stack_rooms, false);
}

/* The bytes of the two parts of a stack. */
static uint32_t stack_bytes(uint32_t copy_bytes)
{
	uint32_t user = copy_bytes ? (uint32_t)sizeof(struct stack_copy) + copy_bytes
				   : (uint32_t)LIST_BYTES;

	return LIST_BYTES + user;
}

static uint32_t threads_max(uint32_t entry_bytes)
{
	uint32_t threads = LEFT_BYTES / entry_bytes;

	return threads < LEFT_THREADS_MAX ? threads : LEFT_THREADS_MAX;
}

/* The first room is the empty value of left_stacks, the others are those of the processors. */
static int size_rooms(struct steptrace_bpf *skeleton, uint32_t bytes)
{
	int processors = libbpf_num_possible_cpus();
	int code = bpf_map__set_value_size(skeleton->maps.stack_rooms, bytes);

	if (code || processors < 0)
		return code ? code : processors;
	return bpf_map__set_max_entries(skeleton->maps.stack_rooms, 1 + (uint32_t)processors);
}

static int size_maps(struct steptrace_bpf *skeleton, const struct stack_options *options)
{
	/* The programs say how large a value without a stack is. */
	uint32_t empty_bytes = bpf_map__value_size(skeleton->maps.left_stacks);
	uint32_t on_bytes = empty_bytes + stack_bytes(options->on_copy_bytes);
	uint32_t off_bytes = empty_bytes + stack_bytes(options->off_copy_bytes);
	int code = bpf_map__set_max_entries(skeleton->maps.stacks, BUFFER_BYTES);

	if (!code)
		code = bpf_map__set_value_size(skeleton->maps.left_stacks, off_bytes);
	if (!code)
		code = bpf_map__set_max_entries(skeleton->maps.left_stacks, threads_max(off_bytes));
	return code ? code : size_rooms(skeleton, on_bytes > off_bytes ? on_bytes : off_bytes);
}

static void choose_programs(struct steptrace_bpf *skeleton, const struct stack_options *options)
{
	skeleton->rodata->on_cpu_copy_bytes = options->on_copy_bytes;
	skeleton->rodata->off_cpu_copy_bytes = options->off_copy_bytes;
	skeleton->rodata->stacks_wakeup_bytes = BUFFER_BYTES / 4;
	skeleton->rodata->min_off_ns = options->min_off_ns;
	if (options->on_cpu)
		skeleton->rodata->sample_period_ns = NS_PER_S / options->frequency_hz;
	skeleton->rodata->marks_runners = true;
	bpf_program__set_autoload(skeleton->progs.stack_sampled, options->on_cpu);
	bpf_program__set_autoload(skeleton->progs.stack_switched, options->off_cpu);
	bpf_program__set_autoload(skeleton->progs.stack_woken, options->off_cpu);
	bpf_program__set_autoload(skeleton->progs.stack_thread_ended, options->off_cpu);
	bpf_program__set_autoload(skeleton->progs.stack_thread_execed, options->off_cpu);
}

int capture__choose_stacks(struct capture *capture, const struct stack_options *options)
{
	struct capture_stacks *stacks;

	if (!options)
		return leave_out(capture->skeleton);
	stacks = calloc(1, sizeof(*stacks));
	if (!stacks)
		return -ENOMEM;
	capture->stacks = stacks;
	stacks->options = *options;
	choose_programs(capture->skeleton, options);
	return size_maps(capture->skeleton, options);
}

/* ---- after loading */

int capture__open_stacks(struct capture *capture)
{
	struct capture_stacks *stacks = capture->stacks;
	int code;

	if (!stacks)
		return 0;
	code = ring__open(&stacks->ring, bpf_map__fd(capture->skeleton->maps.stacks), BUFFER_BYTES);
	if (code)
		return code;
	stacks->rings = (struct rings){.items = &stacks->ring, .count = 1};
	stacks->processors = libbpf_num_possible_cpus();
	if (stacks->processors < 0)
		return stacks->processors;
	stacks->samples = calloc((size_t)stacks->processors, sizeof(struct bpf_link *));
	return stacks->samples ? 0 : -ENOMEM;
}

void capture__close_stacks(struct capture *capture)
{
	struct capture_stacks *stacks = capture->stacks;

	if (!stacks)
		return;
	capture__stop_stacks(capture);
	ring__close(&stacks->ring);
	free(stacks->samples);
	free(stacks);
	capture->stacks = NULL;
}

/* ---- sampling */

/* A software clock: virtual machines often have no hardware counters. */
static int open_clock(const struct stack_options *options, int processor)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = options->frequency_hz,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, processor, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A processor that is offline has no clock. */
static int sample_processor(struct capture *capture, int processor)
{
	struct capture_stacks *stacks = capture->stacks;
	int fd = open_clock(&stacks->options, processor);

	if (fd == -ENODEV || fd == -ENXIO)
		return 0;
	if (fd < 0)
		return fd;
	stacks->samples[processor] =
		bpf_program__attach_perf_event(capture->skeleton->progs.stack_sampled, fd);
	if (stacks->samples[processor])
		return 0;
	close(fd);
	return -errno;
}

static int sample_processors(struct capture *capture)
{
	int code = 0;

	for (int i = 0; i < capture->stacks->processors && !code; i++)
		code = sample_processor(capture, i);
	return code;
}

static int watch_switches(struct capture *capture)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	struct capture_stacks *stacks = capture->stacks;
	int code = capture__attach(skeleton->progs.stack_thread_ended, &stacks->exits);

	if (!code)
		code = capture__attach(skeleton->progs.stack_thread_execed, &stacks->execs);
	if (!code)
		code = capture__attach(skeleton->progs.stack_woken, &stacks->wakeups);
	return code ? code : capture__attach(skeleton->progs.stack_switched, &stacks->switches);
}

/* A list of mappings makes runners of the processes that have attached files mapped. */
static void mark_runners(struct capture *capture)
{
	struct steptrace_mapping *mappings = NULL;

	if (capture__mappings(capture, &mappings) >= 0)
		free(mappings);
}

int capture__start_stacks(struct capture *capture, struct error *err)
{
	const struct stack_options *options = &capture->stacks->options;
	int code = 0;

	mark_runners(capture);
	if (options->off_cpu)
		code = watch_switches(capture);
	if (code)
		return error__set(err, code, "cannot watch context switches: %s", strerror(-code));
	if (options->on_cpu)
		code = sample_processors(capture);
	return code ? error__set(err, code, "cannot sample the processors: perf_event_open: %s",
				 strerror(-code))
		    : 0;
}

static void detach(struct bpf_link **link)
{
	bpf_link__destroy(*link);
	*link = NULL;
}

void capture__stop_stacks(struct capture *capture)
{
	struct capture_stacks *stacks = capture->stacks;

	detach(&stacks->switches);
	detach(&stacks->wakeups);
	detach(&stacks->exits);
	detach(&stacks->execs);
	for (int i = 0; stacks->samples && i < stacks->processors; i++)
		detach(&stacks->samples[i]);
}

/* ---- reading */

int capture__stacks_fd(const struct capture *capture)
{
	return bpf_map__fd(capture->skeleton->maps.stacks);
}

int capture__drain_stacks(struct capture *capture, record_fn *each, void *context, int limit)
{
	struct rings *rings = &capture->stacks->rings;
	const void *record;
	int given = 0, code = 0;
	size_t bytes;

	/* Another processor may still be writing a record, for some microseconds. What is behind
	 * it counts as well. */
	rings__mark(rings);
	do {
		rings__look(rings, clock__now_ns());
		while (given < limit && !code && (record = rings__next(rings, &bytes))) {
			code = each(context, record, bytes);
			if (++given % RELEASE_RECORDS == 0)
				rings__release(rings);
		}
	} while (given < limit && !code && !rings__passed_mark(rings));
	rings__release(rings);
	return code < 0 ? code : given;
}

uint64_t capture__stacks_lost(const struct capture *capture)
{
	const struct steptrace_bpf__bss *counts = capture->skeleton->bss;

	return counts->stacks_full + counts->stacks_crowded;
}
