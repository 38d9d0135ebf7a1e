// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/capture/capture_private.h"
#include "steptrace/confine/privilege.h"
#include "steptrace/stream/event.h"

/* The first warning of libbpf, for the message when loading fails. */
static char libbpf_warning[512];

static int keep_warning(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_WARN && !libbpf_warning[0])
		vsnprintf(libbpf_warning, sizeof(libbpf_warning), format, args);
	return 0;
}

#define KERNEL_BTF "/sys/kernel/btf/vmlinux"

/* What the sentence about a load error ends with, if the kernel may be too old: it does not know an
 * instruction or function (EINVAL), or a type is missing (ESRCH). */
static const char *needed_kernel(int code, const struct capture_options *options)
{
	const struct stack_options *stacks = options->stacks;

	if (code != -EINVAL && code != -ESRCH)
		return "";
	if (options->breakdown)
		return "; --breakdown needs Linux 5.15 or later";
	if (stacks && (stacks->on_copy_bytes || stacks->off_copy_bytes))
		return "; --unwind dwarf needs Linux 5.15 or later (--unwind fp does not)";
	return "; steptrace needs Linux 5.12 or later";
}

static int load_error(int code, const struct capture_options *options, struct error *err)
{
	char missing[512];

	if (privilege__missing(missing, sizeof(missing)))
		return error__set(err, code, "the kernel does not permit loading BPF programs; %s",
				  missing);
	if (access(KERNEL_BTF, R_OK))
		return error__set(err, code,
				  "cannot read the kernel's type information at '%s': %s; mount "
				  "sysfs on /sys, or use a kernel with CONFIG_DEBUG_INFO_BTF",
				  KERNEL_BTF, strerror(errno));
	libbpf_warning[strcspn(libbpf_warning, "\n")] = 0;
	return error__set(err, code, "cannot load the BPF program: %s (%s)%s", strerror(-code),
			  libbpf_warning[0] ? libbpf_warning : "libbpf gave no reason",
			  needed_kernel(code, options));
}

static bool is_needed(const struct capture_options *options, int probe)
{
	return probes[probe].captured && !(options->ends_only && probes[probe].event == EVENT_NONE);
}

/* One program for all probes where links have cookies, otherwise one for each probe. */
static void choose_programs(struct capture *capture, const struct capture_options *options)
{
#define PROGRAM(probe, no, name, ...) [no] = capture->skeleton->progs.name,
	struct bpf_program *programs[] = {STEPTRACE_PROBES(PROGRAM)};
	struct bpf_program *shared = capture->skeleton->progs.boundary;

	for (int i = 0; i < PROBES_COUNT; i++)
		if (is_needed(options, i))
			capture->programs[i] =
				capture->method == UPROBE_MULTI ? shared : programs[i];
	for (int i = 0; i < PROBES_COUNT; i++)
		if (capture->programs[i])
			bpf_program__set_autoload(capture->programs[i], true);
	if (capture->method == UPROBE_MULTI)
		bpf_program__set_expected_attach_type(
			shared, (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
}

/* A fixed part of the kernel's interface. */
#define INITIAL_PID_NAMESPACE 0xeffffffcU

/* In another pid namespace, pids are those of that namespace. */
static void choose_namespace(struct steptrace_bpf *skeleton)
{
	struct stat status;

	if (stat("/proc/self/ns/pid", &status) || status.st_ino == INITIAL_PID_NAMESPACE)
		return;
	skeleton->rodata->namespace_device = status.st_dev;
	skeleton->rodata->namespace_inode = status.st_ino;
}

/* Forks are watched only where the set of wanted processes is used. */
static void choose_watchers(struct steptrace_bpf *skeleton, const struct capture_options *options)
{
	skeleton->rodata->only_wanted_pids = options->only_wanted_pids;
	skeleton->rodata->follows_children =
		options->only_wanted_pids && !options->without_children;
	bpf_program__set_autoload(skeleton->progs.process_execed, true);
	bpf_program__set_autoload(skeleton->progs.process_ended, true);
	bpf_program__set_autoload(skeleton->progs.process_forked,
				  skeleton->rodata->follows_children || options->stacks);
	bpf_program__set_autoload(skeleton->progs.each_mapping, true);
	if (!options->only_wanted_pids) {
		bpf_map__set_max_entries(skeleton->maps.wanted_pids, 1);
		bpf_map__set_max_entries(skeleton->maps.ended_pids, 1);
	}
}

static bool decides_by_process(const struct steptrace_filters *filters)
{
	return filters->by_uid || filters->by_cgroup || filters->by_comm;
}

/* Without a filter on the process, no decision is kept. */
static void choose_filters(struct steptrace_bpf *skeleton, const struct capture_options *options)
{
	const char *path = options->cgroup_path;

	if (options->filters) {
		skeleton->rodata->filters = *options->filters;
		skeleton->bss->wanted_cgroup_id = options->filters->cgroup_id;
	}
	if (!decides_by_process(&skeleton->rodata->filters))
		bpf_map__set_max_entries(skeleton->maps.decisions, 1);
	if (!path || !path[0] || strlen(path) >= CGROUP_PATH_BYTES)
		return;
	memcpy((char *)skeleton->rodata->wanted_cgroup_path, path, strlen(path));
	bpf_program__set_autoload(skeleton->progs.cgroup_made, true);
}

/* Without --breakdown its maps do not exist, and no program uses them. */
static int choose_breakdown(struct steptrace_bpf *skeleton, const struct capture_options *options)
{
	int code = 0;

	bpf_program__set_autoload(skeleton->progs.thread_switched, options->breakdown);
	bpf_program__set_autoload(skeleton->progs.thread_woken, options->breakdown);
	if (options->breakdown)
		skeleton->rodata->cpu_bytes = sizeof(struct steptrace_cpu);
	else
		code = bpf_map__set_autocreate(skeleton->maps.threads, false);
	if (!options->breakdown && !code)
		code = bpf_map__set_autocreate(skeleton->maps.measured_commands, false);
	return code;
}

static int load(struct capture *capture, const struct capture_options *options)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	int code;

	choose_programs(capture, options);
	choose_watchers(skeleton, options);
	choose_namespace(skeleton);
	code = capture__choose_rings(capture, options);
	if (!code)
		code = choose_breakdown(skeleton, options);
	if (!code)
		code = capture__choose_stacks(capture, options->stacks);
	if (code)
		return code;
	choose_filters(skeleton, options);
	code = steptrace_bpf__load(skeleton);
	if (!code)
		code = capture__open_rings(capture, options);
	return code ? code : capture__open_stacks(capture);
}

/*
 * Sets which kernel function the iterator program belongs to. libbpf would search all types of
 * the kernel for it; its number is known already. For libbpf the iterator is attached to another
 * program; which one does not matter.
 */
static int set_iterator_function(struct bpf_program *program, struct bpf_prog_load_opts *options,
				 long function_id)
{
	(void)program;
	options->attach_prog_fd = 0;
	options->attach_btf_id = (uint32_t)function_id;
	return 0;
}

/* Registered once and never unregistered: libbpf 1.1 frees its table when the last handler is
 * unregistered, and frees it again when the next one is registered. */
static bool register_iterator(long function_id)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .cookie = function_id,
		    .prog_prepare_load_fn = set_iterator_function);
	static bool is_registered;

	if (!is_registered)
		is_registered = libbpf_register_prog_handler("iter/task_vma", BPF_PROG_TYPE_TRACING,
							     BPF_TRACE_ITER, &handler) >= 0;
	return is_registered;
}

static struct steptrace_bpf *open_with_types(struct capture *capture)
{
	const struct kernel_types *types = &capture->types;
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = types->path);
	struct steptrace_bpf *skeleton;

	if (!register_iterator(types->function_id))
		return NULL;
	skeleton = steptrace_bpf__open_opts(&options);
	if (skeleton)
		bpf_program__set_attach_target(skeleton->progs.each_mapping, types->fd, NULL);
	return skeleton;
}

/*
 * Opens the skeleton twice: the first time to see which types the programs name, the second time
 * with a copy of only these types (see kernel_types.h). Where that fails, libbpf reads all types
 * of the kernel.
 */
static int open_skeleton(struct capture *capture)
{
	struct steptrace_bpf *skeleton = steptrace_bpf__open(), *better = NULL;
	const void *named;
	unsigned int bytes;

	if (!skeleton)
		return -errno;
	named = btf__raw_data(bpf_object__btf(skeleton->obj), &bytes);
	if (named && kernel_types__open(&capture->types, named, bytes, "bpf_iter_task_vma") == 0)
		better = open_with_types(capture);
	if (better)
		steptrace_bpf__destroy(skeleton);
	capture->skeleton = better ? better : skeleton;
	return 0;
}

int capture__open(const struct capture_options *options, struct capture **out, struct error *err)
{
	struct capture *capture = calloc(1, sizeof(*capture));
	int code;

	if (!capture)
		return error__set(err, -ENOMEM, "out of memory");
	capture->types.fd = capture->wakeup_fd = -1;
	libbpf_set_print(keep_warning);
	libbpf_warning[0] = 0;
	capture->method = options->avoids_multi ? UPROBE_PERF : uprobe__probe_method();
	code = open_skeleton(capture);
	if (code)
		goto close_capture;
	code = load(capture, options);
	kernel_types__close(&capture->types);
	if (code)
		goto close_capture;
	malloc_trim(0); /* libbpf freed much memory: the types of the kernel */
	*out = capture;
	return 0;

close_capture:
	load_error(code, options, err);
	capture__close(capture);
	return code;
}

void capture__close(struct capture *capture)
{
	if (!capture)
		return;
	bpf_link__destroy(capture->all_mappings);
	bpf_link__destroy(capture->own_mappings);
	capture__close_stacks(capture);
	capture__close_rings(capture);
	steptrace_bpf__destroy(capture->skeleton);
	free(capture);
}

int capture__program_fd(const struct capture *capture, enum steptrace_probe probe)
{
	return capture->programs[probe] ? bpf_program__fd(capture->programs[probe]) : -1;
}

enum uprobe_method capture__method(const struct capture *capture)
{
	return capture->method;
}
