/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/* What the program shares with src/steptrace/capture.c. Sizes marked 0 are set before loading. */
#ifndef STEPTRACE_MAPS_BPF_H
#define STEPTRACE_MAPS_BPF_H

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 0);
} records SEC(".maps");

/* The thread groups that were named, when there is more than one. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} wanted_pids SEC(".maps");

/* Fixed before loading: the verifier removes what they rule out. */
const volatile __u32 filter_mode = FILTER_NONE;
const volatile __u32 filter_pid = 0;
/* The tracer's pid namespace, where it is not the initial one: pids are as the tracer sees them. */
const volatile __u64 namespace_device = 0;
const volatile __u64 namespace_inode = 0;
const volatile __u64 wakeup_bytes = 1 << 20;

/* A command that was announced up to this moment may be unknown to the reader: its next record
 * carries its context. All ones until every probe is attached; moved forward by every loss. */
__u64 context_unknown_until_ns = ~0ULL;

struct steptrace_counts counts[COUNT_ROWS] __attribute__((aligned(64))) = {};

#endif
