// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/watch/watch.h"

#include <errno.h>
#include <string.h>

#include "steptrace/confine/seccomp.h"
#include "steptrace/watch/traced_command.h"

static int use_site(struct watch *watch, enum site_kind site, struct error *err)
{
	int code = attachments__use_site(&watch->attachments, site);

	return code ? error__set(err, code,
				 "probes at %s do not fire on this kernel (steptrace doctor shows "
				 "which do)",
				 sites[site].name)
		    : 0;
}

static int load(struct watch *watch, struct error *err)
{
	const struct watch_options *options = watch->options;
	const struct capture_options capture_options = {
		.buffer_bytes = options->ring_sizes.buffer_bytes,
		.rings_count = options->ring_sizes.rings_count,
		.only_wanted_pids = targets__are_processes(&options->targets),
		.without_children = options->targets.no_children,
		.filters = &options->filters,
		.cgroup_path = options->cgroup.inner,
		.ends_only = options->ends_only,
	};

	return capture__open(&capture_options, &watch->capture, err);
}

/* The process is checked again after it was added: if it ended before that, the kernel will not
 * report its end. */
static int add_process(struct watch *watch, pid_t pid, struct error *err)
{
	int code = capture__want_pid(watch->capture, pid);

	if (code)
		return error__set(err, code, "cannot trace process %d: %s", pid, strerror(-code));
	code = targets__check_pid(pid, err);
	if (code)
		capture__unwant_pid(watch->capture, pid);
	return code;
}

static int add_processes(struct watch *watch, struct error *err)
{
	const struct targets *targets = &watch->options->targets;
	int code = 0;

	if (watch->command)
		return add_process(watch, watch->command->pid, err);
	for (size_t i = 0; i < targets->pids_count && !code; i++)
		code = add_process(watch, targets->pids[i], err);
	return code;
}

/* The sites are measured in a child process while the BPF programs load. */
int watch__open(struct watch *watch, const struct watch_options *options,
		const struct traced_command *command, struct error *err)
{
	int code;

	*watch = (struct watch){.options = options,
				.command = command,
				.cgroup = {&options->cgroup, options->cgroup.id, false}};
	code = attachments__begin(&watch->attachments, err);
	if (!code)
		code = load(watch, err);
	if (!code)
		code = capture__watch_processes(watch->capture, err);
	if (!code)
		code = attachments__open(&watch->attachments, watch->capture, err);
	if (!code && options->site >= 0)
		code = use_site(watch, (enum site_kind)options->site, err);
	return code ? code : add_processes(watch, err);
}

void watch__close(struct watch *watch)
{
	attachments__close(&watch->attachments);
	capture__close(watch->capture);
	watch->capture = NULL;
}

int watch__attach(struct watch *watch, const struct follower_events *events, struct error *err)
{
	watch->follower = (struct follower){
		.targets = &watch->options->targets,
		.capture = watch->capture,
		.attachments = &watch->attachments,
		.events = *events,
		.linger_ns = watch->options->linger_ns,
	};
	return follower__start(&watch->follower, watch__command_path(watch), err);
}

static void add_needs(const struct watch *watch, struct privilege_needs *needs)
{
	needs->perf_links = capture__method(watch->capture) == UPROBE_PERF;
	needs->signals_child = watch->command != NULL;
}

int watch__drop_privileges(const struct watch *watch, struct privilege_needs *needs,
			   struct error *err)
{
	add_needs(watch, needs);
	return privilege__drop(needs, err);
}

int watch__confine(const struct watch *watch, struct privilege_needs *needs, struct error *err)
{
	add_needs(watch, needs);
	return seccomp__confine(needs, err);
}

int watch__writers_fd(const struct watch *watch)
{
	return watch->attachments.writers.wakeup_fd;
}

void watch__let_writers_go(struct watch *watch)
{
	follower__let_writers_go(&watch->follower);
}

void watch__update(struct watch *watch, uint64_t now_ns)
{
	cgroup_watch__look(&watch->cgroup, watch->capture);
	follower__tick(&watch->follower, now_ns);
}

void watch__release_unused(struct watch *watch)
{
	follower__release_unused(&watch->follower);
}

void watch__untraced(const struct watch *watch, uint64_t counts[UNTRACED_REASONS_COUNT])
{
	memset(counts, 0, UNTRACED_REASONS_COUNT * sizeof(counts[0]));
	counts[UNTRACED_PROCESSES] = capture__untraced_count(watch->capture);
	untraced__add_up(&watch->follower.untraced, counts);
}

bool watch__targets_ended(const struct watch *watch)
{
	return targets__are_processes(&watch->options->targets) &&
	       capture__wanted_count(watch->capture) == 0;
}

void watch__detach(struct watch *watch)
{
	capture__disarm(watch->capture);
	attachments__close(&watch->attachments);
}

const char *watch__command_path(const struct watch *watch)
{
	return watch->command ? watch->command->path : NULL;
}
