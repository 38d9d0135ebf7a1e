// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/process_maps.h"
#include "steptrace/attach/binary.h"
#include "steptrace/attach/proc.h"
#include "steptrace/attach/process_tree.h"
#include "steptrace/attach/semaphore.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/inflight/inflight_rows.h"
#include "steptrace/inflight/runner_reads.h"
#include "steptrace/inflight/tags.h"

/* ---- which processes */

/* Whether the binary is one of -x, or none was given. */
static bool is_wanted_binary(const struct collecting *collecting, const struct binary *binary)
{
	const struct inflight_search *search = collecting->search;

	for (size_t i = 0; i < search->named_count; i++)
		if (search->binaries.items[i] == binary)
			return true;
	return search->named_count == 0;
}

/* A process can have several binaries with probes: a tracer has to be attached to all of them. */
static void see_attachment(struct collecting *collecting, const struct binary *binary)
{
	uint16_t counter = 0;

	if (!collecting->options->sees_attachments)
		return;
	if (semaphore__read(process_maps__thread(collecting->pid), binary, &counter) || !counter)
		collecting->is_attached = false;
}

static int on_binary(struct binary *binary, void *context)
{
	struct collecting *collecting = context;

	if (binary__probes_count(binary) == 0 || !is_wanted_binary(collecting, binary))
		return 0;
	collecting->is_runner = true;
	if (binary->notes.tags_version == TAG_VERSION) {
		collecting->has_tags = true;
		see_attachment(collecting, binary);
	} else if (binary->notes.tags_version) {
		collecting->has_newer_tags = true;
	}
	return 0;
}

static bool is_wanted_pid(const struct collecting *collecting, pid_t pid)
{
	const struct targets *targets = &collecting->options->targets;

	if (collecting->options->is_wanted)
		return collecting->options->is_wanted(collecting->options->is_wanted_context, pid);
	if (targets->pids_count == 0)
		return true;
	for (size_t i = 0; i < targets->pids_count; i++)
		if (pid == targets->pids[i] ||
		    (!targets->no_children &&
		     process_tree__is_below(&collecting->tree, pid, targets->pids[i])))
			return true;
	return false;
}

static int look_at(struct collecting *collecting, pid_t pid)
{
	struct inflight *inflight = collecting->inflight;
	struct error err;
	int code;

	collecting->pid = pid;
	collecting->is_runner = collecting->has_tags = collecting->has_newer_tags = false;
	collecting->is_attached = collecting->options->sees_attachments;
	code = binaries__of_process(&collecting->search->binaries, pid, on_binary, collecting,
				    &err);
	if (code == -EACCES && collecting->options->targets.pids_count)
		runner_reads__count_unreadable(inflight, &err);
	else if (code == -EACCES)
		inflight->unseen++;
	if (code || !collecting->is_runner)
		return 0;
	inflight->runners++;
	if (collecting->has_tags && collecting->search->only_headers)
		return 0;
	return collecting->has_tags ? runner_reads__search(collecting, pid)
				    : runner_reads__blind(collecting, pid);
}

/* ---- since when threads do not run */

/* Without a list, no age comes from a thread. The next look does not try again: on kernels before
 * 5.19 the caller may have had the right only before it gave up root. */
static void list_threads(struct inflight_search *search, struct thread_list *list)
{
	int code = thread_times__list(search->times, list);

	if (!code)
		return;
	thread_list__free(list);
	thread_times__close(search->times);
	search->times = NULL;
	error__set(&search->why, code, "the kernel does not list the threads: %s%s",
		   strerror(-code),
		   code == -EPERM ? " (kernels before 5.19 need the sysctl "
				    "kernel.unprivileged_bpf_disabled to be 0)"
				  : "");
}

/* ---- all processes */

static int check_pids(struct collecting *collecting)
{
	const struct targets *targets = &collecting->options->targets;
	int code = 0;

	for (size_t i = 0; i < targets->pids_count && !code; i++)
		code = targets__check_pid(targets->pids[i], collecting->err);
	return code;
}

static int look_at_all(struct collecting *collecting)
{
	int code = process_tree__read(&collecting->tree);

	list_threads(collecting->search, &collecting->threads);
	if (code)
		return error__set(collecting->err, code, "cannot read /proc: %s", strerror(-code));
	for (size_t i = 0; i < collecting->tree.count && !code; i++)
		if (is_wanted_pid(collecting, collecting->tree.items[i].pid))
			code = look_at(collecting, collecting->tree.items[i].pid);
	return code;
}

/* ---- everything */

static void take_times(struct collecting *collecting)
{
	struct inflight *inflight = collecting->inflight;
	struct thread_list list;

	list_threads(collecting->search, &list);
	for (size_t i = 0; i < inflight->processes_count; i++)
		threads__take_times(&inflight->processes[i].threads, &list,
				    inflight->processes[i].searched_ns);
	thread_list__free(&list);
}

static void count_process(struct inflight *inflight, const struct open_process *process)
{
	inflight->revisited += process->is_revisited;
	inflight->searched_bytes += process->counts.read_bytes;
	inflight->swapped_bytes += process->counts.swapped_bytes;
	inflight->invalid += process->spans.invalid;
	inflight->left_out += process->spans.left_out;
	inflight->partial += process->is_partial;
	inflight->too_large += process->is_too_large;
}

static void count_all(struct inflight *inflight, const struct search_plan *plan)
{
	for (size_t i = 0; i < inflight->processes_count; i++)
		count_process(inflight, &inflight->processes[i]);
	inflight->planned_ns = plan->look_cpu_ns;
	inflight->whole_period_ns = search_plan__period_ns(plan);
}

int inflight__collect(struct inflight *inflight, struct inflight_search *search,
		      const struct search_progress *progress, struct error *err)
{
	struct collecting collecting = {.inflight = inflight,
					.options = search->options,
					.search = search,
					.progress = progress,
					.err = err};
	int code;

	*inflight = (struct inflight){0};
	search->visits = search->binaries.visits;
	if (!search->only_headers)
		search_plan__begin_look(&search->plan, clock__now_ns());
	code = check_pids(&collecting);
	if (!code)
		code = look_at_all(&collecting);
	if (!code && !search->only_headers) {
		runner_reads__ancestors_again(&collecting);
		search_plan__end_look(&search->plan);
	}
	count_all(inflight, &search->plan);
	take_times(&collecting);
	inflight->now_ns = clock__now_ns();
	if (!code)
		code = inflight__make_rows(inflight, search->options, &collecting.tree, err);
	process_tree__free(&collecting.tree);
	thread_list__free(&collecting.threads);
	return code;
}

void inflight__free(struct inflight *inflight)
{
	for (size_t i = 0; i < inflight->processes_count; i++)
		open_process__close(&inflight->processes[i]);
	free(inflight->processes);
	free(inflight->rows);
	free(inflight->blind);
	*inflight = (struct inflight){0};
}

/* ---- the files of -x */

static int open_named(struct inflight_search *search, struct error *err)
{
	const struct targets *targets = &search->options->targets;
	struct binary *binary;
	int code = 0;

	for (size_t i = 0; i < targets->exes_count && !code; i++) {
		code = binaries__add(&search->binaries, targets->exes[i], targets->exes[i], &binary,
				     err);
		if (!code && binary__probes_count(binary) == 0)
			code = error__set(err, -ENOENT,
					  "there are no steptrace probes in '%s' (usdt/README.md "
					  "says how to add them)",
					  targets->exes[i]);
	}
	search->named_count = search->binaries.count;
	return code;
}

int inflight_search__open(struct inflight_search *search, const struct inflight_options *options,
			  struct error *err)
{
	struct caller_rights saved;
	int code = proc__check(err);

	*search = (struct inflight_search){
		.options = options,
		.plan = {.share = options->whole_share, .max_age_ns = options->older_than_ns},
	};
	thread_times__open(&search->times, &search->why);
	if (!code)
		code = caller_rights__use(&saved, err);
	if (code)
		return code;
	code = open_named(search, err);
	caller_rights__end(&saved);
	return code;
}

void inflight_search__forget(struct inflight_search *search)
{
	binaries__forget(&search->binaries, search->named_count, search->visits);
}

void inflight_search__close(struct inflight_search *search)
{
	binaries__close(&search->binaries);
	search_plan__close(&search->plan);
	thread_times__close(search->times);
}
