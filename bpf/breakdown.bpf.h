/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * --breakdown at the probes: a span begins and ends in a thread whose time is added up
 * (thread_time.bpf.h). Without --breakdown the verifier removes all of this.
 *
 * A step is measured in its thread. A command is measured in the thread that begins it, and in
 * every other thread of the process that runs steps of it: there the outermost steps carry the
 * command, and add their time to the entry of the command in `measured_commands`.
 *
 *	thread 1	command ├──────────────────────────────┤
 *				  step ├──┤
 *	thread 2		step ├───────────┤	carries the command
 *				   step ├───┤		within the other one: adds nothing
 *
 * Nothing is guessed. A span that ends in another thread than it began in has no breakdown, nor has
 * one whose beginning was not seen, nor one with a part of its time unknown. Each thread has room
 * for SPANS_PER_THREAD open spans. Beyond that, the one that began first is not measured.
 */
#ifndef STEPTRACE_BREAKDOWN_BPF_H
#define STEPTRACE_BREAKDOWN_BPF_H

#include "maps.bpf.h"

static __always_inline __u64 hash_of_id(const __u64 id[2])
{
	return id[0] ^ id[1] * 0x9e3779b97f4a7c15ULL;
}

static __always_inline bool read_facts(struct thread_time *thread, __u64 span, bool is_step)
{
	volatile struct span_facts *facts = &thread->facts;
	struct span_bytes *bytes = &thread->bytes;
	const struct span_head *head = &bytes->child.head;

	if (bpf_probe_read_user(bytes, is_step ? sizeof(*bytes) : sizeof(*head),
				(const void *)span))
		return false;
	facts->address = span;
	facts->execution = hash_of_id((const __u64 *)head->execution_id);
	facts->identity = is_step ? hash_of_id(bytes->step_id) : facts->execution;
	facts->command = is_step ? bytes->child.command : span;
	facts->start_ns = head->start_ns;
	facts->end_ns = head->end_ns;
	facts->is_suspended = head->flags & SPAN_SUSPENDED;
	return true;
}

/* ---- the entry of a command */

static __always_inline struct command_key key_of(__u64 command)
{
	return (struct command_key){command, bpf_get_current_pid_tgid() >> 32};
}

/* A part of the command's time is not known. */
static __always_inline void doubt_command(__u64 command)
{
	struct command_key key = key_of(command);
	struct command_time *time = bpf_map_lookup_elem(&measured_commands, &key);

	if (time)
		time->is_unknown = 1;
}

static __always_inline void lose_breakdown(__u64 command)
{
	__sync_fetch_and_add(&breakdowns_lost, 1);
	doubt_command(command);
}

/* The same where the thread has no memory for what the span says. */
static __always_inline void doubt_command_of(__u64 span)
{
	__u64 command = 0;

	if (bpf_probe_read_user(&command, sizeof(command),
				(const void *)(span + offsetof(struct child_span, command))) == 0)
		doubt_command(command);
}

static const struct command_time no_time;

/* ---- the open spans of a thread */

/* `places` is volatile, so that it stays in memory: the verifier would follow each combination of
 * values that are in registers. */
static __always_inline void find_places(struct thread_time *thread)
{
	volatile struct span_places *places = &thread->places;
	const struct span_facts *facts = &thread->facts;

	thread->places = (struct span_places){NO_SLOT, NO_SLOT, 0, 0, 0, ~0ULL};
	for (__u32 i = 0; i < SPANS_PER_THREAD; i++) {
		const struct span_time *start = &thread->starts[i];
		__u64 span = thread->spans[i];

		if (!span) {
			if (places->free == NO_SLOT)
				places->free = i;
			continue;
		}
		if (start->time_ns < places->first_ns) {
			places->first_ns = start->time_ns;
			places->first = i;
		}
		if (span == facts->address)
			places->same = i;
		else if (start->command != facts->command || start->execution != facts->execution)
			continue;
		else if (span == facts->command)
			places->has_command = 1;
		else
			places->is_inner = 1;
	}
}

/* The slot for a new span: an unused one. A span with the same address has ended elsewhere. */
static __always_inline __u32 choose_slot(struct thread_time *thread)
{
	const struct span_places *places = &thread->places;

	if (places->same != NO_SLOT)
		return places->same;
	if (places->free != NO_SLOT) {
		thread->open_count++;
		return places->free;
	}
	lose_breakdown(thread->starts[places->first & (SPANS_PER_THREAD - 1)].command);
	return places->first;
}

/* Whether the step carries its command; announces it there. */
static __always_inline bool carries_command(const struct thread_time *thread)
{
	struct command_key key = key_of(thread->facts.command);
	struct command_time *time;

	if (thread->places.has_command || thread->places.is_inner)
		return false;
	time = bpf_map_lookup_elem(&measured_commands, &key);
	if (time)
		__sync_fetch_and_add(&time->open_count, 1);
	return time != NULL;
}

/* False: the thread was preempted meanwhile, and its sums changed. */
static __always_inline bool begin_in(struct thread_time *thread, const struct task_struct *task,
				     __u32 slot)
{
	struct span_time *start = &thread->starts[slot];
	__u64 before = thread->periods_count;

	barrier();
	thread_time__copy(thread, task, start);
	thread->spans[slot] = thread->facts.address;
	thread->latest_begin = before;
	start->time_ns = bpf_ktime_get_ns();
	barrier();
	if (thread->periods_count == before)
		return true;
	thread->spans[slot] = 0;
	thread->open_count--;
	return false;
}

static __always_inline void begin_span(struct thread_time *thread, const struct task_struct *task,
				       bool is_step)
{
	struct span_time *start;
	__u32 slot;

	find_places(thread);
	slot = choose_slot(thread) & (SPANS_PER_THREAD - 1);
	start = &thread->starts[slot];
	start->identity = thread->facts.identity;
	start->execution = thread->facts.execution;
	start->command = thread->facts.command;
	start->is_carrier = is_step && carries_command(thread);
	if (!begin_in(thread, task, slot))
		lose_breakdown(thread->facts.command);
}

static __always_inline void open_command(__u64 command)
{
	struct command_key key = key_of(command);

	bpf_map_update_elem(&measured_commands, &key, &no_time, BPF_ANY);
}

/* Functions of their own, which the verifier checks once and not for every probe. */

__attribute__((noinline)) int breakdown__begin(__u64 span, bool is_step)
{
	struct task_struct *task;
	struct thread_time *thread;

	if (!cpu_bytes)
		return 0;
	if (!is_step)
		open_command(span);
	task = bpf_get_current_task_btf();
	thread = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (thread && read_facts(thread, span, is_step)) {
		begin_span(thread, task, is_step);
		return 0;
	}
	__sync_fetch_and_add(&breakdowns_lost, 1);
	if (is_step)
		doubt_command_of(span);
	return 0;
}

/* ---- ends */

/* False also if the thread was preempted meanwhile, and its sums changed. */
static __always_inline bool measure(struct thread_time *thread, const struct task_struct *task,
				    const struct span_time *start)
{
	__u64 before = thread->periods_count;
	bool is_known;

	barrier();
	is_known = thread_time__measure(thread, task, start, bpf_ktime_get_ns());
	barrier();
	return is_known && thread->periods_count == before;
}

/* Adds the time of the step to its command. Steps of the command that overlap in this thread, and
 * are not within each other, would count twice. */
static __always_inline void carry(const struct thread_time *thread, bool is_known)
{
	struct command_key key = key_of(thread->facts.command);
	struct command_time *time = bpf_map_lookup_elem(&measured_commands, &key);
	const __u64 *from = (const __u64 *)&thread->result;

	if (!time)
		return;
	__sync_fetch_and_add(&time->open_count, -1);
	if (!is_known || thread->places.is_inner) {
		time->is_unknown = 1;
		return;
	}
	for (__u32 i = 0; i < sizeof(thread->result) / sizeof(*from); i++)
		__sync_fetch_and_add(&((__u64 *)&time->others)[i], from[i]);
}

/* Adds what other threads have spent for the command. False: not all of it is known. */
static __always_inline bool add_others(struct thread_time *thread)
{
	struct command_key key = key_of(thread->facts.command);
	struct command_time *time = bpf_map_lookup_elem(&measured_commands, &key);
	__u64 *to = (__u64 *)&thread->result;

	if (!time)
		return false;
	for (__u32 i = 0; i < sizeof(thread->result) / sizeof(*to); i++)
		to[i] += ((const __u64 *)&time->others)[i];
	return time->open_count == 0 && !time->is_unknown;
}

static __always_inline void close_command(__u64 command)
{
	struct command_key key = key_of(command);

	bpf_map_delete_elem(&measured_commands, &key);
}

/* The result is in thread->result; false: there is none. */
static __always_inline bool end_span(struct thread_time *thread, const struct task_struct *task,
				     bool is_step)
{
	const struct span_facts *facts = &thread->facts;
	struct span_time *start;
	bool is_same, is_known;
	__u32 slot;

	find_places(thread);
	if (thread->places.same == NO_SLOT) {
		if (is_step && !thread->places.has_command)
			doubt_command(facts->command);
		return false;
	}
	slot = thread->places.same & (SPANS_PER_THREAD - 1);
	start = &thread->starts[slot];
	is_same = start->identity == facts->identity && !facts->is_suspended;
	is_known = is_same && measure(thread, task, start);
	if (is_same && !is_known)
		__sync_fetch_and_add(&breakdowns_lost, 1);
	if (start->is_carrier)
		carry(thread, is_known);
	thread->spans[slot] = 0;
	thread->open_count--;
	return is_known && (is_step || add_others(thread));
}

/* 1: thread->result of the current thread is the breakdown of the span, otherwise 0. */
__attribute__((noinline)) int breakdown__end(__u64 span, bool is_step)
{
	struct task_struct *task;
	struct thread_time *thread;
	int is_known = 0;

	if (!cpu_bytes)
		return 0;
	task = bpf_get_current_task_btf();
	thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (thread && read_facts(thread, span, is_step))
		is_known = end_span(thread, task, is_step);
	else if (is_step)
		doubt_command_of(span);
	if (!is_step)
		close_command(span);
	return is_known;
}

/* Copies the result that breakdown__end() announced. */
static __always_inline bool breakdown__take(struct steptrace_cpu *cpu)
{
	struct thread_time *thread =
		bpf_task_storage_get(&threads, bpf_get_current_task_btf(), NULL, 0);

	if (thread)
		*cpu = thread->result;
	return thread != NULL;
}

#endif
