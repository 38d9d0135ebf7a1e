// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/inflight/search_plan.h"

#include <stdlib.h>

/* When memory is short, HASH_ADD leaves the process out and calls the second macro. It never calls
 * exit(). */
#define HASH_NONFATAL_OOM        1
#define uthash_nonfatal_oom(add) ((add)->is_in_table = false)
#include <uthash.h>

/* What is saved while nothing has to be searched; more, if a round takes more. */
#define SAVED_MAX_NS 1000000000ull

/* Of the share. */
#define FOR_TURNS 0.8
#define FOR_NEW   0.2

struct planned_process {
	pid_t pid; /* the key */
	uint64_t born;
	uint64_t look;        /* of the plan, in which it was seen last */
	uint64_t round;       /* in which it was searched last; 0: never */
	uint64_t searched_ns; /* CLOCK_MONOTONIC: when the look of its last search began */
	uint64_t cpu_ns;      /* that this search took */
	struct search_gaps gaps;
	bool is_in_table;
	struct tag_pages pages;
	UT_hash_handle hh;
};

static uint64_t larger(uint64_t one, uint64_t other)
{
	return one > other ? one : other;
}

static void save(int64_t *saved_ns, uint64_t ns, uint64_t max_ns)
{
	*saved_ns += (int64_t)ns;
	if (*saved_ns > (int64_t)max_ns)
		*saved_ns = (int64_t)max_ns;
}

void search_plan__begin_look(struct search_plan *plan, uint64_t now_ns)
{
	double passed_ns = plan->looks ? (double)(now_ns - plan->look_ns) : 0;
	double earned_ns = passed_ns * plan->share;

	if (plan->looks++ == 0)
		plan->round = 1;
	save(&plan->for_turns_ns, (uint64_t)(earned_ns * FOR_TURNS),
	     larger(SAVED_MAX_NS, plan->last_round_cpu_ns));
	save(&plan->for_new_ns, (uint64_t)(earned_ns * FOR_NEW), SAVED_MAX_NS);
	plan->look_ns = now_ns;
	plan->look_cpu_ns = 0;
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

/* So that its own searches take no more than their part of the share. */
static bool is_at_its_pace(const struct search_plan *plan, const struct planned_process *process)
{
	double since_ns = (double)(plan->look_ns - process->searched_ns);

	return since_ns * plan->share * FOR_TURNS >= (double)process->cpu_ns;
}

bool search_plan__is_due(struct search_plan *plan, const struct planned_process *process)
{
	if (plan->max_age_ns && plan->look_ns - process->searched_ns >= plan->max_age_ns)
		return true;
	if (process->round == 0)
		return plan->looks == 1 || plan->for_new_ns > 0;
	if (process->round == plan->round || !is_at_its_pace(plan, process))
		return false;
	if (plan->for_turns_ns > 0)
		return true;
	plan->must_wait = true;
	return false;
}

static void pay(struct search_plan *plan, const struct planned_process *process, uint64_t cpu_ns)
{
	if (process->round)
		plan->for_turns_ns -= (int64_t)cpu_ns;
	else if (plan->looks > 1)
		plan->for_new_ns -= (int64_t)cpu_ns;
	plan->look_cpu_ns += cpu_ns;
	plan->round_cpu_ns += cpu_ns;
}

void search_plan__searched(struct search_plan *plan, struct planned_process *process,
			   uint64_t cpu_ns, const struct search_gaps *gaps)
{
	pay(plan, process, cpu_ns);
	process->round = plan->round;
	process->searched_ns = plan->look_ns;
	process->cpu_ns = cpu_ns;
	process->gaps = *gaps;
	tag_pages__age(&process->pages);
}

struct tag_pages *planned_process__pages(struct planned_process *process)
{
	return &process->pages;
}

const struct search_gaps *planned_process__gaps(const struct planned_process *process)
{
	return &process->gaps;
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
	uint64_t cpu_ns = larger(plan->last_round_cpu_ns, plan->round_cpu_ns);
	uint64_t period_ns =
		plan->share > 0 ? (uint64_t)((double)cpu_ns / (plan->share * FOR_TURNS)) : 0;

	return plan->max_age_ns && plan->max_age_ns < period_ns ? plan->max_age_ns : period_ns;
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
