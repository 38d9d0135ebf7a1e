/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The only place that reserves, fills in and submits the records of probes, and counts their loss.
 *
 * Most records are one read of the span. A record has the context (process and command) behind the
 * span only if the reader may not know the command: if the command was announced before the probes
 * were attached, or before the last loss. So the reader gets to know every command that is still
 * running, after attaching in the middle and after a loss.
 *
 * A record does not wake the reader, because the wake-up costs more than the record. The reader
 * drains the ring buffer on a timer. Every 32nd hit on a processor looks at the ring buffer and
 * wakes the reader if more than `wakeup_bytes` are unread.
 */
#ifndef STEPTRACE_EMIT_BPF_H
#define STEPTRACE_EMIT_BPF_H

#include "breakdown.bpf.h"
#include "degrade.bpf.h"
#include "stacks.bpf.h"

#include <bpf/bpf_tracing.h>

struct boundary {
	const void *span; /* address in the runner */
	void *ring;       /* the ring buffer of this processor */
	struct steptrace_counts *counts;
	__u64 time_ns;
	__u64 flags; /* for bpf_ringbuf_submit() */
	__u32 pid;
	__u32 tid;
	__u32 cpu;
	__u32 probe;
	bool has_cpu; /* the breakdown of the span is known */
};

static __always_inline void boundary__stamp(const struct boundary *at,
					    struct steptrace_record *record, __u8 flags)
{
	record->time_ns = at->time_ns;
	record->pid = at->pid;
	record->tid = at->tid;
	record->cpu = at->cpu;
	record->probe = at->probe;
	record->flags = flags | (at->has_cpu ? RECORD_HAS_CPU : 0);
	record->reserved = 0;
}

/* Sets *moment_ns to `to_ns` unless it is later already: of two losses on two processors the later
 * one counts. */
static __always_inline void move_forward(__u64 *moment_ns, __u64 to_ns)
{
	__u64 seen = *moment_ns, before;

	for (int tries = 0; tries < 8 && seen < to_ns; tries++) {
		before = __sync_val_compare_and_swap(moment_ns, seen, to_ns);
		if (before == seen)
			return;
		seen = before;
	}
}

/* The reader may know the command from its start. It has to learn that the command ended although a
 * filter drops the record of the end. */
static __always_inline void boundary__close(const struct boundary *at)
{
	struct command_closed *made = bpf_ringbuf_reserve(at->ring, sizeof(*made), 0);

	if (!made) {
		move_forward(&last_lost_ns[PROBE_COMMAND_DONE], at->time_ns);
		return;
	}
	boundary__stamp(at, &made->record, 0);
	made->record.probe = COMMAND_CLOSED;
	made->record.flags = 0;
	bpf_probe_read_user(made->execution_id, sizeof(made->execution_id),
			    at->span + offsetof(struct span_head, execution_id));
	made->uid = (__u32)bpf_get_current_uid_gid();
	made->parent_pid = current_parent_pid();
	bpf_ringbuf_submit(made, BPF_RB_NO_WAKEUP);
}

static __always_inline void boundary__filtered(const struct boundary *at)
{
	__sync_fetch_and_add(&at->counts->filtered[at->probe], 1);
	if (at->probe == PROBE_COMMAND_DONE && (filters.only_failed || filters.min_duration_ns))
		boundary__close(at);
}

/*
 * A tail call that never happens. It makes the kernel run the program on the stack of the thread.
 *
 * From 6.13 on the kernel gives a program that needs 64 bytes of stack or more one stack for each
 * processor, as if the program could not be preempted. A program on a uprobe can be preempted (by
 * default from 7.0 on). Another thread that reaches a probe on the same processor then overwrites
 * the stack of the first one: records get mixed up, and the ring buffer may stop working for good.
 * A program that contains a tail call does not get such a stack, even if the verifier removes the
 * call.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} unused_tail_calls SEC(".maps");
const volatile bool makes_tail_call = false;

static __always_inline void keep_thread_stack(struct pt_regs *regs)
{
	if (makes_tail_call)
		bpf_tail_call(regs, &unused_tail_calls, 0);
}

/* The sample of a span has to be there before the end of the span is. A function of its own, which
 * the verifier checks once and not for every probe. Before Linux 6.8 it checks it even if nothing
 * calls it; then the map is not there, so the condition is here, too. */
__attribute__((noinline)) int note_running_at_probe(void)
{
	if (marks_runners)
		note_current_running();
	return 0;
}

/* From now on the reader may not know what this probe said, and perhaps no command's context. A
 * function of its own, which the verifier checks once and not for every place where a record can
 * be lost. */
__attribute__((noinline)) int note_loss(__u64 time_ns, __u32 probe, bool of_context)
{
	if (probe >= PROBES_COUNT)
		return 0;
	if (of_context)
		move_forward(&context_unknown_until_ns, time_ns);
	move_forward(&last_lost_ns[probe], time_ns);
	return 0;
}

static __always_inline void boundary__lost(const struct boundary *at, __u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
	note_loss(at->time_ns, at->probe, true);
}

/* After a dropped command__start the reader does not know the command, so later records need the
 * context. After another dropped record they do not. */
static __always_inline void boundary__degraded(const struct boundary *at)
{
	__sync_fetch_and_add(&at->counts->degraded[at->probe], 1);
	note_loss(at->time_ns, at->probe, at->probe == PROBE_COMMAND_START);
}

/* ---- --breakdown */

static __always_inline bool is_measured(__u32 probe)
{
	return probe_traits[probe].span == SPAN_STEP || probe_traits[probe].span == SPAN_COMMAND;
}

/* The room for the breakdown at the end of a record. */
static __always_inline __u64 boundary__tail_bytes(__u32 probe)
{
	return is_measured(probe) && probe_traits[probe].phase == PHASE_ENDS ? cpu_bytes : 0;
}

/* Whether a filter leaves out the whole execution. Of any other one all steps are measured, because
 * their time may be part of the command's. */
static __always_inline bool is_left_out(const void *span, __u32 probe)
{
	struct child_span head;

	if (!filters.sample_every && !filters.by_command)
		return false;
	return read_head(&head, span, probe) && !match__execution(span, &head, probe);
}

static __always_inline void boundary__measure(struct boundary *at)
{
	bool is_step = probe_traits[at->probe].span == SPAN_STEP;

	at->has_cpu = false;
	if (!cpu_bytes || !is_measured(at->probe) || is_left_out(at->span, at->probe))
		return;
	if (probe_traits[at->probe].phase == PHASE_BEGINS)
		breakdown__begin((__u64)at->span, is_step);
	else
		at->has_cpu = breakdown__end((__u64)at->span, is_step);
}

/* `tail` is the end of a record with boundary__tail_bytes(). */
static __always_inline void boundary__put_cpu(struct boundary *at, void *tail)
{
	if (!boundary__tail_bytes(at->probe))
		return;
	if (at->has_cpu)
		at->has_cpu = breakdown__take(tail);
	if (!at->has_cpu)
		__builtin_memset(tail, 0, sizeof(struct steptrace_cpu));
}

/* ---- */

/* Fills in `at` and counts the hit. False if no record is to be made: the process is not wanted, or
 * the span is filtered or dropped. */
static __always_inline bool boundary__open(struct boundary *at, struct pt_regs *regs, __u32 probe)
{
	__u64 pid_tid = current_pid_tid();
	__u64 hits;

	keep_thread_stack(regs);
	at->pid = pid_tid >> 32;
	at->tid = (__u32)pid_tid;
	at->span = (const void *)PT_REGS_PARM1(regs);
	if (!is_wanted(at->pid) || !match__process(at->span, probe))
		return false;
	at->time_ns = bpf_ktime_get_ns();
	at->probe = probe;
	at->cpu = bpf_get_smp_processor_id();
	at->ring = ring_of(at->cpu);
	at->counts = &counts[at->cpu & (COUNT_ROWS - 1)];
	hits = __sync_fetch_and_add(&at->counts->hits[probe], 1);
	if (marks_runners)
		note_running_at_probe();
	boundary__measure(at);
	if (!match__span(at->span, probe)) {
		boundary__filtered(at);
		return false;
	}
	if (degradation && degrade__drops(at->span, probe)) {
		boundary__degraded(at);
		return false;
	}
	at->flags = BPF_RB_NO_WAKEUP;
	if ((hits & 31) == 31 && bpf_ringbuf_query(at->ring, BPF_RB_AVAIL_DATA) > wakeup_bytes)
		at->flags = BPF_RB_FORCE_WAKEUP;
	return true;
}

/* Fills in the process. From now on its exit is reported. */
static __always_inline void boundary__process(struct steptrace_process *process)
{
	__u64 uid_gid = bpf_get_current_uid_gid();

	process->cgroup_id = bpf_get_current_cgroup_id();
	process->uid = (__u32)uid_gid;
	process->gid = uid_gid >> 32;
	bpf_get_current_comm(process->comm, sizeof(process->comm));
	process->inner_pid = current_inner_pid();
	process->parent_pid = current_parent_pid();
	if (remember_runner() && marks_runners)
		announce_program(program_of(bpf_get_current_task_btf()), current_pid_tid() >> 32);
}

/*
 * The span of an older runner is shorter than ours, and the memory behind it may not be mapped.
 * Then the first read fails and clears the copy. The span says how long it is; its first version
 * had min_bytes.
 */
static __always_inline bool read_span(void *copy, __u32 bytes, __u32 min_bytes, const void *span)
{
	__u64 size;

	if (bpf_probe_read_user(copy, bytes, span) == 0)
		return true;
	if (min_bytes >= bytes || bpf_probe_read_user(copy, min_bytes, span))
		return false;
	size = ((const struct span_head *)copy)->size_bytes;
	if (size <= min_bytes)
		return true;
	barrier_var(size); /* one comparison of a range would hide the limit from the verifier */
	if (size >= bytes)
		return true;
	return bpf_probe_read_user(copy, size, span) == 0;
}

/* Macros, because the verifier wants the sizes of records as constants. */

/* Reserves a record and points `made` to it. False if there is no room; the loss is counted. */
#define RESERVED(at, made)                                                                         \
	({                                                                                         \
		made = bpf_ringbuf_reserve((at)->ring,                                             \
					   sizeof(*made) + boundary__tail_bytes((at)->probe), 0);  \
		if (!made)                                                                         \
			boundary__lost(at, &(at)->counts->full[(at)->probe]);                      \
		made != NULL;                                                                      \
	})

#define GIVE_BACK_UNREADABLE(at, made)                                                             \
	do {                                                                                       \
		bpf_ringbuf_discard(made, BPF_RB_NO_WAKEUP);                                       \
		boundary__lost(at, &(at)->counts->unreadable[(at)->probe]);                        \
	} while (0)

/* FORM_PROCESS: header | process | span. */
#define EMIT_PROCESS(at, type, min_bytes)                                                          \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			struct steptrace_process process;                                          \
			type span;                                                                 \
		} * made;                                                                          \
		if (!RESERVED(at, made))                                                           \
			break;                                                                     \
		if (!read_span(&made->span, sizeof(made->span), min_bytes, (at)->span)) {          \
			GIVE_BACK_UNREADABLE(at, made);                                            \
			break;                                                                     \
		}                                                                                  \
		boundary__stamp(at, &made->record, 0);                                             \
		boundary__process(&made->process);                                                 \
		bpf_ringbuf_submit(made, (at)->flags);                                             \
	} while (0)

/* header | span | process | command span. `filled` is an expression that copies the probe's span
 * into `made` and is false if that fails. `owner` is the address of the command's span in the
 * runner. */
#define EMIT_WITH_CONTEXT(at, type, filled, owner)                                                 \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			type span;                                                                 \
			struct steptrace_context context;                                          \
		} * made;                                                                          \
		if (!RESERVED(at, made))                                                           \
			break;                                                                     \
		if (!(filled) || !read_span(&made->context.command, sizeof(made->context.command), \
					    COMMAND_SPAN_MIN_BYTES, (owner))) {                    \
			GIVE_BACK_UNREADABLE(at, made);                                            \
			break;                                                                     \
		}                                                                                  \
		boundary__put_cpu(at, made + 1);                                                   \
		boundary__stamp(at, &made->record, RECORD_HAS_CONTEXT);                            \
		boundary__process(&made->context.process);                                         \
		bpf_ringbuf_submit(made, (at)->flags);                                             \
	} while (0)

/*
 * FORM_CHILD: header | span, or with the context. The span is read to the stack first and copied
 * from there. A hardened kernel checks every other destination of a copy from user space, and takes
 * a lock for it that all processors share.
 */
#define EMIT_CHILD(at, type, min_bytes)                                                            \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			type span;                                                                 \
		} * made;                                                                          \
		type copy;                                                                         \
		if (!read_span(&copy, sizeof(copy), min_bytes, (at)->span)) {                      \
			boundary__lost(at, &(at)->counts->unreadable[(at)->probe]);                \
			break;                                                                     \
		}                                                                                  \
		if (copy.child.command_announced_ns <= context_unknown_until_ns) {                 \
			EMIT_WITH_CONTEXT(at, type, (made->span = copy, true),                     \
					  (const void *)copy.child.command);                       \
			break;                                                                     \
		}                                                                                  \
		if (!RESERVED(at, made))                                                           \
			break;                                                                     \
		boundary__put_cpu(at, made + 1);                                                   \
		boundary__stamp(at, &made->record, 0);                                             \
		made->span = copy;                                                                 \
		bpf_ringbuf_submit(made, (at)->flags);                                             \
	} while (0)

#define READ_SPAN(at, made, min_bytes)                                                             \
	read_span(&(made)->span, sizeof((made)->span), min_bytes, (at)->span)

/* FORM_COMMAND: header | span, or with the context. The span of a command is too large for the
 * stack, so it is read into the record. If the record needs the context, it is discarded and a
 * larger one is reserved. */
#define EMIT_COMMAND(at, type, min_bytes)                                                          \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			type span;                                                                 \
		} * made;                                                                          \
		if (!RESERVED(at, made))                                                           \
			break;                                                                     \
		if (!READ_SPAN(at, made, min_bytes)) {                                             \
			GIVE_BACK_UNREADABLE(at, made);                                            \
			break;                                                                     \
		}                                                                                  \
		if (made->span.announced_ns <= context_unknown_until_ns) {                         \
			bpf_ringbuf_discard(made, BPF_RB_NO_WAKEUP);                               \
			EMIT_WITH_CONTEXT(at, type, READ_SPAN(at, made, min_bytes), (at)->span);   \
			break;                                                                     \
		}                                                                                  \
		boundary__put_cpu(at, made + 1);                                                   \
		boundary__stamp(at, &made->record, 0);                                             \
		bpf_ringbuf_submit(made, (at)->flags);                                             \
	} while (0)

#endif
