// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/search_plan.h"

#include <stdlib.h>

/* When memory is short, HASH_ADD leaves the process out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

/* What is saved while nothing has to be searched. */
#define BALANCE_MAX_NS 1000000000ll

struct planned_process {
	pid_t pid; /* the key */
	uint64_t born;
	uint64_t look;        /* of the plan, in which it was seen last */
	uint64_t round;       /* in which it was searched last; 0: never */
	uint64_t searched_ns; /* CLOCK_MONOTONIC: when the look of its last search began */
	bool is_in_table;
	struct tag_pages pages;
	UT_hash_handle hh;
};

void search_plan__begin_look(struct search_plan *plan, uint64_t now_ns)
{
	if (plan->looks++ == 0)
		plan->round = 1;
	else
		plan->balance_ns += (int64_t)((double)(now_ns - plan->look_ns) * plan->share);
	if (plan->balance_ns > BALANCE_MAX_NS)
		plan->balance_ns = BALANCE_MAX_NS;
	plan->look_ns = now_ns;
	plan->again_ns = 0;
	plan->must_wait = false;
}

static void remove_process(struct search_plan *plan, struct planned_process *process)
{
	HASH_DEL(plan->processes, process);
	tag_pages__free(&process->pages);
	free(process);
}

static struct planned_process *add_process(struct search_plan *plan, pid_t pid, uint64_t born)
{
	struct planned_process *process = calloc(1, sizeof(*process));

	if (!process)
		return NULL;
	process->pid = pid;
	process->born = born;
	process->is_in_table = true;
	HASH_ADD(hh, plan->processes, pid, sizeof(process->pid), process);
	if (process->is_in_table)
		return process;
	free(process);
	return NULL;
}

struct planned_process *search_plan__process(struct search_plan *plan, pid_t pid, uint64_t born)
{
	struct planned_process *process;

	HASH_FIND(hh, plan->processes, &pid, sizeof(pid), process);
	if (process && process->born != born) {
		remove_process(plan, process);
		process = NULL;
	}
	if (!process)
		process = add_process(plan, pid, born);
	if (process)
		process->look = plan->looks;
	return process;
}

bool search_plan__is_due(struct search_plan *plan, const struct planned_process *process)
{
	if (process->round == 0)
		return true;
	if (plan->max_age_ns && plan->look_ns - process->searched_ns >= plan->max_age_ns)
		return true;
	if (process->round == plan->round)
		return false;
	if (plan->balance_ns > 0)
		return true;
	plan->must_wait = true;
	return false;
}

void search_plan__searched(struct search_plan *plan, struct planned_process *process,
			   uint64_t cpu_ns)
{
	if (process->round)
		plan->again_ns += cpu_ns;
	plan->balance_ns -= (int64_t)cpu_ns;
	plan->round_cpu_ns += cpu_ns;
	process->round = plan->round;
	process->searched_ns = plan->look_ns;
	tag_pages__age(&process->pages);
}

struct tag_pages *planned_process__pages(struct planned_process *process)
{
	return &process->pages;
}

void search_plan__end_look(struct search_plan *plan)
{
	struct planned_process *next;

	for (struct planned_process *process = plan->processes; process; process = next) {
		next = process->hh.next;
		if (process->look == plan->looks)
			tag_pages__settle(&process->pages);
		else
			remove_process(plan, process);
	}
	if (plan->must_wait)
		return;
	plan->round++;
	plan->last_round_cpu_ns = plan->round_cpu_ns;
	plan->round_cpu_ns = 0;
}

uint64_t search_plan__period_ns(const struct search_plan *plan)
{
	uint64_t cpu_ns = plan->last_round_cpu_ns > plan->round_cpu_ns ? plan->last_round_cpu_ns
								       : plan->round_cpu_ns;

	return plan->share > 0 ? (uint64_t)((double)cpu_ns / plan->share) : 0;
}

void search_plan__close(struct search_plan *plan)
{
	struct planned_process *next;

	for (struct planned_process *process = plan->processes; process; process = next) {
		next = process->hh.next;
		remove_process(plan, process);
	}
	*plan = (struct search_plan){0};
}
