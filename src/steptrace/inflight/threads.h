/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The threads of a process, what each is doing, and on which stack.
 *
 * Source: /proc/PID/task/TID/{stat,comm,syscall,wchan,stack}, and the kernel's list of threads
 * (capture/thread_times.h). What the caller may not read, or what
 * this kernel does not have, is not known: each member says how that looks.
 */
#ifndef STEPTRACE_THREADS_H
#define STEPTRACE_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "steptrace/capture/thread_times.h"
#include "steptrace/inflight/process_memory.h"

enum {
	THREADS_MAX = 32768,
	SYSCALL_NONE = -1,    /* the thread is in no system call */
	SYSCALL_UNKNOWN = -2, /* not readable */
	WAIT_NAME_BYTES = 64,
	STACK_TEXT_BYTES = 4096,
};

struct thread {
	pid_t tid;
	char state; /* R, S, D, T, t, Z, X or I (proc_pid_stat(5)); 0: not known */
	int cpu;    /* on which it ran last; -1: not known */
	char comm[17];
	long syscall;                    /* its number, or one of the above */
	char wait_name[WAIT_NAME_BYTES]; /* the kernel function in which it waits; "": not known */
	uint64_t stack_pointer;          /* 0: not known */
	uint64_t stack_from, stack_to;   /* its part of the stack that is in use; 0: not known */
	uint64_t off_cpu_since_ns;       /* CLOCK_MONOTONIC; 0: it is running, or not known */
};

struct threads {
	struct thread *items; /* owned; by stack_from */
	size_t count, room;
	size_t left_out; /* there were THREADS_MAX */
};

/* 0 or negative errno. `memory` tells the stacks, `list` the stack pointers of running threads; it
 * may be empty. Call threads__free() in any case. */
int threads__read(struct threads *threads, const struct process_memory *memory,
		  const struct thread_list *list);

/*
 * Takes from a later list since when threads do not run. `searched_ns`: when the search of the
 * process began. A thread that ran since then may have begun and ended anything: of it nothing is
 * taken.
 */
void threads__take_times(struct threads *threads, const struct thread_list *list,
			 uint64_t searched_ns);

/* Also for zeroed memory. */
void threads__free(struct threads *threads);

/* The thread on whose stack the address is; NULL: it is on none, or that is not known. */
const struct thread *threads__on_stack(const struct threads *threads, uint64_t address);

/* Whether a stack is in the area. */
bool threads__have_stack_in(const struct threads *threads, const struct memory_area *area);

/* "sleeping"; "unknown". */
const char *thread__state_name(const struct thread *thread);

/* Whether the kernel stacks of threads can be read: 0 or negative errno. */
int thread__check_stacks(void);

/* The functions of the kernel stack, one a line, the innermost first; "" where it cannot be read
 * (it needs CAP_SYS_ADMIN). */
void thread__kernel_stack(pid_t pid, const struct thread *thread, char text[STACK_TEXT_BYTES]);

#endif
