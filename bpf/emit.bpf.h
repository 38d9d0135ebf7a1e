/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The one place that reserves, stamps, copies, submits and counts loss.
 *
 * The common record is one read of the span. Only a record whose command the reader may not know
 * (it was announced before the attach, or before the last loss) has the context behind it, so
 * attaching in the middle and every loss heal by themselves.
 *
 * The reader is not woken for each record (that costs more than the record): it comes by on a
 * timer, and is woken when every 32nd hit of a processor finds more than `wakeup_bytes` unread.
 */
#ifndef STEPTRACE_EMIT_BPF_H
#define STEPTRACE_EMIT_BPF_H

#include "degrade.bpf.h"

#include <bpf/bpf_tracing.h>

struct boundary {
	const void *span; /* in the runner */
	void *ring;       /* the processor's */
	struct steptrace_counts *counts;
	__u64 time_ns;
	__u64 flags; /* of the submit */
	__u32 pid;
	__u32 tid;
	__u32 cpu;
	__u32 probe;
};

static __always_inline void boundary__stamp(const struct boundary *at,
					    struct steptrace_record *record, __u8 flags)
{
	record->time_ns = at->time_ns;
	record->pid = at->pid;
	record->tid = at->tid;
	record->cpu = at->cpu;
	record->probe = at->probe;
	record->flags = flags;
	record->reserved = 0;
}

/* Only ever forward: of two losses on two processors the later one counts. */
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

/* Whoever knows the command must hear that it is over. */
static __always_inline void boundary__close(const struct boundary *at)
{
	struct command_closed *made = bpf_ringbuf_reserve(at->ring, sizeof(*made), 0);

	if (!made) {
		move_forward(&last_lost_ns[PROBE_COMMAND_DONE], at->time_ns);
		return;
	}
	boundary__stamp(at, &made->record, 0);
	made->record.probe = COMMAND_CLOSED;
	bpf_probe_read_user(made->execution_id, sizeof(made->execution_id),
			    at->span + offsetof(struct span_head, execution_id));
	bpf_ringbuf_submit(made, BPF_RB_NO_WAKEUP);
}

static __always_inline void boundary__filtered(const struct boundary *at)
{
	__sync_fetch_and_add(&at->counts->filtered[at->probe], 1);
	if (at->probe == PROBE_COMMAND_DONE && (filters.only_failed || filters.min_duration_ns))
		boundary__close(at);
}

/*
 * From 6.13 a program with 64 bytes of stack has them in one place for each processor, as if it could
 * not be preempted there. A uprobe's program can (by default from 7.0): another thread that reaches a
 * probe on the same processor then writes over what this one was about to do, records get mixed up
 * and the ring buffer can be left for dead. A program with a tail call in it, even one that the
 * verifier will drop, is given the stack of the thread.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} nowhere SEC(".maps");
const volatile bool is_never = false;

static __always_inline void keep_thread_stack(struct pt_regs *regs)
{
	if (is_never)
		bpf_tail_call(regs, &nowhere, 0);
}

static __always_inline void boundary__lost(const struct boundary *at, __u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
	move_forward(&context_unknown_until_ns, at->time_ns);
	move_forward(&last_lost_ns[at->probe], at->time_ns);
}

/* Only who did not hear of a command has to hear of it later. */
static __always_inline void boundary__degraded(const struct boundary *at)
{
	__sync_fetch_and_add(&at->counts->degraded[at->probe], 1);
	if (at->probe == PROBE_COMMAND_START)
		move_forward(&context_unknown_until_ns, at->time_ns);
	move_forward(&last_lost_ns[at->probe], at->time_ns);
}

/* Fills in `at` and counts the hit; false when this process is not meant. */
static __always_inline bool boundary__open(struct boundary *at, struct pt_regs *regs, __u32 probe)
{
	__u64 pid_tid = current_pid_tid();
	__u64 hits;

	keep_thread_stack(regs);
	at->pid = pid_tid >> 32;
	at->tid = (__u32)pid_tid;
	if (!is_wanted(at->pid) || !match__process())
		return false;
	at->time_ns = bpf_ktime_get_ns();
	at->span = (const void *)PT_REGS_PARM1(regs);
	at->probe = probe;
	at->cpu = bpf_get_smp_processor_id();
	at->ring = ring_of(at->cpu);
	at->counts = &counts[at->cpu & (COUNT_ROWS - 1)];
	hits = __sync_fetch_and_add(&at->counts->hits[probe], 1);
	if (!match__span(at->span, probe)) {
		boundary__filtered(at);
		return false;
	}
	if (degradation && degrade__leaves_out(at->span, probe)) {
		boundary__degraded(at);
		return false;
	}
	at->flags = BPF_RB_NO_WAKEUP;
	if ((hits & 31) == 31 && bpf_ringbuf_query(at->ring, BPF_RB_AVAIL_DATA) > wakeup_bytes)
		at->flags = BPF_RB_FORCE_WAKEUP;
	return true;
}

/* Who introduces somebody is a runner. */
static __always_inline void boundary__process(struct steptrace_process *process)
{
	__u64 uid_gid = bpf_get_current_uid_gid();

	process->cgroup_id = bpf_get_current_cgroup_id();
	process->uid = (__u32)uid_gid;
	process->gid = uid_gid >> 32;
	bpf_get_current_comm(process->comm, sizeof(process->comm));
	process->inner_pid = current_inner_pid();
	process->reserved = 0;
	remember_runner();
}

/* An older runner's span is shorter than ours, and the memory behind it may not be there. */
static __always_inline bool read_span(void *copy, __u32 bytes, __u32 min_bytes, const void *span)
{
	if (bpf_probe_read_user(copy, bytes, span) == 0)
		return true;
	return min_bytes < bytes && bpf_probe_read_user(copy, min_bytes, span) == 0;
}

/* Statements, not functions: the ring buffer wants sizes that the verifier sees as constants. */

/* True with room for a record in `made`; otherwise it is counted as lost. */
#define RESERVED(at, made)                                                                         \
	({                                                                                         \
		made = bpf_ringbuf_reserve((at)->ring, sizeof(*made), 0);                          \
		if (!made)                                                                         \
			boundary__lost(at, &(at)->counts->full[(at)->probe]);                      \
		made != NULL;                                                                      \
	})

#define GIVE_BACK_UNREADABLE(at, made)                                                             \
	do {                                                                                       \
		bpf_ringbuf_discard(made, BPF_RB_NO_WAKEUP);                                       \
		boundary__lost(at, &(at)->counts->unreadable[(at)->probe]);                        \
	} while (0)

/* header | process | span: for the probes that introduce somebody. */
#define EMIT_WITH_PROCESS(at, type, min_bytes)                                                     \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			struct steptrace_process process;                                          \
			struct type span;                                                          \
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

/* header | span | process | command: where the reader may not know the command, whose span lies at
 * `owner`. `filled` is an expression that puts the span into `made`, or is false. */
#define EMIT_WITH_CONTEXT(at, type, filled, owner)                                                 \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			struct type span;                                                          \
			struct steptrace_context context;                                          \
		} * made;                                                                          \
		if (!RESERVED(at, made))                                                           \
			break;                                                                     \
		if (!(filled) || !read_span(&made->context.command, sizeof(made->context.command), \
					    COMMAND_SPAN_MIN_BYTES, (owner))) {                    \
			GIVE_BACK_UNREADABLE(at, made);                                            \
			break;                                                                     \
		}                                                                                  \
		boundary__stamp(at, &made->record, RECORD_HAS_CONTEXT);                            \
		boundary__process(&made->context.process);                                         \
		bpf_ringbuf_submit(made, (at)->flags);                                             \
	} while (0)

/*
 * header | span, or with the context: the common case. The span comes by way of the stack: for any other
 * place that bytes from user space go to, a hardened kernel looks up what lies there, under a lock that
 * processors share.
 */
#define EMIT_CHILD(at, type, min_bytes)                                                            \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			struct type span;                                                          \
		} * made;                                                                          \
		struct type copy;                                                                  \
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
		boundary__stamp(at, &made->record, 0);                                             \
		made->span = copy;                                                                 \
		bpf_ringbuf_submit(made, (at)->flags);                                             \
	} while (0)

#define READ_COMMAND(at, made)                                                                     \
	read_span(&(made)->span, sizeof((made)->span), COMMAND_SPAN_MIN_BYTES, (at)->span)

/* The same of a command, whose span is too large for the stack: a record that needs the context is given
 * back and made anew. */
#define EMIT_COMMAND(at)                                                                           \
	do {                                                                                       \
		struct {                                                                           \
			struct steptrace_record record;                                            \
			struct command_span span;                                                  \
		} * made;                                                                          \
		if (!RESERVED(at, made))                                                           \
			break;                                                                     \
		if (!READ_COMMAND(at, made)) {                                                     \
			GIVE_BACK_UNREADABLE(at, made);                                            \
			break;                                                                     \
		}                                                                                  \
		if (made->span.announced_ns <= context_unknown_until_ns) {                         \
			bpf_ringbuf_discard(made, BPF_RB_NO_WAKEUP);                               \
			EMIT_WITH_CONTEXT(at, command_span, READ_COMMAND(at, made), (at)->span);   \
			break;                                                                     \
		}                                                                                  \
		boundary__stamp(at, &made->record, 0);                                             \
		bpf_ringbuf_submit(made, (at)->flags);                                             \
	} while (0)

#endif
