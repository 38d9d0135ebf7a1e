/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs of bpf/ in a unit test: compiled for this machine, with the functions of the kernel
 * replaced by those of kernel/bpf/bpf_helpers.h. So a test can fill a ring buffer or use up a map
 * in one line.
 *
 *	kernel__begin();
 *	kernel.is_ring_full = true;
 *	hit(PROBE_STEP_DONE, &span);
 *	assert_int_equal(counts[0].full[PROBE_STEP_DONE], 1);
 *
 * What the verifier accepts, and what the real functions do, is for the end-to-end tests. Include
 * <cmocka.h> first, and no header of the kernel's structures.
 */
#ifndef TESTS_KERNEL_H
#define TESTS_KERNEL_H

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "../../include/steptrace/record.h"

#undef EEXIST             /* process.bpf.c has a constant of this name */
#define __TARGET_ARCH_x86 /* whatever this machine is: a struct pt_regs with one register */
#pragma GCC diagnostic ignored "-Wunknown-pragmas"

/* What is constant once the programs are loaded can be changed by a test. */
#define const
#include "../../bpf/boundary.bpf.c"
#include "../../bpf/breakdown.bpf.c"
#include "../../bpf/maps.bpf.c"
#include "../../bpf/process.bpf.c"
#undef const

/* A machine without filters and limits, on which all probes are attached since second 1. */
static inline void kernel__begin(void)
{
	memset(&kernel, 0, sizeof(kernel));
	kernel.time_ns = 2000000000;
	kernel.pid_tid = (__u64)4711 << 32 | 4712;
	strcpy(kernel.comm, "runner");
	memset((void *)&filters, 0, sizeof(filters));
	memset(counts, 0, sizeof(counts));
	memset(last_lost_ns, 0, sizeof(last_lost_ns));
	only_wanted_pids = false;
	context_unknown_until_ns = 1000000000;
	degradation = 0;
	wanted_pids_count = first_wanted_pid = 0;
	armed_ns = 1000000000;
	decisions_lost = 0;
	process_records_lost = untraced_count = 0;
	has_unwatched = 0;
	cpu_bytes = 0;
	marks_runners = false;
	min_off_ns = 0;
	stacks_full = stacks_crowded = 0;
	breakdowns_lost = 0;
}

/* The probe is reached, with a span. */
static inline void hit(enum steptrace_probe probe, const void *span)
{
#define PROGRAM_OF(probe, no, name, ...) [no] = name,
	static int (*const programs[])(struct pt_regs *) = {STEPTRACE_PROBES(PROGRAM_OF)};
	struct pt_regs regs = {.di = (unsigned long)span};

	programs[probe](&regs);
}

/* The records that were submitted, from record number `at` on; NULL: there are no more. */
static inline const struct kernel_record *kernel__submitted(size_t *at)
{
	while (*at < kernel.records_count)
		if (kernel.records[(*at)++].is_submitted)
			return &kernel.records[*at - 1];
	return NULL;
}

static inline size_t kernel__count_submitted(void)
{
	size_t at = 0, count = 0;

	while (kernel__submitted(&at))
		count++;
	return count;
}

static inline const struct kernel_record *kernel__last_submitted(void)
{
	for (size_t at = kernel.records_count; at-- > 0;)
		if (kernel.records[at].is_submitted)
			return &kernel.records[at];
	return NULL;
}

/* The header of the record that was submitted last; NULL: none was. */
static inline const struct steptrace_record *kernel__last(void)
{
	const struct kernel_record *record = kernel__last_submitted();

	return record ? (const struct steptrace_record *)record->bytes : NULL;
}

/* Whether the reader is woken for the record that was submitted last. */
static inline bool kernel__last_wakes(void)
{
	return kernel__last_submitted()->flags == BPF_RB_FORCE_WAKEUP;
}

#endif
