// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/runner_reads.h"

#include <errno.h>
#include <stdlib.h>

#include "common/clock.h"

/* ---- lists and counts */

static struct open_process *one_more(struct inflight *inflight)
{
	if (inflight->processes_count == inflight->processes_room) {
		size_t room = inflight->processes_room ? 2 * inflight->processes_room : 16;
		struct open_process *moved = realloc(inflight->processes, room * sizeof(*moved));

		if (!moved)
			return NULL;
		inflight->processes = moved;
		inflight->processes_room = room;
	}
	return &inflight->processes[inflight->processes_count];
}

static size_t spans_count(const struct open_spans *spans)
{
	return spans->commands_count + spans->steps_count;
}

void runner_reads__count_unreadable(struct inflight *inflight, const struct error *err)
{
	if (inflight->unreadable++ == 0)
		inflight->first_failure = *err;
}

/* ---- runners whose memory is searched */

static struct planned_process *planned(struct collecting *collecting, pid_t pid)
{
	struct search_plan *plan = &collecting->search->plan;
	const struct process_link *link = process_tree__find(&collecting->tree, pid);

	return plan->share > 0 && link ? search_plan__process(plan, pid, link->born) : NULL;
}

static struct search_gaps gaps_of(const struct open_process *process)
{
	return (struct search_gaps){
		.is_partial = process->is_partial,
		.is_too_large = process->is_too_large,
		.swapped_bytes = process->counts.swapped_bytes,
		.left_out = process->spans.left_out,
	};
}

/* What the last whole search could not see is not seen now. */
static void take_gaps(struct open_process *process, const struct search_gaps *gaps)
{
	process->is_revisited = true;
	process->is_partial |= gaps->is_partial;
	process->is_too_large |= gaps->is_too_large;
	if (process->counts.swapped_bytes < gaps->swapped_bytes)
		process->counts.swapped_bytes = gaps->swapped_bytes;
	if (process->spans.left_out < gaps->left_out)
		process->spans.left_out = gaps->left_out;
}

/* With a plan, most looks search only what is known of a process. */
static int read_as_planned(struct collecting *collecting, struct open_process *process, pid_t pid,
			   struct error *err)
{
	struct search_plan *plan = &collecting->search->plan;
	struct planned_process *known = planned(collecting, pid);
	struct search_options options = {
		.limit_bytes = collecting->options->scan_bytes,
		.other_spans = collecting->spans_count,
		.list = &collecting->threads,
		.progress = collecting->progress,
	};
	uint64_t begun_ns = clock__thread_cpu_ns();
	struct search_gaps gaps;
	int code;

	if (known) {
		options.pages = planned_process__pages(known);
		options.only_pages =
			!search_plan__is_due(plan, known) && !collecting->search->is_whole;
	}
	code = open_process__read(process, pid, &options, err);
	if (code || !known)
		return code;
	if (options.only_pages) {
		take_gaps(process, planned_process__gaps(known));
		return 0;
	}
	gaps = gaps_of(process);
	search_plan__searched(plan, known, clock__thread_cpu_ns() - begun_ns, &gaps);
	return 0;
}

int runner_reads__search(struct collecting *collecting, pid_t pid)
{
	struct inflight *inflight = collecting->inflight;
	struct open_process *process = one_more(inflight);
	struct error err = {""};
	int code;

	if (!process)
		return error__set(collecting->err, -ENOMEM, "out of memory");
	code = read_as_planned(collecting, process, pid, &err);
	process->is_attached = collecting->is_attached;
	if (code == 0) {
		inflight->processes_count++;
		collecting->spans_count += spans_count(&process->spans);
		return 0;
	}
	open_process__close(process);
	if (code != -ESRCH)
		runner_reads__count_unreadable(inflight, &err);
	return 0;
}

/* ---- copies in forked processes
 *
 * A process that was forked in the middle of a command has a copy of its struct, at the same
 * address as its parent. A row of the child is known to be a copy only by the original. So where a
 * child was searched wholly, its pages are read in those of its ancestors that were not.
 */

static void share_pages(struct collecting *collecting, const struct open_process *process,
			pid_t ancestor)
{
	const struct tag_pages *pages = planned_process__pages(planned(collecting, process->pid));
	struct planned_process *known = planned(collecting, ancestor);
	uint64_t from, to;
	size_t at = 0;

	while (known && tag_pages__next(pages, &at, &from, &to))
		for (; from < to; from += TAG_PAGE_BYTES)
			tag_pages__add(planned_process__pages(known), from);
	if (known)
		tag_pages__settle(planned_process__pages(known));
}

/* Whether a descendant that was searched wholly has something open; then shares its pages. */
static bool takes_pages(struct collecting *collecting, const struct open_process *ancestor)
{
	const struct inflight *inflight = collecting->inflight;
	bool takes = false;

	for (size_t i = 0; i < inflight->processes_count; i++) {
		const struct open_process *process = &inflight->processes[i];

		if (process->is_revisited || !spans_count(&process->spans) ||
		    !planned(collecting, process->pid) ||
		    !process_tree__is_below(&collecting->tree, process->pid, ancestor->pid))
			continue;
		share_pages(collecting, process, ancestor->pid);
		takes = true;
	}
	return takes;
}

static void read_again(struct collecting *collecting, struct open_process *process)
{
	bool is_attached = process->is_attached;
	struct open_process again;
	struct error err;

	collecting->spans_count -= spans_count(&process->spans);
	if (read_as_planned(collecting, &again, process->pid, &err) == 0) {
		open_process__close(process);
		*process = again;
		process->is_attached = is_attached;
	} else {
		open_process__close(&again);
	}
	collecting->spans_count += spans_count(&process->spans);
}

void runner_reads__ancestors_again(struct collecting *collecting)
{
	struct inflight *inflight = collecting->inflight;

	for (size_t i = 0; i < inflight->processes_count; i++)
		if (inflight->processes[i].is_revisited &&
		    takes_pages(collecting, &inflight->processes[i]))
			read_again(collecting, &inflight->processes[i]);
}

/* ---- runners whose memory is not understood */

static void note_blind(struct inflight *inflight, pid_t pid)
{
	if (inflight->blind_count == inflight->blind_room) {
		size_t room = inflight->blind_room ? 2 * inflight->blind_room : 16;
		pid_t *moved = realloc(inflight->blind, room * sizeof(*moved));

		if (!moved)
			return;
		inflight->blind = moved;
		inflight->blind_room = room;
	}
	inflight->blind[inflight->blind_count++] = pid;
}

/* The links between processes were not read at one moment: there could be a cycle, so the
 * generations are counted. */
static bool is_seen(const struct collecting *collecting, pid_t pid)
{
	const struct seen_source *seen = collecting->options->seen;
	size_t generations = collecting->tree.count;

	for (; seen && pid > 0 && generations > 0; generations--) {
		if (seen->is_attached(seen->context, pid))
			return true;
		pid = process_tree__parent(&collecting->tree, pid);
	}
	return false;
}

static int take_seen(struct collecting *collecting, pid_t pid)
{
	const struct seen_source *seen = collecting->options->seen;
	const struct search_options options = {
		.other_spans = collecting->spans_count,
		.list = &collecting->threads,
	};
	struct inflight *inflight = collecting->inflight;
	struct open_process *process = one_more(inflight);
	struct error err = {""};
	int code;

	if (!process)
		return error__set(collecting->err, -ENOMEM, "out of memory");
	code = open_process__describe(process, pid, &options, &err);
	if (code) {
		open_process__close(process);
		if (code != -ESRCH)
			runner_reads__count_unreadable(inflight, &err);
		return 0;
	}
	process->is_seen = true;
	seen->add_spans(seen->context, pid, &process->spans);
	open_spans__link(&process->spans);
	inflight->seen++;
	inflight->processes_count++;
	collecting->spans_count += spans_count(&process->spans);
	return 0;
}

int runner_reads__blind(struct collecting *collecting, pid_t pid)
{
	struct inflight *inflight = collecting->inflight;

	inflight->newer_headers += collecting->has_newer_tags;
	inflight->older_headers += !collecting->has_newer_tags;
	note_blind(inflight, pid);
	return is_seen(collecting, pid) ? take_seen(collecting, pid) : 0;
}
