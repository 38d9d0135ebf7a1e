/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Maps and variables that the BPF programs share with each other and with src/steptrace/capture/.
 * They are defined in maps.bpf.c.
 */
#ifndef STEPTRACE_MAPS_BPF_H
#define STEPTRACE_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "steptrace/record.h"
#include "thread_time.bpf.h"

struct records_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16); /* bytes; capture sets the real size before loading */
};

/* If there is more than one ring buffer: processor n uses the one at index n & rings_mask. */
struct rings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RINGS_MAX);
	__type(key, __u32);
	__type(value, __u32); /* capture describes the ring buffers before loading */
};

/* Thread groups by their number in the tracer's pid namespace. The value means nothing. */
struct wanted_pids_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WANTED_PIDS_MAX);
	__type(key, __u32);
	__type(value, __u8);
};

/* By number as in wanted_pids: when the process ended (CLOCK_MONOTONIC). */
struct ended_pids_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, ENDED_PIDS_MAX);
	__type(key, __u32);
	__type(value, __u64);
};

struct stacks_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16); /* bytes; capture sets the real size before loading */
};

/* RUNNER_EXPECTED or RUNNER_MET (process.bpf.h), by the number of the thread group in the initial
 * pid namespace. */
struct runners_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, RUNNERS_MAX);
	__type(key, __u32);
	__type(value, __u8);
};

struct known_files_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, KNOWN_FILES_MAX);
	__type(key, struct steptrace_file);
	__type(value, __u8); /* enum known_file */
};

/* Executions that are running: 1 if their records are wanted. */
struct decisions_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, DECISIONS_MAX);
	__type(key, struct execution_key);
	__type(value, __u8);
};

/* The threads that have begun a span. The memory of an entry is freed with its thread. */
struct threads_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct thread_time);
};

struct measured_commands_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MEASURED_COMMANDS_MAX);
	__type(key, struct command_key);
	__type(value, struct command_time);
};

extern struct records_map records SEC(".maps");
extern struct rings_map rings SEC(".maps");
/* The processes that were named on the command line, and those that they forked. */
extern struct wanted_pids_map wanted_pids SEC(".maps");
/* The wanted processes that ended last: a record about one may be read after its end. */
extern struct ended_pids_map ended_pids SEC(".maps");
/* Processes that may have open commands. */
extern struct runners_map runners SEC(".maps");
/* Files that the reader has looked at. */
extern struct known_files_map known_files SEC(".maps");
/* What the filters on the process have decided. */
extern struct decisions_map decisions SEC(".maps");
/* With `steptrace profile` only: struct stack_record. */
extern struct stacks_map stacks SEC(".maps");
/* Both exist with --breakdown only. */
extern struct threads_map threads SEC(".maps");
/* The open commands: what threads other than their own have spent for them. */
extern struct measured_commands_map measured_commands SEC(".maps");

/* Set before loading, then constant: the verifier removes the code that they rule out. */
extern const volatile bool only_wanted_pids; /* only processes in wanted_pids are wanted */
/* The tracer's pid namespace if it is not the initial one, else 0. Pids in records are numbered as
 * in this namespace. */
extern const volatile __u64 namespace_device;
extern const volatile __u64 namespace_inode;
extern const volatile __u64 wakeup_bytes; /* unread in one ring buffer */
extern const volatile __u32 rings_mask;   /* 0: there is one ring buffer, `records` */
extern const volatile struct steptrace_filters filters;
/* With --breakdown the size of struct steptrace_cpu, otherwise 0. */
extern const volatile __u64 cpu_bytes;
/* The children of a wanted process are wanted. */
extern const volatile bool follows_children;
/* With `steptrace profile`: a wanted process that has mapped an attached file is a runner, also
 * while it has not come to a probe. */
extern const volatile bool marks_runners;
/* The cgroup of --cgroup, "" for none: the path "/a/b" of /sys/fs/cgroup/a/b. */
extern const volatile char wanted_cgroup_path[CGROUP_PATH_BYTES];

/* The reader may not know the commands that were announced up to this time: their next record has
 * the context. All bits are set until every probe is attached. Every loss sets it to the time of
 * the loss. */
extern __u64 context_unknown_until_ns;

/* When all probes were attached. All bits are set until then. */
extern __u64 armed_ns;

/* How often a decision was made again because it had been dropped: more than DECISIONS_MAX
 * executions were running. */
extern __u64 decisions_lost;

/* What is dropped now (degrade.bpf.h). 0: nothing. A set bit n drops all records of probe n. The
 * bits from DEGRADE_SAMPLE_SHIFT on hold m - 1, where m is a power of two: of m executions, one
 * keeps the records of its steps, tools and fragments. */
extern __u32 degradation;

/* The cgroup that has the wanted path now. A service that restarts gets a new cgroup with the old
 * path. */
extern __u64 wanted_cgroup_id;

/* By probe: when a record was last lost. */
extern __u64 last_lost_ns[PROBES_COUNT];

/* How many processes are in wanted_pids, and one of them, which needs no look-up in the map. */
extern __u32 wanted_pids_count;
extern __u32 first_wanted_pid;

/* Not 0 while the tracer asks which file is mapped at this address in thread `asked_tid`. */
extern __u64 asked_address;
extern __u32 asked_tid;
/* Its inode is not 0 while the tracer asks for all mappings of this file. */
extern struct steptrace_file asked_file;

/* PROCESS_* records for which the ring buffer had no room. The reader then looks for processes that
 * have ended. */
extern __u64 process_records_lost;

/* Processes that are not traced because wanted_pids was full. */
extern __u64 untraced_count;

/* 1 if a runner found no room in `runners`. The kernel does not report its exit. */
extern __u32 has_unwatched;

/* 1 when a wanted process has executed a file whose probes are attached. */
extern __u32 has_run_attached;

/* Spans that could not be measured: more than SPANS_PER_THREAD were open in their thread, there was
 * no memory, the kernel did not run a program at a context switch, or the stamps of the runner
 * contradict the kernel's clock. */
extern __u64 breakdowns_lost;

extern struct steptrace_counts counts[COUNT_ROWS];

#endif
