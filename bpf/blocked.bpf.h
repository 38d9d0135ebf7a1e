/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What a thread waits for when it sleeps in the kernel: by its flag in_iowait, its system call, and
 * the kind of the descriptor that it waits for.
 *
 *	disk		in_iowait, or it writes back, or it uses a file that is no pipe or socket
 *	lock		futex, file lock, semaphore
 *	network		a socket of any kind
 *	sleep		a pause that ends by itself
 *	pipe		a pipe or FIFO
 *	other		everything else: children, terminals, events, page faults without a disk
 *
 * A thread may wait for several descriptors. poll: a socket among the first four decides, then a
 * pipe; epoll: the same among three of them; select: the highest descriptor decides.
 */
#ifndef STEPTRACE_BLOCKED_BPF_H
#define STEPTRACE_BLOCKED_BPF_H

#include "syscalls.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <stdbool.h>

#include "steptrace/record.h"

/* <linux/stat.h>; and the file system of eventfd, epoll, timerfd and the like. */
enum { MODE_KIND = 0170000, MODE_SOCKET = 0140000, MODE_FIFO = 0010000 };
enum { MODE_FILE = 0100000, MODE_DIRECTORY = 0040000, MODE_BLOCK = 0060000 };
enum { ANON_INODES = 0x09041934 };
enum { POLLED_MAX = 4 };

/* ---- descriptors */

static __always_inline int kind_of_file(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	if (!inode)
		return BLOCKED_OTHER;
	switch (BPF_CORE_READ(inode, i_mode) & MODE_KIND) {
	case MODE_SOCKET: return BLOCKED_NETWORK;
	case MODE_FIFO: return BLOCKED_PIPE;
	case MODE_BLOCK:
	case MODE_DIRECTORY: return BLOCKED_DISK;
	case MODE_FILE:
		return BPF_CORE_READ(inode, i_sb, s_magic) == ANON_INODES ? BLOCKED_OTHER
									  : BLOCKED_DISK;
	default: return BLOCKED_OTHER;
	}
}

/* The table of the open files of a task: its address, for the functions below. */
static __always_inline __u64 files_of(struct task_struct *task)
{
	return (__u64)BPF_CORE_READ(task, files, fdt);
}

static __always_inline struct file *file_at(__u64 files, __u32 descriptor)
{
	struct fdtable *table = (struct fdtable *)files;
	struct file **all = BPF_CORE_READ(table, fd), *file = NULL;

	if (descriptor < BPF_CORE_READ(table, max_fds))
		bpf_probe_read_kernel(&file, sizeof(file), &all[descriptor]);
	return file;
}

/* A function of its own, which the verifier checks once and not for every call. Weak, because two
 * objects have it. Returns an enum blocked_kind. */
__attribute__((noinline, weak)) int kind_of_descriptor(__u64 files, __u32 descriptor)
{
	struct file *file = file_at(files, descriptor);

	return file ? kind_of_file(file) : BLOCKED_OTHER;
}

/* ---- several descriptors */

static __always_inline int stronger(int one, int other)
{
	if (one == BLOCKED_NETWORK || other == BLOCKED_NETWORK)
		return BLOCKED_NETWORK;
	return one == BLOCKED_PIPE || other == BLOCKED_PIPE ? BLOCKED_PIPE : BLOCKED_OTHER;
}

static __always_inline int kind_of_poll(__u64 files, const struct syscall *call)
{
	__u32 count = (__u32)call->arguments[1];
	int kind = BLOCKED_OTHER;
	struct {
		int fd;
		__u16 events, revents;
	} polled;

	if (count == 0)
		return BLOCKED_SLEEP;
	for (__u32 i = 0; i < POLLED_MAX && i < count && kind != BLOCKED_NETWORK; i++) {
		if (bpf_probe_read_user(&polled, sizeof(polled),
					(const void *)(call->arguments[0] + i * sizeof(polled))))
			break;
		if (polled.fd >= 0)
			kind = stronger(kind, kind_of_descriptor(files, polled.fd));
	}
	return kind;
}

/* The first argument is the highest of the descriptors, plus 1. */
static __always_inline int kind_of_select(__u64 files, const struct syscall *call)
{
	int count = (int)call->arguments[0];

	return count > 0 ? kind_of_descriptor(files, count - 1) : (int)BLOCKED_SLEEP;
}

static __always_inline int kind_of_node(struct rb_node *node)
{
	struct epitem *item = (void *)node - bpf_core_field_offset(struct epitem, rbn);

	return node ? kind_of_file(BPF_CORE_READ(item, ffd.file)) : (int)BLOCKED_OTHER;
}

/* The root of the tree and its two children. */
static __always_inline int kind_of_epoll(__u64 files, __u32 descriptor)
{
	struct file *file = file_at(files, descriptor);
	struct eventpoll *poll = file ? BPF_CORE_READ(file, private_data) : NULL;
	struct rb_node *root = poll ? BPF_CORE_READ(poll, rbr.rb_root.rb_node) : NULL;
	int kind;

	if (!root)
		return BLOCKED_SLEEP;
	kind = stronger(kind_of_node(root), kind_of_node(BPF_CORE_READ(root, rb_left)));
	return stronger(kind, kind_of_node(BPF_CORE_READ(root, rb_right)));
}

/* ---- system calls */

static __always_inline int kind_of_call(struct task_struct *task, const struct syscall *call)
{
	if (call->number < 0) /* outside a call; not the number of a call that is not there */
		return BLOCKED_OTHER;
	switch (call->number) {
	case SYSCALL_read:
	case SYSCALL_write:
	case SYSCALL_pread64:
	case SYSCALL_pwrite64:
	case SYSCALL_readv:
	case SYSCALL_writev:
	case SYSCALL_preadv:
	case SYSCALL_pwritev:
	case SYSCALL_preadv2:
	case SYSCALL_pwritev2:
	case SYSCALL_sendfile:
	case SYSCALL_splice: return kind_of_descriptor(files_of(task), call->arguments[0]);
	case SYSCALL_connect:
	case SYSCALL_accept:
	case SYSCALL_accept4:
	case SYSCALL_sendto:
	case SYSCALL_recvfrom:
	case SYSCALL_sendmsg:
	case SYSCALL_recvmsg:
	case SYSCALL_sendmmsg:
	case SYSCALL_recvmmsg: return BLOCKED_NETWORK;
	case SYSCALL_futex:
	case SYSCALL_futex_wait:
	case SYSCALL_futex_waitv:
	case SYSCALL_semop:
	case SYSCALL_semtimedop:
	case SYSCALL_fcntl:
	case SYSCALL_flock: return BLOCKED_LOCK;
	case SYSCALL_nanosleep:
	case SYSCALL_clock_nanosleep: return BLOCKED_SLEEP;
	case SYSCALL_fsync:
	case SYSCALL_fdatasync:
	case SYSCALL_sync:
	case SYSCALL_syncfs:
	case SYSCALL_msync:
	case SYSCALL_sync_file_range:
	case SYSCALL_truncate:
	case SYSCALL_ftruncate:
	case SYSCALL_fallocate:
	case SYSCALL_copy_file_range: return BLOCKED_DISK;
	case SYSCALL_poll:
	case SYSCALL_ppoll: return kind_of_poll(files_of(task), call);
	case SYSCALL_select:
	case SYSCALL_pselect6: return kind_of_select(files_of(task), call);
	case SYSCALL_epoll_wait:
	case SYSCALL_epoll_pwait:
	case SYSCALL_epoll_pwait2: return kind_of_epoll(files_of(task), call->arguments[0]);
	default: return BLOCKED_OTHER;
	}
}

/* For the task that the kernel takes off its processor now. Returns an enum blocked_kind. */
static __always_inline int kind_of_wait(struct task_struct *task)
{
	const struct pt_regs *regs = (const struct pt_regs *)bpf_task_pt_regs(task);
	struct syscall call = syscall_of(regs);

	if (BPF_CORE_READ_BITFIELD(task, in_iowait))
		return BLOCKED_DISK;
	return kind_of_call(task, &call);
}

#endif
