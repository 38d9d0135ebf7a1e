/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Since when each thread of the machine does not run, and its stack pointer: what /proc does not
 * tell. thread_times__open() needs CAP_BPF and CAP_PERFMON. On Linux 5.19 and later,
 * thread_times__list() needs nothing. Before, the kernel refuses it without CAP_BPF if the sysctl
 * kernel.unprivileged_bpf_disabled is not 0.
 */
#ifndef STEPTRACE_THREAD_TIMES_H
#define STEPTRACE_THREAD_TIMES_H

#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"
#include "steptrace/thread_record.h"

struct thread_times;

/* 0 and *times, or negative errno with a sentence. */
int thread_times__open(struct thread_times **times, struct error *err);
void thread_times__close(struct thread_times *times); /* also NULL */

/* A list of all threads, by tid. */
struct thread_list {
	struct thread_record *items; /* owned */
	size_t count;
};

/* 0 or negative errno; -EPERM: see above. `times` NULL: an empty list. Call thread_list__free() in
 * any case. */
int thread_times__list(struct thread_times *times, struct thread_list *list);
/* Also for zeroed memory. */
void thread_list__free(struct thread_list *list);

/* NULL: the thread is not in the list. */
const struct thread_record *thread_list__find(const struct thread_list *list, pid_t tid);

#endif
