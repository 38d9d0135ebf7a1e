// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/site_choice.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "steptrace/attach/site_trial.h"

/* ---- a BPF map in which the empty program counts its runs */

static int new_counter(void)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(uint32_t);
	attr.value_size = sizeof(uint64_t);
	attr.max_entries = 1;
	fd = (int)syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

static uint64_t counter_value(int fd)
{
	uint32_t key = 0;
	uint64_t value = 0;
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)fd;
	attr.key = (uint64_t)(uintptr_t)&key;
	attr.value = (uint64_t)(uintptr_t)&value;
	syscall(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &attr, sizeof(attr));
	return value;
}

/* ---- measuring */

struct measurer {
	struct site_trial trial;
	enum uprobe_method method;
	int counter, program; /* descriptors */
};

/* The kernel leaves out a run of the program that would interrupt another one on the same
 * processor. */
enum { ATTEMPTS = 3 };

/* Returns 0 where the probe cannot be attached or does not fire at every hit. The program also
 * counts the hits of another steptrace that measures at the same time, in the same file. */
static double measure_kind(const struct measurer *measurer, enum site_kind kind,
			   struct uprobe *held)
{
	struct uprobe_place place = site_trial__place(&measurer->trial, kind);

	if (uprobe__attach(measurer->program, measurer->method, measurer->trial.file_fd, &place,
			   held))
		return 0;
	for (int i = 0; i < ATTEMPTS; i++) {
		uint64_t before = counter_value(measurer->counter);
		double ns = site_trial__hit_ns(kind, NULL);

		if (counter_value(measurer->counter) - before >= SITE_TRIAL_HITS)
			return ns;
	}
	return 0;
}

/*
 * Stops at the first kind that is faster than the trap: the kinds after it are longer, not faster.
 * Stops also at a kind that kills forks: the same kernel does the same to the kinds after it.
 */
static void measure_kinds(const struct measurer *measurer, struct site_choice *choice)
{
	for (int i = 0; i < SITE_KINDS_COUNT; i++) {
		enum site_kind kind = (enum site_kind)i;

		choice->ns_per_hit[kind] = measure_kind(measurer, kind, &choice->held[kind]);
		if (kind == SITE_NOP1 || choice->ns_per_hit[kind] == 0)
			continue;
		choice->is_trap[kind] = !site_trial__is_rewritten(kind);
		choice->kills_forks[kind] = !choice->is_trap[kind] && site_trial__kills_forks(kind);
		if (site__choose(choice, ~0u) != SITE_NOP1 || choice->kills_forks[kind])
			break;
	}
}

static int measure(struct site_choice *choice)
{
	struct measurer measurer = {.method = uprobe__probe_method()};
	int code = site_trial__open(&measurer.trial);

	if (code)
		return code;
	code = measurer.counter = new_counter();
	if (code < 0)
		goto close_trial;
	code = measurer.program = uprobe__load_empty(measurer.method, measurer.counter);
	if (code < 0)
		goto close_counter;
	code = 0;
	measure_kinds(&measurer, choice);

	close(measurer.program);
close_counter:
	close(measurer.counter);
close_trial:
	site_trial__close(&measurer.trial);
	return code;
}

int site__measure(struct site_choice *choice)
{
	memset(choice, 0, sizeof(*choice));
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		choice->held[kind].fd = -1;
	if (sites[SITE_NOP5].size_bytes == 0)
		return 0; /* this machine has only one kind */
	return measure(choice);
}

double site__measure_program(int program_fd, enum uprobe_method method, enum site_kind kind,
			     uint64_t cookie, const void *argument)
{
	struct uprobe uprobe = {.fd = -1};
	struct uprobe_place place;
	struct site_trial trial;
	double ns = 0;

	if (site_trial__open(&trial))
		return 0;
	place = site_trial__place(&trial, kind);
	place.cookie = cookie;
	if (uprobe__attach(program_fd, method, trial.file_fd, &place, &uprobe) == 0)
		ns = site_trial__hit_ns(kind, argument);
	uprobe__detach(&uprobe);
	site_trial__close(&trial);
	return ns;
}

void site__release(struct site_choice *choice)
{
	for (int kind = 0; kind < SITE_KINDS_COUNT; kind++)
		uprobe__detach(&choice->held[kind]);
}

/* ---- choosing */

/* A gain of less than a fifth may be noise. */
static bool is_clearly_faster(double ns, double trap_ns)
{
	return trap_ns == 0 || ns < 0.8 * trap_ns;
}

static bool is_usable(const struct site_choice *choice, int kind)
{
	return choice->ns_per_hit[kind] != 0 && !choice->is_trap[kind] &&
	       !choice->kills_forks[kind];
}

enum site_kind site__choose(const struct site_choice *choice, unsigned int available)
{
	const double *ns_per_hit = choice->ns_per_hit;
	enum site_kind best = SITE_NOP1;

	for (int kind = SITE_NOP1 + 1; kind < SITE_KINDS_COUNT; kind++) {
		if (!(available & (1u << kind)) || !is_usable(choice, kind) ||
		    !is_clearly_faster(ns_per_hit[kind], ns_per_hit[SITE_NOP1]))
			continue;
		if (best == SITE_NOP1 || ns_per_hit[kind] < ns_per_hit[best])
			best = (enum site_kind)kind;
	}
	return best;
}
