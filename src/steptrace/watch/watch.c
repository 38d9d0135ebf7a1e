// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/watch/watch.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "steptrace/confine/seccomp.h"
#include "steptrace/watch/traced_command.h"
#include "steptrace/watch/wanted_processes.h"

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
		.breakdown = options->breakdown,
		.stacks = options->stacks,
	};

	return capture__open(&capture_options, &watch->capture, err);
}

/* ---- news */

static void watch_for(struct watch *watch, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	epoll_ctl(watch->news_fd, EPOLL_CTL_ADD, fd, &event);
}

/* Where execs cannot wait, or mappings are not reported, the records of execs and the scans find
 * what was started: later, and the follower says how much. */
static int open_news(struct watch *watch, struct error *err)
{
	const struct targets *targets = &watch->options->targets;

	watch->news_fd = epoll_create1(EPOLL_CLOEXEC);
	if (watch->news_fd < 0)
		return error__set(err, -errno, "cannot watch for new programs: %s",
				  strerror(errno));
	if (mmap_records__open(&watch->mmaps, watch->command ? watch->command->pid : 0) == 0)
		watch_for(watch, watch->mmaps.wakeup_fd);
	/* The files of -x are attached before the command starts. */
	if (watch->command && targets->exes_count == 0 &&
	    exec_hold__start(&watch->hold, watch->capture) == 0)
		watch_for(watch, watch->hold.fd);
	return 0;
}

int watch__news_fd(const struct watch *watch)
{
	return watch->news_fd;
}

static void tell_observer(void *context, const struct mmap_record *record)
{
	const struct watch *watch = context;

	if (watch->observer && follower__may_trace(&watch->follower, record))
		watch->observer(watch->observer_context, record);
}

static void on_mapped(void *context, const struct mmap_record *record)
{
	struct watch *watch = context;

	follower__mapped(&watch->follower, record);
	tell_observer(watch, record);
}

void watch__on_news(struct watch *watch)
{
	struct held_exec exec;

	while (exec_hold__next(&watch->hold, &exec))
		follower__held(&watch->follower, &watch->hold, &exec);
	if (mmap_records__drain(&watch->mmaps, on_mapped, watch))
		watch->follower.next_scan_ns = 0; /* some were lost */
}

void watch__observe_mappings(struct watch *watch, mmap_record_fn *observer, void *context)
{
	watch->observer = observer;
	watch->observer_context = context;
}

void watch__observe_the_last(struct watch *watch)
{
	mmap_records__drain(&watch->mmaps, tell_observer, watch);
}

void watch__let_go(struct watch *watch)
{
	exec_hold__stop(&watch->hold);
}

bool watch__saw_probes(const struct watch *watch)
{
	return watch->follower.saw_probes || capture__has_run_attached(watch->capture);
}

/* ---- the whole */

/* Other processes that run the same files are spared the probes, where the kernel can do that. What
 * the named processes fork could not be traced then, so this is for --no-children. */
static void choose_pids(struct watch *watch)
{
	const struct targets *targets = &watch->options->targets;

	if (targets->no_children && watch->command)
		attachments__only_pids(&watch->attachments, &watch->command->pid, 1);
	else if (targets->no_children)
		attachments__only_pids(&watch->attachments, targets->pids, targets->pids_count);
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
		code = capture__watch_switches(watch->capture, err);
	if (!code)
		code = attachments__open(&watch->attachments, watch->capture, err);
	if (!code)
		choose_pids(watch);
	if (!code && options->site >= 0)
		code = use_site(watch, (enum site_kind)options->site, err);
	if (!code)
		code = wanted_processes__add(watch->capture, &options->targets,
					     command ? command->pid : 0, err);
	return code ? code : open_news(watch, err);
}

void watch__close(struct watch *watch)
{
	watch__let_go(watch);
	mmap_records__close(&watch->mmaps);
	if (watch->news_fd > 0)
		close(watch->news_fd);
	watch->news_fd = 0;
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
	watch__on_news(watch);
	exec_hold__look_after(&watch->hold);
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
	mmap_records__close(&watch->mmaps);
	capture__disarm(watch->capture);
	attachments__close(&watch->attachments);
}

const char *watch__command_path(const struct watch *watch)
{
	return watch->command ? watch->command->path : NULL;
}
