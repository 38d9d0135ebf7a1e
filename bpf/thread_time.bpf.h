/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Where the time of a thread goes. The thread is on a processor (ON), or it is off it in two parts:
 * blocked until it is woken, then runnable until it gets a processor.
 *
 *	ON ──────┐            ┌────────── ON
 *	         └─ blocked ──┴─ runnable ─┘
 *	       out_ns      ready_ns      in_ns		struct time_off
 *
 * If the kernel takes the processor away, ready_ns is out_ns. The times are added up in the thread.
 * A span keeps a copy of the sums from its beginning, and the difference at its end is its own
 * time. So nested spans cost nothing at a context switch.
 *
 * The functions here know no map. A wake-up that the kernel did not deliver is counted in `lost`:
 * the spans that are open then cannot be measured. The same is true for switches: the kernel's own
 * number of them must be the number of the times that the thread was off. A kernel may hide the
 * switches of one process, and with them that the next thread gets the processor.
 */
#ifndef STEPTRACE_THREAD_TIME_BPF_H
#define STEPTRACE_THREAD_TIME_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "steptrace/record.h"

#ifndef barrier
#define barrier() __asm__ volatile("" ::: "memory")
#endif

/* In the place of a kind: the thread was not blocked. The sum of this kind is always 0. */
enum { NOT_BLOCKED = BLOCKED_KINDS_COUNT, KIND_SLOTS = 8 };

struct time_off {
	__u64 out_ns;
	__u64 ready_ns; /* 0: not yet */
	__u64 in_ns;
	__u64 kind; /* enum blocked_kind or NOT_BLOCKED */
};

/* What was added up when the span began. */
struct span_time {
	__u64 identity;  /* of the span: another span may have the same address later */
	__u64 execution; /* hash of the execution's id */
	__u64 command;   /* address of the command's span; of a command its own one */
	__u64 time_ns;
	__u64 runnable_ns;
	__u64 blocked_ns[BLOCKED_KINDS_COUNT];
	__u64 periods_count, lost;
	__u64 voluntary, involuntary, migrations, page_faults;
	/* The runner takes start_ns a moment later, perhaps after the thread was off once. */
	struct time_off first;
	__u64 second_out_ns; /* 0: not off twice so far */
	__u64 is_carrier;    /* an outermost step of a command that another thread began */
};

/* The beginning of the span of a step, or of a command (the head alone). */
struct span_bytes {
	struct child_span child;
	__u64 step_id[2];
};

/* What the span of a step or command says at a probe. */
struct span_facts {
	__u64 address;
	__u64 identity, execution, command; /* as in struct span_time */
	__u64 start_ns, end_ns;
	__u64 is_suspended;
};

/* Where a span is, or could be, among the open spans of its thread. */
struct span_places {
	__u32 same;        /* the span itself; NO_SLOT: it is not there */
	__u32 free;        /* not used; NO_SLOT: all are */
	__u32 first;       /* the one that began first */
	__u32 has_command; /* the span's command began in this thread */
	__u32 is_inner;    /* another step of the same command is open */
	__u64 first_ns;
};

enum { NO_SLOT = SPANS_PER_THREAD };

/* The value of the map `threads`. */
struct thread_time {
	__u64 spans[SPANS_PER_THREAD]; /* the addresses of the open spans; 0: not used */
	struct span_time starts[SPANS_PER_THREAD];
	__u32 open_count; /* of the spans; 0: nothing is added up */
	__u32 is_off;     /* the thread is not on a processor: `off` is filled in */
	struct time_off off;
	struct time_off last; /* the one before */
	__u64 previous_in_ns; /* in_ns of the one before `last` */
	__u64 runnable_ns;
	__u64 blocked_ns[KIND_SLOTS];
	__u64 periods_count; /* how many times it was off */
	__u64 latest_begin;  /* periods_count when a span began last */
	__u64 lost;
	struct steptrace_cpu result; /* of the span that ended last */
	/* Of the probe that runs now. They are here because the stack of a program is small, and
	 * because the verifier follows every value that is on the stack. */
	struct span_bytes bytes;
	struct span_facts facts;
	struct span_places places;
};

/* The key and the value of the map `measured_commands`. */
struct command_key {
	__u64 command; /* address of its span */
	__u64 tgid;    /* in the initial pid namespace */
};

struct command_time {
	struct steptrace_cpu others; /* the threads that did not begin the command */
	__u64 open_count;            /* of their outermost steps */
	__u64 is_unknown;            /* a part of their time could not be measured */
};

/* ---- context switches */

static __always_inline void thread_time__leave(struct thread_time *thread, __u64 kind, __u64 now_ns)
{
	thread->off.out_ns = now_ns;
	thread->off.ready_ns = kind == NOT_BLOCKED ? now_ns : 0;
	thread->off.kind = kind;
	thread->is_off = 1;
}

static __always_inline void thread_time__wake(struct thread_time *thread, __u64 now_ns)
{
	if (thread->is_off && !thread->off.ready_ns)
		thread->off.ready_ns = now_ns > thread->off.out_ns ? now_ns : thread->off.out_ns;
}

/* The spans that began last: the thread was off for the first or the second time since then. */
static __always_inline void thread_time__tell_spans(struct thread_time *thread)
{
	for (int i = 0; i < SPANS_PER_THREAD; i++) {
		struct span_time *start = &thread->starts[i];
		__u64 before = thread->periods_count - start->periods_count;

		if (!thread->spans[i])
			continue;
		if (before == 0)
			start->first = thread->off;
		else if (before == 1)
			start->second_out_ns = thread->off.out_ns;
	}
}

static __always_inline void thread_time__enter(struct thread_time *thread, __u64 now_ns)
{
	struct time_off *off = &thread->off;

	if (!thread->is_off)
		return;
	if (!off->ready_ns) {
		thread->lost++;
		off->ready_ns = now_ns > off->out_ns ? now_ns : off->out_ns;
	}
	off->in_ns = now_ns > off->ready_ns ? now_ns : off->ready_ns;
	thread->blocked_ns[off->kind & (KIND_SLOTS - 1)] += off->ready_ns - off->out_ns;
	thread->runnable_ns += off->in_ns - off->ready_ns;
	if (thread->periods_count - thread->latest_begin < 2)
		thread_time__tell_spans(thread);
	thread->previous_in_ns = thread->last.in_ns;
	thread->last = *off;
	thread->periods_count++;
	thread->is_off = 0;
}

/* ---- spans of the current thread */

/*
 * The program of a probe can be preempted: then the thread is off, and its sums change. So all of
 * them are read from memory (volatile). This also keeps them out of registers, of which a BPF
 * program has few: the others would be on its small stack.
 */

static __always_inline void thread_time__copy(const volatile struct thread_time *thread,
					      const struct task_struct *task,
					      volatile struct span_time *start)
{
	start->voluntary = task->nvcsw;
	start->involuntary = task->nivcsw;
	barrier();
	start->runnable_ns = thread->runnable_ns;
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++)
		start->blocked_ns[kind] = thread->blocked_ns[kind];
	start->periods_count = thread->periods_count;
	start->lost = thread->lost;
	start->migrations = task->se.nr_migrations;
	start->page_faults = task->min_flt + task->maj_flt;
	start->first.out_ns = start->second_out_ns = 0;
}

/* Takes a time off out of the result: it lies between a probe and the stamp of the runner. */
static __always_inline void thread_time__take_out(volatile struct steptrace_cpu *cpu,
						  const volatile struct time_off *off)
{
	__u64 kind = off->kind & (KIND_SLOTS - 1);

	barrier_var(kind); /* keeps the limit: the verifier of Linux 6.1 needs it */
	cpu->runnable_ns -= off->in_ns - off->ready_ns;
	if (kind < BLOCKED_KINDS_COUNT)
		cpu->blocked_ns[kind] -= off->ready_ns - off->out_ns;
	if (kind < BLOCKED_KINDS_COUNT)
		cpu->switches_voluntary -= cpu->switches_voluntary > 0;
	else
		cpu->switches_involuntary -= cpu->switches_involuntary > 0;
}

/* Between the start probe and start_ns the thread was on its processor, or off it once. False: it
 * was off more often, and what belongs to the span is not known. */
static __always_inline bool thread_time__trim_start(volatile struct steptrace_cpu *cpu,
						    const volatile struct span_time *start,
						    __u64 periods, __u64 start_ns)
{
	if (periods == 0 || start_ns <= start->first.out_ns)
		return true;
	if (start_ns < start->first.in_ns)
		return false;
	if (periods > 1 && start_ns > start->second_out_ns)
		return false;
	thread_time__take_out(cpu, &start->first);
	return true;
}

/* The same between end_ns and the done probe. */
static __always_inline bool thread_time__trim_end(volatile struct steptrace_cpu *cpu,
						  const volatile struct thread_time *thread,
						  __u64 periods, __u64 end_ns)
{
	if (periods == 0 || end_ns >= thread->last.in_ns)
		return true;
	if (end_ns > thread->last.out_ns)
		return false;
	if (periods > 1 && end_ns < thread->previous_in_ns)
		return false;
	thread_time__take_out(cpu, &thread->last);
	return true;
}

/*
 * Fills in thread->result for the span in thread->facts, which ends now. False: its stamps
 * contradict the kernel's clock, or not all is known. A runner in a time namespace has another
 * clock.
 */
static __always_inline bool thread_time__measure(volatile struct thread_time *thread,
						 const struct task_struct *task,
						 const volatile struct span_time *start,
						 __u64 now_ns)
{
	__u64 periods = thread->periods_count - start->periods_count, off_ns;
	__u64 start_ns = thread->facts.start_ns, end_ns = thread->facts.end_ns;
	volatile struct steptrace_cpu *cpu = &thread->result;

	if (thread->lost != start->lost || start_ns < start->time_ns || end_ns < start_ns ||
	    end_ns > now_ns)
		return false;
	cpu->runnable_ns = thread->runnable_ns - start->runnable_ns;
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++)
		cpu->blocked_ns[kind] = thread->blocked_ns[kind] - start->blocked_ns[kind];
	cpu->switches_voluntary = task->nvcsw - start->voluntary;
	cpu->switches_involuntary = task->nivcsw - start->involuntary;
	cpu->migrations = task->se.nr_migrations - start->migrations;
	cpu->page_faults = task->min_flt + task->maj_flt - start->page_faults;
	if (cpu->switches_voluntary + cpu->switches_involuntary != periods)
		return false;
	if (!thread_time__trim_start(cpu, start, periods, start_ns) ||
	    !thread_time__trim_end(cpu, thread, periods, end_ns))
		return false;
	off_ns = cpu->runnable_ns;
	for (int kind = 0; kind < BLOCKED_KINDS_COUNT; kind++)
		off_ns += cpu->blocked_ns[kind];
	cpu->threads_ns = end_ns - start_ns;
	cpu->on_cpu_ns = cpu->threads_ns - off_ns;
	return off_ns <= cpu->threads_ns;
}

#endif
