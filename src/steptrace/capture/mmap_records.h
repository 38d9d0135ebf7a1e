/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells which files processes map to execute from them: programs, and libraries that a program
 * needs or loads with dlopen().
 *
 * The kernel writes PERF_RECORD_MMAP2 records for perf events. A dummy event on each processor
 * makes nothing but these records. It needs CAP_PERFMON, and no tracefs. There is a ring of records
 * for each processor. A record that finds its ring full is lost, which the kernel counts.
 */
#ifndef STEPTRACE_MMAP_RECORDS_H
#define STEPTRACE_MMAP_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mmap_record {
	uint64_t time_ns;  /* CLOCK_MONOTONIC */
	uint32_t pid, tid; /* as numbered in the tracer's pid namespace; 0: not in it */
	uint64_t start;    /* address of the mapping, which is executable */
	uint64_t bytes;
	uint64_t file_offset; /* of `start` */
	uint64_t device;      /* as st_dev */
	uint64_t inode, generation;
	const char *untrusted_path; /* as the process sees it; valid during the call */
};

struct mmap_ring;

struct mmap_records {
	struct mmap_ring *rings; /* owned; NULL: closed */
	size_t count;
	int wakeup_fd; /* an epoll of all rings: readable when the reader is woken */
};

/*
 * `process`: only the mappings of this process and of its future children, and each record wakes
 * the reader. 0: the mappings of all processes. There are several at each exec of the machine, and
 * waking the reader costs the process there more than all the rest, so only a ring that is half
 * full wakes it: drain the records now and then. 0 or negative errno: nothing is open then.
 */
int mmap_records__open(struct mmap_records *records, pid_t process);
/* Also for zeroed memory, and again. */
void mmap_records__close(struct mmap_records *records);

typedef void mmap_record_fn(void *context, const struct mmap_record *record);

/* Calls `each` with every record that was not read. Returns whether records were lost since the
 * last call. */
bool mmap_records__drain(struct mmap_records *records, mmap_record_fn *each, void *context);

#endif
