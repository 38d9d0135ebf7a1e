/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The maps of `steptrace profile`, and how a stack is taken: either the addresses of the program's
 * frames, by frame pointers, or its registers and a copy of the top of its stack; then the
 * addresses of the kernel's frames. Those of the program are taken of the current thread only.
 */
#ifndef STEPTRACE_STACKS_BPF_H
#define STEPTRACE_STACKS_BPF_H

#include "process.bpf.h"
#include "sample_clock.bpf.h"

#include "steptrace/stack_record.h"

/* Where a copy is read in pieces: of the piece that reaches beyond the end of the stack, the part
 * up to the end of its page is read. The outermost function may be there. */
enum { COPY_PIECE = 1024, COPY_PAGE = 4096 };

/* The bytes of a record, which follow `record`. The map's values have as many as are needed. */
struct taken_stack {
	__u64 ready_ns;            /* off-CPU: when the thread was runnable again; 0: not yet */
	__u32 is_off;              /* the thread is off its processor, and this is its stack */
	__u32 bytes;               /* that follow the record */
	__u64 ran_ns;              /* off-CPU: for how long the thread had been on processors */
	struct sample_clock clock; /* the rooms of processors: of the samples on it */
	struct stack_record record;
	__u8 stack[];
};

/* By tid, as numbered in the initial pid namespace: the threads of runners. Memory for all entries
 * exists from the beginning, because a context switch must not ask for any. */
struct left_stacks_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* capture sets the number and the size of the values */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct taken_stack) + 8);
};

/* The first one stays empty. The others are one for each processor: an interrupt takes its stack
 * into it. (Values of maps that exist by processor are limited to 32K.) */
struct stack_rooms_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* capture sets the number and the size of the values */
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct taken_stack) + 8);
};

extern struct left_stacks_map left_stacks SEC(".maps");
extern struct stack_rooms_map stack_rooms SEC(".maps");

/* Set before loading, then constant. */
extern const volatile __u32 on_cpu_copy_bytes; /* 0: frame pointers */
extern const volatile __u32 off_cpu_copy_bytes;
extern const volatile __u64 stacks_wakeup_bytes;
extern const volatile __u64 sample_period_ns;
extern const volatile __u64 min_off_ns; /* shorter times off the processor make no record */

/* Samples that were lost: no room in the ring buffer; there were more threads than entries in
 * left_stacks. */
extern __u64 stacks_full;
extern __u64 stacks_crowded;

enum { PF_EXITING = 0x4, PF_KTHREAD = 0x200000 };

static __always_inline bool is_runner(struct task_struct *task)
{
	__u32 tgid = (__u32)task->tgid;

	return !(task->flags & PF_KTHREAD) && bpf_map_lookup_elem(&runners, &tgid);
}

/* ---- the registers, in the order of DWARF */

static __always_inline void take_registers(struct stack_registers *to, const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_x86)
	to->program_counter = regs->ip;
	to->values[0] = regs->ax;
	to->values[1] = regs->dx;
	to->values[2] = regs->cx;
	to->values[3] = regs->bx;
	to->values[4] = regs->si;
	to->values[5] = regs->di;
	to->values[6] = regs->bp;
	to->values[7] = regs->sp;
	to->values[8] = regs->r8;
	to->values[9] = regs->r9;
	to->values[10] = regs->r10;
	to->values[11] = regs->r11;
	to->values[12] = regs->r12;
	to->values[13] = regs->r13;
	to->values[14] = regs->r14;
	to->values[15] = regs->r15;
#elif defined(__TARGET_ARCH_arm64)
	to->program_counter = regs->pc;
	for (int i = 0; i < 31; i++)
		to->values[i] = regs->regs[i];
	to->values[31] = regs->sp;
#endif
}

static __always_inline __u64 stack_pointer_of(const struct stack_registers *registers)
{
#if defined(__TARGET_ARCH_arm64)
	return registers->values[31];
#else
	return registers->values[7];
#endif
}

/* ---- the stack of the program */

/*
 * Where the stack of the current thread ends, if it is the one that the thread began with: the
 * arguments of the program are behind that of the first thread; the C library keeps the data of a
 * thread, which its thread pointer points to, behind that of another one. Only a guess: whether
 * there is memory is seen when it is read.
 */
static __always_inline __u64 probable_end(const struct task_struct *task)
{
	if (task->pid == task->tgid)
		return task->mm ? task->mm->start_stack : 0;
#if defined(__TARGET_ARCH_x86)
	return task->thread.fsbase;
#elif defined(__TARGET_ARCH_arm64)
	return task->thread.uw.tp_value;
#endif
}

/* How many bytes were read of a piece that does not lie in one page. */
static __always_inline __u32 copy_to_page_end(__u8 *to, __u64 from)
{
	__u64 bytes = COPY_PAGE - (from & (COPY_PAGE - 1));

	if (bytes >= COPY_PIECE)
		return 0;
	barrier_var(bytes); /* the mask is for the verifier */
	bytes &= COPY_PIECE - 1;
	return bpf_probe_read_user(to, bytes, (const void *)from) ? 0 : bytes;
}

/* A read that fails, in the middle of it, costs more than the whole of another one: so not more is
 * read than the stack probably has. Pieces are read where that failed. Returns how many bytes were
 * read. `most` is constant for the verifier, here and below. */
static __always_inline __u32 read_stack(__u8 *to, __u64 from, __u64 end, __u32 most)
{
	__u64 bytes = end - from;
	__u32 at;

	if (end < from || bytes > most)
		bytes = most;
	bytes &= ~7ull;
	if (bytes > STACK_COPY_MAX)
		return 0;
	if (!bpf_probe_read_user(to, bytes, (const void *)from))
		return bytes;
	for (at = 0; at < most && at < STACK_COPY_MAX; at += COPY_PIECE)
		if (bpf_probe_read_user(to + at, COPY_PIECE, (const void *)(from + at)))
			return at + copy_to_page_end(to + at, from + at);
	return at;
}

/* Returns how many bytes were written. */
static __always_inline __u32 copy_stack(__u8 *to, __u32 most)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct stack_copy *copy = (struct stack_copy *)to;
	__u32 bytes;

	take_registers(&copy->registers, (const struct pt_regs *)bpf_task_pt_regs(task));
	bytes = read_stack(to + sizeof(*copy), stack_pointer_of(&copy->registers),
			   probable_end(task), most);
	copy->bytes_count = bytes;
	copy->reserved = 0;
	return sizeof(*copy) + bytes;
}

enum { LIST_BYTES = STACK_FRAMES_MAX * 8, LIST_MASK = 1023 };

/* What bpf_get_stack() returned, as the number of bytes that it wrote. */
static __always_inline __u32 list_bytes(__u64 bytes)
{
	if ((long)bytes < 0)
		return 0;
	barrier_var(bytes); /* the mask is for the verifier */
	return bytes & LIST_MASK;
}

/* Fills in the first part of what follows the record of `taken`. Only for the current thread. */
static __always_inline void take_user_stack(void *context, struct taken_stack *taken,
					    __u32 copy_bytes)
{
	struct stack_record *record = &taken->record;

	if (copy_bytes) {
		record->flags = STACK_HAS_COPY;
		record->user_count = 0;
		taken->bytes = copy_stack(taken->stack, copy_bytes);
	} else {
		record->flags = 0;
		taken->bytes = list_bytes(
			bpf_get_stack(context, taken->stack, LIST_BYTES, BPF_F_USER_STACK));
		record->user_count = taken->bytes / 8;
	}
}

/* ---- the stack of the kernel, and the end of the record */

/* The most bytes of the first part. A constant for the verifier. */
static __always_inline __u32 user_bytes_max(__u32 copy_bytes)
{
	return copy_bytes ? sizeof(struct stack_copy) + copy_bytes : LIST_BYTES;
}

/* The second part; of `task`, which does not run, or of the current thread where it is NULL. */
static __always_inline void take_kernel_stack(void *context, struct task_struct *task,
					      struct taken_stack *taken, __u32 copy_bytes)
{
	__u32 user = taken->bytes, kernel;
	__u8 *to = taken->stack + user;

	taken->record.kernel_count = 0;
	if (user > user_bytes_max(copy_bytes))
		return;
	kernel = list_bytes(task ? bpf_get_task_stack(task, to, LIST_BYTES, 0)
				 : bpf_get_stack(context, to, LIST_BYTES, 0));
	taken->record.kernel_count = kernel / 8;
	taken->bytes = user + kernel;
}

static __always_inline __u64 program_of(struct task_struct *task)
{
	return task->group_leader->start_time + ((__u64)task->self_exec_id << 48);
}

static __always_inline void fill_in_thread(struct stack_record *record, __u64 now_ns)
{
	__u64 pid_tid = current_pid_tid();

	record->time_ns = now_ns;
	record->pid = pid_tid >> 32;
	record->tid = (__u32)pid_tid;
	record->blocked_ns = record->runnable_ns = 0;
	record->program = program_of(bpf_get_current_task_btf());
	record->ticks = 0;
}

/* So that the reader looks at the files of the process before the process ends. When the process
 * comes to its first probe it has loaded its libraries, but may end soon. Where this record is
 * lost, the first sample does the same, later. */
static __always_inline void announce_program(__u64 program, __u32 pid)
{
	struct stack_record record = {
		.time_ns = bpf_ktime_get_ns(),
		.program = program,
		.pid = pid,
		.kind = STACK_PROGRAM,
	};

	bpf_ringbuf_output(&stacks, &record, sizeof(record), BPF_RB_FORCE_WAKEUP);
}

static __always_inline void send_stack(struct taken_stack *taken, __u32 copy_bytes)
{
	__u32 bytes = taken->bytes;
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (bytes > user_bytes_max(copy_bytes) + LIST_BYTES)
		return;
	if (bpf_ringbuf_query(&stacks, BPF_RB_AVAIL_DATA) >= stacks_wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	if (bpf_ringbuf_output(&stacks, &taken->record, sizeof(taken->record) + bytes, flags))
		__sync_fetch_and_add(&stacks_full, 1);
}

/* ---- the end of a time off the processor */

/* Fills in the times. False: the time was too short. */
static __always_inline bool end_time_off(struct taken_stack *taken, __u64 back_ns)
{
	struct stack_record *record = &taken->record;
	__u64 left_ns = record->time_ns;

	taken->is_off = 0;
	if (back_ns < left_ns || back_ns - left_ns < min_off_ns)
		return false;
	if (!taken->ready_ns || taken->ready_ns > back_ns)
		taken->ready_ns = back_ns;
	record->blocked_ns = taken->ready_ns - left_ns;
	record->runnable_ns = back_ns - taken->ready_ns;
	return true;
}

/*
 * The current thread runs. A kernel may hide the switches of one process, such as the one that
 * controls its virtual machine, and with them that the next thread gets the processor. Such a
 * thread seems to be off until it is seen here. For how long it has run since then the kernel knows
 * exactly at the next switch, and before that up to the latest tick of its timer. What the stack in
 * the kernel was is not known any more.
 */
static __always_inline void note_running(struct task_struct *task, struct taken_stack *taken)
{
	__u64 ran_ns;

	if (!taken->is_off)
		return;
	ran_ns = task->se.sum_exec_runtime - taken->ran_ns;
	taken->record.kernel_count = 0;
	if (end_time_off(taken, bpf_ktime_get_ns() - ran_ns))
		send_stack(taken, off_cpu_copy_bytes);
}

static __always_inline void note_current_running(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 tid = (__u32)task->pid;
	struct taken_stack *taken = bpf_map_lookup_elem(&left_stacks, &tid);

	if (taken)
		note_running(task, taken);
}

#endif
