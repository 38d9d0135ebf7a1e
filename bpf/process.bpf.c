// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * Reports the exec and the exit of processes, follows forks, and lists mappings with an iterator.
 *
 * These are raw tracepoints because those need no tracefs. They run for every process of the
 * machine, so each of them returns early if the process does not matter.
 */
#include "stacks.bpf.h"

enum { PF_FORKNOEXEC = 0x40, CHILDREN_LOOKED_AT = 32 };
enum { SIGNAL_GROUP_EXIT = 0x4, CTIME_NSEC_MASK = 0x3fffffff, EEXIST = 17 };

static __always_inline __u64 inode_changed_ns(struct inode *inode)
{
	struct timespec64 changed;

	if (bpf_core_field_exists(
		    inode->i_ctime_sec)) { /* the kernel keeps flags in the other bits */
		return (__u64)BPF_CORE_READ(inode, i_ctime_sec) * 1000000000 +
		       (BPF_CORE_READ(inode, i_ctime_nsec) & CTIME_NSEC_MASK);
	}
	if (bpf_core_field_exists(inode->__i_ctime))
		changed = BPF_CORE_READ(inode, __i_ctime);
	else
		changed = BPF_CORE_READ(inode, i_ctime);
	return (__u64)changed.tv_sec * 1000000000 + (__u64)changed.tv_nsec;
}

static __always_inline void fill_in_file(struct steptrace_file *identity, struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	identity->inode = BPF_CORE_READ(inode, i_ino);
	identity->file_system = (__u64)BPF_CORE_READ(inode, i_sb);
	identity->changed_ns = inode_changed_ns(inode);
}

static __always_inline void fill_in_header(struct steptrace_record *record, __u8 kind, __u8 flags)
{
	__u64 pid_tid = current_pid_tid();

	record->time_ns = bpf_ktime_get_ns();
	record->pid = pid_tid >> 32;
	record->tid = (__u32)pid_tid;
	record->cpu = bpf_get_smp_processor_id();
	record->probe = kind;
	record->flags = flags;
	record->reserved = 0;
}

/* An exec replaces the memory of a runner, so its open commands can no longer end. */
SEC("?raw_tp/sched_process_exec")
int process_execed(struct bpf_raw_tracepoint_args *at) /* task, old pid, program */
{
	struct linux_binprm *program = (struct linux_binprm *)at->args[2];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct steptrace_file file = {};
	struct process_exec *made;
	__u8 flags = 0, *known;
	bool wanted = is_wanted(current_pid_tid() >> 32);

	if (bpf_map_delete_elem(&runners, &tgid) == 0)
		flags |= RECORD_OF_RUNNER;
	fill_in_file(&file, BPF_CORE_READ(program, file));
	known = bpf_map_lookup_elem(&known_files, &file);
	if (known && *known != FILE_WITHOUT_PROBES) {
		*known = FILE_EXECED;
		if (wanted)
			has_run_attached = 1;
	}
	if (!known && wanted && !is_outside())
		flags |= RECORD_UNKNOWN_FILE;
	if (!flags)
		return 0;
	made = bpf_ringbuf_reserve(ring_of(bpf_get_smp_processor_id()), sizeof(*made), 0);
	if (!made) {
		__sync_fetch_and_add(&process_records_lost, 1);
		return 0;
	}
	fill_in_header(&made->record, PROCESS_EXECED, flags);
	made->file = file;
	if (bpf_probe_read_kernel_str(made->path, sizeof(made->path),
				      BPF_CORE_READ(program, filename)) < 0)
		made->path[0] = 0;
	bpf_ringbuf_submit(made, BPF_RB_FORCE_WAKEUP); /* rare, and the reader has to attach soon */
	return 0;
}

/* The child of a runner has mapped the same files, and may go on with a step of its parent. */
static __always_inline void expect_child(struct task_struct *child)
{
	__u64 program = BPF_CORE_READ(child, start_time) +
			((__u64)BPF_CORE_READ(child, self_exec_id) << 48);
	__u32 tgid = (__u32)BPF_CORE_READ(child, tgid);
	__u8 expected = RUNNER_EXPECTED;

	if (bpf_map_update_elem(&runners, &tgid, &expected, BPF_NOEXIST) == 0)
		announce_program(program, task_pid(child));
}

SEC("?raw_tp/sched_process_fork")
int process_forked(struct bpf_raw_tracepoint_args *at) /* parent, child */
{
	struct task_struct *child = (struct task_struct *)at->args[1];
	__u32 pid, parent = bpf_get_current_pid_tgid() >> 32;
	__u8 yes = 1;
	long code;

	if (!is_wanted(current_pid_tid() >> 32))
		return 0;
	if (BPF_CORE_READ(child, pid) != BPF_CORE_READ(child, tgid)) /* a new thread, no process */
		return 0;
	if (marks_runners && (follows_children || !only_wanted_pids) &&
	    bpf_map_lookup_elem(&runners, &parent))
		expect_child(child);
	if (!follows_children)
		return 0;
	pid = task_pid(child);
	code = bpf_map_update_elem(&wanted_pids, &pid, &yes, BPF_NOEXIST);
	if (!code)
		__sync_fetch_and_add(&wanted_pids_count, 1);
	else if (code != -EEXIST)
		__sync_fetch_and_add(&untraced_count, 1);
	return 0;
}

/* Moves a wanted process from wanted_pids to ended_pids. The tracer ends when none is left. */
static __always_inline void end_wanted(__u32 pid)
{
	__u64 now_ns = bpf_ktime_get_ns();

	bpf_map_update_elem(&ended_pids, &pid, &now_ns, BPF_ANY);
	if (bpf_map_delete_elem(&wanted_pids, &pid))
		return;
	__sync_fetch_and_add(&wanted_pids_count, -1);
	if (first_wanted_pid == pid)
		first_wanted_pid = 0;
}

/* The status that waitpid() will return. If one thread ended the whole process, it is in the group,
 * otherwise in the first thread. */
static __always_inline __u32 exit_status(struct task_struct *task)
{
	struct signal_struct *group = BPF_CORE_READ(task, signal);

	if (BPF_CORE_READ(group, flags) & SIGNAL_GROUP_EXIT)
		return (__u32)BPF_CORE_READ(group, group_exit_code);
	return (__u32)BPF_CORE_READ(task, group_leader, exit_code);
}

/* A function of its own, which the verifier checks once and not for every child. */
__attribute__((noinline)) __u32 number_of_process(__u64 task)
{
	return task_pid((struct task_struct *)task);
}

/* Puts the child into `runners`: from now on its exit and its exec are reported. */
static __always_inline void fill_in_heir(struct process_heir *heir, struct task_struct *child)
{
	__u32 tgid = (__u32)BPF_CORE_READ(child, tgid);
	__u8 expected = RUNNER_EXPECTED;

	heir->started_ns = BPF_CORE_READ(child, start_time);
	heir->pid = number_of_process((__u64)child);
	heir->reserved = 0;
	bpf_map_update_elem(&runners, &tgid, &expected, BPF_NOEXIST);
}

/* Fills in the children that were forked, did not exec and are alive. They are counted in the
 * record itself: the verifier does not follow numbers there, so it need not check every combination
 * of children that are filled in and left out. */
static __always_inline void fill_in_heirs(struct process_end *end, struct task_struct *task)
{
	struct list_head *head = __builtin_preserve_access_index(&task->children);
	struct list_head *at = BPF_CORE_READ(task, children.next);

	end->heirs_count = 0;
	for (int i = 0; i < CHILDREN_LOOKED_AT && at && at != head; i++) {
		struct task_struct *child =
			(void *)at - bpf_core_field_offset(struct task_struct, sibling);
		__u32 flags = BPF_CORE_READ(child, flags);

		if (flags & PF_FORKNOEXEC && !(flags & PF_EXITING)) {
			fill_in_heir(&end->heirs[end->heirs_count & (HEIRS_MAX - 1)], child);
			end->heirs_count++;
		}
		if (end->heirs_count >= HEIRS_MAX)
			break;
		at = BPF_CORE_READ(child, sibling.next);
	}
}

static __always_inline void record_end(struct task_struct *task, __u8 flags)
{
	struct process_end *made =
		bpf_ringbuf_reserve(ring_of(bpf_get_smp_processor_id()), sizeof(*made), 0);

	if (!made) {
		__sync_fetch_and_add(&process_records_lost, 1);
		return;
	}
	fill_in_header(&made->record, PROCESS_ENDED, flags);
	made->status = exit_status(task);
	made->oom_killed = BPF_CORE_READ(task, signal, oom_mm) != NULL;
	made->is_fork = (BPF_CORE_READ(task, group_leader, flags) & PF_FORKNOEXEC) != 0;
	made->reserved = 0;
	__builtin_memset(made->heirs, 0, sizeof(made->heirs));
	fill_in_heirs(made, task);
	bpf_ringbuf_submit(made, BPF_RB_FORCE_WAKEUP);
}

/*
 * The record comes first: a tracer that sees no wanted process any more reads the rest of the ring
 * buffer and ends. Threads that end at the same time may all be here as the last one, and then each
 * makes a record; the tracer takes the first.
 */
SEC("?raw_tp/sched_process_exit")
int process_ended(struct bpf_raw_tracepoint_args *at) /* the current task */
{
	struct task_struct *task = (struct task_struct *)at->args[0];
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 wanted = current_pid_tid() >> 32;
	bool was_wanted = only_wanted_pids && bpf_map_lookup_elem(&wanted_pids, &wanted);
	bool is_runner = bpf_map_lookup_elem(&runners, &tgid);

	if (BPF_CORE_READ(task, signal, live.counter) > 0) /* the process has other live threads */
		return 0;
	if (was_wanted || is_runner)
		record_end(task, is_runner ? RECORD_OF_RUNNER : 0);
	if (is_runner)
		bpf_map_delete_elem(&runners, &tgid);
	if (was_wanted)
		end_wanted(wanted);
	return 0;
}

/* Leaves out mappings of files that are known to have no probes: those are nearly all mappings of a
 * machine. */
static __always_inline bool is_of_interest(const struct steptrace_mapping *mapping)
{
	__u8 *known = bpf_map_lookup_elem(&known_files, &mapping->file);

	return (!known || *known != FILE_WITHOUT_PROBES) && is_wanted(mapping->pid);
}

static __always_inline void mark_runner(struct task_struct *task,
					const struct steptrace_mapping *mapping)
{
	__u8 *known = bpf_map_lookup_elem(&known_files, &mapping->file);
	__u8 expected = RUNNER_EXPECTED;
	__u32 tgid = (__u32)task->tgid;

	if (!known || (*known != FILE_ATTACHED && *known != FILE_EXECED))
		return;
	if (bpf_map_update_elem(&runners, &tgid, &expected, BPF_NOEXIST) == 0)
		announce_program(program_of(task), mapping->pid);
}

static __always_inline bool is_at_asked_address(struct task_struct *task,
						struct vm_area_struct *area)
{
	return area->vm_start == asked_address && task_tid(task) == asked_tid;
}

static __always_inline bool is_of_asked_file(const struct steptrace_mapping *mapping)
{
	return mapping->file.inode == asked_file.inode &&
	       mapping->file.file_system == asked_file.file_system;
}

/*
 * Writes every executable mapping of a file in wanted processes.
 * If asked_address is set: only the mapping of thread asked_tid at that address.
 * If asked_file is set: every mapping of that file in any process, also one that is not executable.
 */
SEC("?iter/task_vma")
int each_mapping(struct bpf_iter__task_vma *at)
{
	struct steptrace_mapping mapping = {};
	struct vm_area_struct *area = at->vma;
	struct task_struct *task = at->task;

	/* Keeps the compiler from loading the pointer again: the verifier takes the second load for
	 * another pointer, which was not compared with NULL. */
	barrier_var(task);
	if (!task || !area || !area->vm_file)
		return 0;
	mapping.flags = (__u32)area->vm_flags;
	if (asked_address ? !is_at_asked_address(task, area)
			  : !asked_file.inode && !(mapping.flags & MAPPING_EXECUTABLE))
		return 0;
	fill_in_file(&mapping.file, area->vm_file);
	if (asked_file.inode && !is_of_asked_file(&mapping))
		return 0;
	mapping.pid = task_pid(task);
	if (!asked_address && !asked_file.inode && !is_of_interest(&mapping))
		return 0;
	if (marks_runners && is_wanted(mapping.pid))
		mark_runner(task, &mapping);
	mapping.tid = task_tid(task);
	mapping.start = area->vm_start;
	mapping.end = area->vm_end;
	mapping.file_page = area->vm_pgoff;
	bpf_seq_write(at->meta->seq, &mapping, sizeof(mapping));
	return 0;
}
