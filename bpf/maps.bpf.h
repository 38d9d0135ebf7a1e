/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/* What the BPF programs share with each other and with src/steptrace/capture/.
 * The definitions are in maps.bpf.c. */
#ifndef STEPTRACE_MAPS_BPF_H
#define STEPTRACE_MAPS_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <stdbool.h>
#include <stddef.h>

#include "steptrace/record.h"

struct records_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 16); /* set before loading */
};

/* Where one buffer is too few: those of the processors, in turn. */
struct rings_map {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, RINGS_MAX);
	__type(key, __u32);
	__type(value, __u32); /* what they are like is said before loading */
};

/* Thread groups, as the tracer's pid namespace numbers them. */
struct wanted_pids_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, WANTED_PIDS_MAX);
	__type(key, __u32);
	__type(value, __u8);
};

/* Thread groups, as the initial namespace numbers them. */
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

extern struct records_map records SEC(".maps");
extern struct rings_map rings SEC(".maps");
/* The processes that were named, and what they forked. */
extern struct wanted_pids_map wanted_pids SEC(".maps");
/* Processes that may have commands open. */
extern struct runners_map runners SEC(".maps");
extern struct known_files_map known_files SEC(".maps");

/* Fixed before loading: the verifier removes what they rule out. */
extern const volatile bool only_wanted_pids;
/* The tracer's pid namespace, where it is not the initial one: pids are as the tracer sees them. */
extern const volatile __u64 namespace_device;
extern const volatile __u64 namespace_inode;
extern const volatile __u64 wakeup_bytes; /* of one ring buffer */
extern const volatile __u32 rings_mask;   /* 0: there is one */
extern const volatile struct steptrace_filters filters;

/* A command that was announced up to this moment may be unknown to the reader: its next record
 * carries its context. All ones until every probe is attached; moved forward by every loss. */
extern __u64 context_unknown_until_ns;

/* What is left out for now (degrade.bpf.h): a bit for each probe; above DEGRADE_SAMPLE_SHIFT, of the
 * children all but one execution in so many, a power of two, less one. 0: nothing. */
extern __u32 degradation;

/* When a record of this probe was lost last. */
extern __u64 last_lost_ns[PROBES_COUNT];

/* How many are in wanted_pids, and one of them, which is found without a look into the map. */
extern __u32 wanted_pids_count;
extern __u32 first_wanted_pid;

/* Set while the tracer asks which file lies behind this address of its own. */
extern __u64 asked_address;

/* Records of processes that found no room: the reader has to look for itself. */
extern __u64 process_records_lost;

/* Processes that found no room in wanted_pids, and are not traced. */
extern __u64 untraced_count;

/* There is a runner that found no room in `runners`: its end will not be reported. */
extern __u32 has_unwatched;

extern struct steptrace_counts counts[COUNT_ROWS];

#endif
