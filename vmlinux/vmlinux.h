/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The kernel types that bpf/ uses, kept by hand: the build does not need the types of the kernel
 * that it runs on.
 *
 * The structures have only the members that are read. preserve_access_index makes libbpf replace
 * their offsets by those of the running kernel when it loads the programs. Every structure that an
 * access starts from costs about a millisecond then, because libbpf searches all types of the
 * kernel for it. So there are few of them.
 *
 * `vmlinux/regenerate` writes the full header of the running kernel, for comparison. The include
 * guard has the name that the headers of libbpf test for.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <linux/types.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx;
	unsigned long dx;
	unsigned long si;
	unsigned long di;      /* first argument of a function, and of a system call */
	unsigned long orig_ax; /* number of the system call; negative: none */
	unsigned long ip, sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	__u64 regs[31]; /* regs[0]: first argument of a function */
};
struct pt_regs {
	__u64 regs[31];
	__u64 sp, pc;
	__u64 orig_x0; /* first argument of a system call */
	int syscallno; /* negative: none */
};
#endif

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1]; /* level + 1 of them */
};

typedef struct {
	int counter;
} atomic_t;

struct signal_struct {
	atomic_t live; /* how many threads have not begun to exit */
	int group_exit_code;
	unsigned int flags;
	struct mm_struct *oom_mm; /* not NULL: the OOM killer chose this process */
};

struct list_head {
	struct list_head *next;
};

struct sched_entity {
	__u64 sum_exec_runtime; /* ns on processors, up to the latest tick */
	__u64 nr_migrations;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct mm_struct {
	unsigned long start_stack; /* where the kernel has put the program's arguments */
};

/* The thread pointer of the program is fsbase on x86-64, tp_value on aarch64. */
struct thread_struct {
	unsigned long fsbase;
	struct {
		unsigned long tp_value;
	} uw;
};

struct task_struct {
	unsigned int flags;
	unsigned int __state; /* 0: runnable */
	struct sched_entity se;
	unsigned in_iowait : 1;
	unsigned long nvcsw, nivcsw; /* voluntary and involuntary context switches */
	unsigned long min_flt, maj_flt;
	struct files_struct *files;
	void *bpf_storage; /* NULL: no map has an entry for the task */
	int pid;
	int tgid;
	int exit_code;
	__u64 start_time;   /* CLOCK_MONOTONIC */
	__u64 self_exec_id; /* advances with every exec */
	struct task_struct *real_parent;
	struct list_head children; /* the head of a list that links the member sibling */
	struct list_head sibling;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct signal_struct *signal;
	struct mm_struct *mm; /* NULL: a thread of the kernel */
	struct thread_struct thread;
};

struct super_block {
	unsigned long s_magic;
};

struct timespec64 {
	__s64 tv_sec;
	long tv_nsec;
};

/* The time of the last change. A kernel has only one of the three forms. */
struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	struct super_block *i_sb;
	__s64 i_ctime_sec; /* from 6.11 on, with i_ctime_nsec */
	__u32 i_ctime_nsec;
	struct timespec64 __i_ctime; /* from 6.6 on */
	struct timespec64 i_ctime;   /* before 6.6 */
};

struct file {
	struct inode *f_inode;
	void *private_data;
};

/* The descriptors that an epoll descriptor watches are a tree. */
struct rb_node {
	struct rb_node *rb_right, *rb_left;
};

struct rb_root {
	struct rb_node *rb_node;
};

struct rb_root_cached {
	struct rb_root rb_root;
};

struct epoll_filefd {
	struct file *file;
};

struct epitem {
	struct rb_node rbn;
	struct epoll_filefd ffd;
};

struct eventpoll {
	struct rb_root_cached rbr;
};

struct linux_binprm {
	struct file *file;
	const char *filename;
};

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_flags;
	unsigned long vm_pgoff;
	struct file *vm_file;
};

struct kernfs_node {
	__u64 id; /* of a cgroup: the inode number of its directory */
};

struct cgroup_root {
	int hierarchy_id; /* 0: version 2 */
};

struct cgroup {
	struct kernfs_node *kn;
	struct cgroup_root *root;
};

#pragma clang attribute pop

/* The context of iterator programs. Its layout is the same in all kernels. */
struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task_vma {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	struct vm_area_struct *vma;
};

#endif
