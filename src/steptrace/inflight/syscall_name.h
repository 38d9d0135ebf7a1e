/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of system calls. */
#ifndef STEPTRACE_SYSCALL_NAME_H
#define STEPTRACE_SYSCALL_NAME_H

enum { SYSCALL_NAME_BYTES = 32 };

/* "futex"; "system call 999" where the number has no name here, and "" for a negative number. */
void syscall_name__write(long number, char name[SYSCALL_NAME_BYTES]);

#endif
