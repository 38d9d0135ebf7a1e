/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The numbers of the system calls in which a thread may wait, and their first arguments. A call
 * that the architecture does not have gets a number below 0, which no call has. A thread outside a
 * call has such a number, too: struct syscall.
 *
 *   name              x86-64  arm64
 */
#ifndef STEPTRACE_SYSCALLS_BPF_H
#define STEPTRACE_SYSCALLS_BPF_H

#include "vmlinux.h"

/* clang-format off */

#define STEPTRACE_SYSCALLS(ROW) \
  ROW(read,              0,    63) \
  ROW(write,             1,    64) \
  ROW(poll,              7,    -1) \
  ROW(pread64,           17,   67) \
  ROW(pwrite64,          18,   68) \
  ROW(readv,             19,   65) \
  ROW(writev,            20,   66) \
  ROW(select,            23,   -2) \
  ROW(msync,             26,   227) \
  ROW(nanosleep,         35,   101) \
  ROW(sendfile,          40,   71) \
  ROW(connect,           42,   203) \
  ROW(accept,            43,   202) \
  ROW(sendto,            44,   206) \
  ROW(recvfrom,          45,   207) \
  ROW(sendmsg,           46,   211) \
  ROW(recvmsg,           47,   212) \
  ROW(semop,             65,   193) \
  ROW(fcntl,             72,   25) \
  ROW(flock,             73,   32) \
  ROW(fsync,             74,   82) \
  ROW(fdatasync,         75,   83) \
  ROW(truncate,          76,   45) \
  ROW(ftruncate,         77,   46) \
  ROW(sync,              162,  81) \
  ROW(futex,             202,  98) \
  ROW(semtimedop,        220,  192) \
  ROW(clock_nanosleep,   230,  115) \
  ROW(epoll_wait,        232,  -3) \
  ROW(pselect6,          270,  72) \
  ROW(ppoll,             271,  73) \
  ROW(splice,            275,  76) \
  ROW(sync_file_range,   277,  84) \
  ROW(epoll_pwait,       281,  22) \
  ROW(fallocate,         285,  47) \
  ROW(accept4,           288,  242) \
  ROW(preadv,            295,  69) \
  ROW(pwritev,           296,  70) \
  ROW(recvmmsg,          299,  243) \
  ROW(syncfs,            306,  267) \
  ROW(sendmmsg,          307,  269) \
  ROW(copy_file_range,   326,  285) \
  ROW(preadv2,           327,  286) \
  ROW(pwritev2,          328,  287) \
  ROW(epoll_pwait2,      441,  441) \
  ROW(futex_waitv,       449,  449) \
  ROW(futex_wait,        455,  455)

/* clang-format on */

#if defined(__TARGET_ARCH_arm64)
#define SYSCALL_NUMBER(name, x86, arm64) SYSCALL_##name = (arm64),
#else
#define SYSCALL_NUMBER(name, x86, arm64) SYSCALL_##name = (x86),
#endif

enum { STEPTRACE_SYSCALLS(SYSCALL_NUMBER) };

#undef SYSCALL_NUMBER

/* What a thread has called. */
struct syscall {
	long number; /* negative: it is in none, in a page fault for example */
	__u64 arguments[3];
};

static __always_inline struct syscall syscall_of(const struct pt_regs *regs)
{
#if defined(__TARGET_ARCH_arm64)
	return (struct syscall){regs->syscallno, {regs->orig_x0, regs->regs[1], regs->regs[2]}};
#else
	return (struct syscall){(long)regs->orig_ax, {regs->di, regs->si, regs->dx}};
#endif
}

#endif
