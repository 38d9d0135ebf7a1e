// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/inflight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/attach/binary.h"
#include "steptrace/attach/proc.h"
#include "steptrace/attach/process_maps.h"
#include "steptrace/attach/process_tree.h"
#include "steptrace/attach/semaphore.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/inflight/tags.h"

struct collecting {
	struct inflight *inflight;
	const struct inflight_options *options;
	struct inflight_search *search;
	const struct search_progress *progress;
	struct process_tree tree;
	struct thread_list threads; /* before the search */
	struct error *err;
	/* of the process that is looked at */
	pid_t pid;
	bool is_runner, has_tags, has_newer_tags, is_attached;
};

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

/* ---- one process */

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

static void count_process(struct inflight *inflight, const struct open_process *process)
{
	inflight->searched_bytes += process->counts.read_bytes;
	inflight->swapped_bytes += process->counts.swapped_bytes;
	inflight->invalid += process->spans.invalid;
	inflight->left_out += process->spans.left_out;
	inflight->partial += process->is_partial;
	inflight->too_large += process->is_too_large;
}

static void count_unreadable(struct inflight *inflight, const struct error *err)
{
	if (inflight->unreadable++ == 0)
		inflight->first_failure = *err;
}

static int search(struct collecting *collecting, pid_t pid)
{
	struct inflight *inflight = collecting->inflight;
	struct open_process *process = one_more(inflight);
	const struct search_options options = {
		.limit_bytes = collecting->options->scan_bytes,
		.list = &collecting->threads,
		.progress = collecting->progress,
	};
	struct error err = {""};
	int code;

	if (!process)
		return error__set(collecting->err, -ENOMEM, "out of memory");
	code = open_process__read(process, pid, &options, &err);
	process->is_attached = collecting->is_attached;
	if (code == 0) {
		inflight->processes_count++;
		count_process(inflight, process);
		return 0;
	}
	open_process__close(process);
	if (code != -ESRCH)
		count_unreadable(inflight, &err);
	return 0;
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
		count_unreadable(inflight, &err);
	else if (code == -EACCES)
		inflight->unseen++;
	if (code || !collecting->is_runner)
		return 0;
	inflight->runners++;
	if (collecting->has_tags)
		return search(collecting, pid);
	inflight->newer_headers += collecting->has_newer_tags;
	inflight->older_headers += !collecting->has_newer_tags;
	return 0;
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

/* ---- rows */

static struct age age_of(uint64_t start_ns, uint64_t now_ns)
{
	return start_ns ? (struct age){now_ns - start_ns, true} : (struct age){0, false};
}

static void raise(struct age *age, uint64_t at_least_ns)
{
	if (!age->is_known && at_least_ns > age->ns)
		age->ns = at_least_ns;
}

/* A thread that does not run cannot have begun what is on its stack since. */
static void raise_by_thread(struct age *age, const struct thread *thread, uint64_t now_ns)
{
	if (thread && thread->off_cpu_since_ns && thread->off_cpu_since_ns <= now_ns)
		raise(age, now_ns - thread->off_cpu_since_ns);
}

struct age inflight__step_age(const struct open_process *process, const struct open_step *step,
			      uint64_t inner_ns, uint64_t now_ns)
{
	struct age age = age_of(step->span.start_ns, now_ns);

	raise_by_thread(&age, threads__on_stack(&process->threads, step->span.address), now_ns);
	raise(&age, inner_ns);
	return age;
}

static struct age command_age(const struct open_process *process,
			      const struct open_command *command, uint64_t now_ns)
{
	struct age age = age_of(command->span.start_ns, now_ns);

	raise_by_thread(&age, threads__on_stack(&process->threads, command->span.address), now_ns);
	return age;
}

static void add_row(struct inflight *inflight, const struct open_process *process,
		    const struct open_command *command, const struct open_step *step)
{
	uint64_t now_ns = inflight->now_ns;
	struct inflight_row *row = &inflight->rows[inflight->rows_count++];

	*row = (struct inflight_row){
		.process = process,
		.command = command,
		.step = step,
		.thread = threads__on_stack(&process->threads,
					    step ? step->span.address : command->span.address),
		.command_age = command_age(process, command, now_ns),
	};
	if (!step)
		return;
	row->step_age = inflight__step_age(process, step, 0, now_ns);
	raise(&row->command_age, row->step_age.ns);
}

/* Several rows of one command: what one of them knows of its age holds for all. */
static void share_ages(struct inflight *inflight, size_t first)
{
	size_t next;

	for (size_t i = first; i < inflight->rows_count; i = next) {
		uint64_t oldest_ns = 0;

		for (next = i; next < inflight->rows_count &&
			       inflight->rows[next].command == inflight->rows[i].command;
		     next++)
			if (inflight->rows[next].command_age.ns > oldest_ns)
				oldest_ns = inflight->rows[next].command_age.ns;
		for (size_t at = i; at < next; at++)
			raise(&inflight->rows[at].command_age, oldest_ns);
	}
}

static int by_command(const void *one, const void *other)
{
	const struct inflight_row *first = one, *second = other;

	if (first->command != second->command)
		return first->command < second->command ? -1 : 1;
	return first->step < second->step ? -1 : first->step > second->step;
}

static void add_rows(struct inflight *inflight, const struct open_process *process)
{
	const struct open_spans *spans = &process->spans;
	size_t first = inflight->rows_count;

	for (size_t i = 0; i < spans->steps_count; i++)
		if (!spans->steps[i].has_inner)
			add_row(inflight, process, &spans->commands[spans->steps[i].command],
				&spans->steps[i]);
	for (size_t i = 0; i < spans->commands_count; i++)
		if (!spans->commands[i].has_steps)
			add_row(inflight, process, &spans->commands[i], NULL);
	qsort(&inflight->rows[first], inflight->rows_count - first, sizeof(*inflight->rows),
	      by_command);
	share_ages(inflight, first);
}

static int oldest_first(const void *one, const void *other)
{
	const struct inflight_row *first = one, *second = other;

	if (first->command_age.ns != second->command_age.ns)
		return first->command_age.ns > second->command_age.ns ? -1 : 1;
	if (first->process->pid != second->process->pid)
		return first->process->pid < second->process->pid ? -1 : 1;
	if (first->step_age.ns != second->step_age.ns)
		return first->step_age.ns > second->step_age.ns ? -1 : 1;
	return by_command(one, other);
}

/* ---- copies in forked processes */

static bool is_same_command(const struct open_command *one, const struct open_command *other)
{
	return one->span.address == other->span.address &&
	       one->span.start_ns == other->span.start_ns &&
	       memcmp(one->execution_id, other->execution_id, sizeof(one->execution_id)) == 0 &&
	       strcmp(one->slug, other->slug) == 0 &&
	       strcmp(one->correlation_id, other->correlation_id) == 0;
}

static bool is_same_step(const struct open_step *one, const struct open_step *other)
{
	return one->span.address == other->span.address &&
	       one->span.start_ns == other->span.start_ns &&
	       memcmp(one->step_id, other->step_id, sizeof(one->step_id)) == 0 &&
	       strcmp(one->type, other->type) == 0 && strcmp(one->name, other->name) == 0;
}

static const struct open_command *same_command(const struct open_process *process,
					       const struct open_command *command)
{
	int found = open_spans__find_command(&process->spans, command->span.address);

	return found != OPEN_NONE && is_same_command(&process->spans.commands[found], command)
		       ? &process->spans.commands[found]
		       : NULL;
}

/* Whether `process` has open what the row of another process shows: the command, or the step. */
static bool has_original(const struct open_process *process, const struct inflight_row *row,
			 bool of_command)
{
	const struct open_command *command = same_command(process, row->command);
	int step;

	if (!command || !row->step || of_command)
		return command != NULL;
	step = open_spans__find_step(&process->spans, row->step->span.address);
	return step != OPEN_NONE && is_same_step(&process->spans.steps[step], row->step);
}

static int by_pid(const void *one, const void *other)
{
	const struct open_process *first = one, *second = other;

	return (first->pid > second->pid) - (first->pid < second->pid);
}

/* The processes were looked at in the order of their pids. The links between processes were not
 * read at one moment: there could be a cycle, so the generations are counted. */
static bool is_copy(const struct collecting *collecting, const struct inflight_row *row,
		    bool of_command)
{
	const struct inflight *inflight = collecting->inflight;
	struct open_process ancestor = {.pid = row->process->pid};

	for (size_t i = 0; i < collecting->tree.count; i++) {
		const struct open_process *found;

		ancestor.pid = process_tree__parent(&collecting->tree, ancestor.pid);
		if (ancestor.pid <= 0)
			return false;
		found = bsearch(&ancestor, inflight->processes, inflight->processes_count,
				sizeof(ancestor), by_pid);
		if (found && has_original(found, row, of_command))
			return true;
	}
	return false;
}

static bool is_wanted_command(const struct inflight_options *options,
			      const struct inflight_row *row)
{
	const char *slug = row->command->slug[0] ? row->command->slug : "unnamed";

	return !options->has_command ||
	       glob__matches(&options->command, slug, sizeof(row->command->slug));
}

static void remove_rows(struct collecting *collecting)
{
	const struct inflight_options *options = collecting->options;
	struct inflight *inflight = collecting->inflight;
	size_t kept = 0;

	for (size_t i = 0; i < inflight->rows_count; i++) {
		inflight->rows[i].is_command_copy = is_copy(collecting, &inflight->rows[i], true);
		if (inflight->rows[i].is_command_copy &&
		    is_copy(collecting, &inflight->rows[i], false))
			inflight->copies++;
		else if (!is_wanted_command(options, &inflight->rows[i]))
			continue;
		else if (inflight->rows[i].command_age.ns >= options->older_than_ns)
			inflight->rows[kept++] = inflight->rows[i];
		else if (!inflight->rows[i].command_age.ns)
			inflight->ageless++;
	}
	inflight->rows_count = kept;
}

static int make_rows(struct collecting *collecting)
{
	struct inflight *inflight = collecting->inflight;
	size_t most = 0;

	for (size_t i = 0; i < inflight->processes_count; i++)
		most += inflight->processes[i].spans.commands_count +
			inflight->processes[i].spans.steps_count;
	inflight->rows = calloc(most ? most : 1, sizeof(*inflight->rows));
	if (!inflight->rows)
		return error__set(collecting->err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < inflight->processes_count; i++)
		add_rows(inflight, &inflight->processes[i]);
	remove_rows(collecting);
	qsort(inflight->rows, inflight->rows_count, sizeof(*inflight->rows), oldest_first);
	return 0;
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
	code = check_pids(&collecting);
	if (!code)
		code = look_at_all(&collecting);
	take_times(&collecting);
	inflight->now_ns = clock__now_ns();
	if (!code)
		code = make_rows(&collecting);
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

	*search = (struct inflight_search){.options = options};
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
	thread_times__close(search->times);
}
