// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/inflight_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct making {
	struct inflight *inflight;
	const struct inflight_options *options;
	const struct process_tree *tree;
};

/* ---- ages */

static struct age age_of(const struct open_span *span, uint64_t now_ns)
{
	bool is_known = span->start_ns != 0;
	uint64_t since_ns = is_known ? span->start_ns : span->open_since_ns;

	return (struct age){since_ns && since_ns < now_ns ? now_ns - since_ns : 0, is_known};
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
	struct age age = age_of(&step->span, now_ns);

	raise_by_thread(&age, threads__on_stack(&process->threads, step->span.address), now_ns);
	raise(&age, inner_ns);
	return age;
}

static struct age command_age(const struct open_process *process,
			      const struct open_command *command, uint64_t now_ns)
{
	struct age age = age_of(&command->span, now_ns);

	raise_by_thread(&age, threads__on_stack(&process->threads, command->span.address), now_ns);
	return age;
}

/* ---- one row for each innermost step, or command without a step */

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

/* A copy may have an id that the other one has not: each process makes it when it needs one, and a
 * tracer may have been attached in between. */
static bool may_be_same_id(const uint8_t one[16], const uint8_t other[16])
{
	static const uint8_t none[16];

	return memcmp(one, other, sizeof(none)) == 0 || memcmp(one, none, sizeof(none)) == 0 ||
	       memcmp(other, none, sizeof(none)) == 0;
}

static bool is_same_command(const struct open_command *one, const struct open_command *other)
{
	return one->span.address == other->span.address &&
	       one->span.start_ns == other->span.start_ns &&
	       may_be_same_id(one->execution_id, other->execution_id) &&
	       strcmp(one->slug, other->slug) == 0 &&
	       strcmp(one->correlation_id, other->correlation_id) == 0;
}

static bool is_same_step(const struct open_step *one, const struct open_step *other)
{
	return one->span.address == other->span.address &&
	       one->span.start_ns == other->span.start_ns &&
	       may_be_same_id(one->step_id, other->step_id) &&
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

/* The processes were looked at in the order of their pids. */
const struct open_process *inflight__process(const struct inflight *inflight, pid_t pid)
{
	const struct open_process wanted = {.pid = pid};

	return inflight->processes_count
		       ? bsearch(&wanted, inflight->processes, inflight->processes_count,
				 sizeof(wanted), by_pid)
		       : NULL;
}

/* The links between processes were not read at one moment: there could be a cycle, so the
 * generations are counted. */
static bool is_copy(const struct making *making, const struct inflight_row *row, bool of_command)
{
	pid_t pid = row->process->pid;

	for (size_t i = 0; i < making->tree->count; i++) {
		const struct open_process *found;

		pid = process_tree__parent(making->tree, pid);
		if (pid <= 0)
			return false;
		found = inflight__process(making->inflight, pid);
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

static void remove_rows(const struct making *making)
{
	const struct inflight_options *options = making->options;
	struct inflight *inflight = making->inflight;
	size_t kept = 0;

	for (size_t i = 0; i < inflight->rows_count; i++) {
		inflight->rows[i].is_command_copy = is_copy(making, &inflight->rows[i], true);
		if (inflight->rows[i].is_command_copy && is_copy(making, &inflight->rows[i], false))
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

/* ---- all rows */

int inflight__make_rows(struct inflight *inflight, const struct inflight_options *options,
			const struct process_tree *tree, struct error *err)
{
	const struct making making = {inflight, options, tree};
	size_t most = 0;

	for (size_t i = 0; i < inflight->processes_count; i++)
		most += inflight->processes[i].spans.commands_count +
			inflight->processes[i].spans.steps_count;
	inflight->rows = calloc(most ? most : 1, sizeof(*inflight->rows));
	if (!inflight->rows)
		return error__set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < inflight->processes_count; i++)
		add_rows(inflight, &inflight->processes[i]);
	remove_rows(&making);
	qsort(inflight->rows, inflight->rows_count, sizeof(*inflight->rows), oldest_first);
	return 0;
}
