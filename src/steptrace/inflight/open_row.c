// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/open_row.h"

#include <string.h>

static void copy_step(struct open_row *row, const struct inflight_row *from)
{
	const struct open_step *steps = from->process->spans.steps;
	int at = from->step->parent;

	row->has_step = true;
	row->step = *from->step;
	row->step_age = from->step_age;
	/* Forged steps may form a cycle. */
	for (size_t i = 0; at != OPEN_NONE && i < OPEN_ROW_STEPS_MAX; i++, at = steps[at].parent) {
		struct outer_step *outer = &row->outer_steps[row->outer_steps_count++];

		outer->address = steps[at].span.address;
		outer->start_ns = steps[at].span.start_ns;
		outer->index = steps[at].index;
		memcpy(outer->type, steps[at].type, sizeof(outer->type));
		memcpy(outer->name, steps[at].name, sizeof(outer->name));
	}
}

static void copy_threads(struct open_row *row, const struct threads *threads)
{
	row->threads_count =
		threads->count < OPEN_ROW_THREADS_MAX ? threads->count : OPEN_ROW_THREADS_MAX;
	if (row->threads_count)
		memcpy(row->threads, threads->items, row->threads_count * sizeof(row->threads[0]));
}

void open_row__fill(struct open_row *row, const struct inflight *inflight,
		    const struct inflight_row *from)
{
	const struct open_process *process = from->process;

	*row = (struct open_row){
		.pid = process->pid,
		.uid = process->uid,
		.is_attached = process->is_attached,
		.is_seen = process->is_seen,
		.command = *from->command,
		.command_age = from->command_age,
		.has_thread = from->thread != NULL,
		.threads_total = process->threads.count + process->threads.left_out,
		.now_ns = inflight->now_ns,
	};
	memcpy(row->comm, process->comm, sizeof(row->comm));
	if (from->step)
		copy_step(row, from);
	if (from->thread)
		row->thread = *from->thread;
	else
		copy_threads(row, &process->threads);
}

/* ---- from another process */

#define ENDS(text) (memchr(text, 0, sizeof(text)) != NULL)

static bool thread_is_valid(const struct thread *thread)
{
	return ENDS(thread->comm) && ENDS(thread->wait_name);
}

static bool step_is_valid(const struct open_step *step)
{
	return ENDS(step->type) && ENDS(step->name);
}

bool open_row__is_valid(const struct open_row *row)
{
	const struct open_command *command = &row->command;
	bool valid = ENDS(row->comm) && ENDS(command->slug) && ENDS(command->user_id) &&
		     ENDS(command->request_source) && ENDS(command->correlation_id) &&
		     step_is_valid(&row->step) && thread_is_valid(&row->thread) &&
		     row->outer_steps_count <= OPEN_ROW_STEPS_MAX &&
		     row->threads_count <= OPEN_ROW_THREADS_MAX;

	for (size_t i = 0; valid && i < row->outer_steps_count; i++)
		valid = ENDS(row->outer_steps[i].type) && ENDS(row->outer_steps[i].name);
	for (size_t i = 0; valid && i < row->threads_count; i++)
		valid = thread_is_valid(&row->threads[i]);
	return valid;
}
