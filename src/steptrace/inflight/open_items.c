// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/open_items.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steptrace/inflight/inflight_rows.h"

/* What was visited, of all processes: those of a process are behind those of the process before. */
struct visit {
	const struct inflight *inflight;
	const struct open_items_visitor *visitor;
	size_t *first_command, *first_step; /* of each process: its first one */
	bool *commands, *steps;
};

/* An exact age is that of the moment when the span was read: the span may have ended since. */
static void set_age(struct open_item *item, const struct visit *visit, const struct open_span *span,
		    const struct age *age)
{
	item->is_age_known = age->is_known;
	item->age_ns = age->is_known ? span->seen_ns - span->start_ns : age->ns;
	item->seen_ns = age->is_known ? span->seen_ns : visit->inflight->now_ns;
}

/* As in events. */
static void set_name(char *text, size_t bytes, const char *from)
{
	snprintf(text, bytes, "%s", from[0] ? from : "unnamed");
}

static void tell_command(const struct visit *visit, const struct inflight_row *row)
{
	const struct open_command *command = row->command;
	struct open_item item = {
		.pid = (uint32_t)row->process->pid,
		.uid = row->process->uid,
	};

	memcpy(item.execution_id, command->execution_id, sizeof(item.execution_id));
	set_age(&item, visit, &command->span, &row->command_age);
	set_name(item.slug, sizeof(item.slug), command->slug);
	memcpy(item.user_id, command->user_id, sizeof(item.user_id));
	memcpy(item.request_source, command->request_source, sizeof(item.request_source));
	visit->visitor->each(visit->visitor->context, &item);
}

static void tell_step(const struct visit *visit, const struct inflight_row *row,
		      const struct open_step *step, const struct age *age)
{
	struct open_item item = {
		.pid = (uint32_t)row->process->pid,
		.uid = row->process->uid,
		.is_step = true,
	};

	memcpy(item.execution_id, row->command->execution_id, sizeof(item.execution_id));
	memcpy(item.step_id, step->step_id, sizeof(item.step_id));
	set_age(&item, visit, &step->span, age);
	set_name(item.slug, sizeof(item.slug), row->command->slug);
	memcpy(item.user_id, row->command->user_id, sizeof(item.user_id));
	memcpy(item.request_source, row->command->request_source, sizeof(item.request_source));
	set_name(item.step_type, sizeof(item.step_type), step->type);
	memcpy(item.step_name, step->name, sizeof(item.step_name));
	visit->visitor->each(visit->visitor->context, &item);
}

/* The innermost step, and those that contain it: each is at least as old as the one inside. Where
 * one was told before, so were all around it; forged steps that form a cycle end there, too. */
static void visit_steps(const struct visit *visit, const struct inflight_row *row, bool *told)
{
	const struct open_step *steps = row->process->spans.steps;
	struct age age = row->step_age;

	for (int at = (int)(row->step - steps); at != OPEN_NONE && !told[at];
	     at = steps[at].parent) {
		if (&steps[at] != row->step)
			age = inflight__step_age(row->process, &steps[at], age.ns,
						 visit->inflight->now_ns);
		told[at] = true;
		tell_step(visit, row, &steps[at], &age);
	}
}

static void visit_row(const struct visit *visit, const struct inflight_row *row)
{
	size_t process = (size_t)(row->process - visit->inflight->processes);
	bool *told = &visit->commands[visit->first_command[process] +
				      (size_t)(row->command - row->process->spans.commands)];

	if (visit->visitor->wants && !visit->visitor->wants(visit->visitor->context, row))
		return;
	if (!*told && !row->is_command_copy)
		tell_command(visit, row);
	*told = true;
	if (row->step)
		visit_steps(visit, row, &visit->steps[visit->first_step[process]]);
}

static bool make_room(struct visit *visit)
{
	const struct inflight *inflight = visit->inflight;
	size_t commands = 0, steps = 0;

	visit->first_command = calloc(inflight->processes_count + 1, sizeof(size_t));
	visit->first_step = calloc(inflight->processes_count + 1, sizeof(size_t));
	if (!visit->first_command || !visit->first_step)
		return false;
	for (size_t i = 0; i < inflight->processes_count; i++) {
		visit->first_command[i] = commands;
		visit->first_step[i] = steps;
		commands += inflight->processes[i].spans.commands_count;
		steps += inflight->processes[i].spans.steps_count;
	}
	visit->commands = calloc(commands + 1, sizeof(bool));
	visit->steps = calloc(steps + 1, sizeof(bool));
	return visit->commands && visit->steps;
}

int open_items__visit(const struct inflight *inflight, const struct open_items_visitor *visitor)
{
	struct visit visit = {.inflight = inflight, .visitor = visitor};
	bool has_room = make_room(&visit);

	for (size_t i = 0; has_room && i < inflight->rows_count; i++)
		visit_row(&visit, &inflight->rows[i]);
	free(visit.first_command);
	free(visit.first_step);
	free(visit.commands);
	free(visit.steps);
	return has_room ? 0 : -ENOMEM;
}
