/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the memory of another process without changing it: the process is not stopped, and only
 * pages that are in memory are read (/proc/PID/pagemap), so that its resident memory, its page
 * tables and its swap stay as they are.
 *
 *	process_memory__open	lists the mappings of the process
 *	process_memory__read	some bytes, such as a struct or a text
 *	process_memory__each	all bytes that are in memory, between two addresses
 *
 * Source: process_vm_readv(2). It needs the same user and the consent of Yama
 * (kernel.yama.ptrace_scope), or CAP_SYS_PTRACE.
 */
#ifndef STEPTRACE_PROCESS_MEMORY_H
#define STEPTRACE_PROCESS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

struct memory_area {
	uint64_t start, end;
	uint64_t file_offset; /* of `start`, in bytes */
	bool is_writable;
	bool is_file;       /* a file is mapped */
	bool is_shared;     /* what others write to it is seen here */
	bool is_stack;      /* of the first thread */
	bool is_heap;       /* of brk() */
	bool follows_guard; /* the mapping in front of it permits no access */
};

struct memory_copies;

struct process_memory {
	pid_t pid, thread;         /* a thread that has memory: the first one may have ended */
	int pagemap;               /* owned */
	struct memory_area *areas; /* owned; readable ones, by address */
	size_t areas_count, areas_room;
	struct memory_copies *copies; /* owned; of memory that does not change; NULL: none yet */
	char *buffer;                 /* owned; NULL: none yet */
};

/* 0 or negative errno with a sentence. Call process_memory__close() in any case. */
int process_memory__open(struct process_memory *memory, pid_t pid, struct error *err);
void process_memory__close(struct process_memory *memory);

/* The area with this address; NULL: there is none that can be read. */
const struct memory_area *process_memory__area(const struct process_memory *memory,
					       uint64_t address);

/*
 * Reads up to `size_bytes` bytes (at most PROCESS_MEMORY_READ_MAX). Returns how many, which is less
 * where the memory ends; 0: none. A page of a file that is not in memory is read from the file.
 * Constant texts of a program are read once: they are in a private mapping of a file that the
 * process cannot write to.
 * `context` is a struct process_memory.
 */
enum { PROCESS_MEMORY_READ_MAX = 4096 };
ssize_t process_memory__read(void *context, uint64_t address, void *bytes, size_t size_bytes);

/* Called with bytes that were read at `address`, which is divisible by 8. Non-zero ends it. */
typedef int memory_fn(void *context, const void *bytes, size_t size_bytes, uint64_t address);

/* What was read of an area, and what not. */
struct memory_counts {
	uint64_t read_bytes;
	uint64_t swapped_bytes; /* swapped out, and therefore not read */
};

/*
 * Reads all pages between two addresses that are in memory, and adds their size to `counts`.
 * Returns 0, what `each` returned, or negative errno: the memory cannot be read.
 */
int process_memory__each(struct process_memory *memory, uint64_t from, uint64_t to, memory_fn *each,
			 void *context, struct memory_counts *counts);

#endif
