// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
#include "stacks.bpf.h"

struct records_map records SEC(".maps");
struct rings_map rings SEC(".maps");
struct wanted_pids_map wanted_pids SEC(".maps");
struct ended_pids_map ended_pids SEC(".maps");
struct runners_map runners SEC(".maps");
struct stacks_map stacks SEC(".maps");
struct left_stacks_map left_stacks SEC(".maps");
struct stack_rooms_map stack_rooms SEC(".maps");
struct known_files_map known_files SEC(".maps");
struct decisions_map decisions SEC(".maps");
struct threads_map threads SEC(".maps");
struct measured_commands_map measured_commands SEC(".maps");

const volatile bool only_wanted_pids = false;
const volatile __u64 namespace_device = 0;
const volatile __u64 namespace_inode = 0;
const volatile __u64 wakeup_bytes = 1 << 20;
const volatile __u32 rings_mask = 0;
const volatile struct steptrace_filters filters = {};
const volatile __u64 cpu_bytes = 0;
const volatile bool follows_children = false;
const volatile bool marks_runners = false;
const volatile char wanted_cgroup_path[CGROUP_PATH_BYTES] = {};
const volatile __u32 on_cpu_copy_bytes = 0;
const volatile __u32 off_cpu_copy_bytes = 0;
const volatile __u64 stacks_wakeup_bytes = 1 << 20;
const volatile __u64 sample_period_ns = 1;
const volatile __u64 min_off_ns = 0;

__u64 context_unknown_until_ns = ~0ULL;
__u64 armed_ns = ~0ULL;
__u64 decisions_lost = 0;
__u32 degradation = 0;
__u64 wanted_cgroup_id = 0;
__u64 last_lost_ns[PROBES_COUNT] = {};
__u32 wanted_pids_count = 0;
__u32 first_wanted_pid = 0;
__u64 asked_address = 0;
struct steptrace_file asked_file = {};
__u32 asked_tid = 0;
__u64 process_records_lost = 0;
__u64 untraced_count = 0;
__u32 has_unwatched = 0;
__u32 has_run_attached = 0;
__u64 breakdowns_lost = 0;
__u64 stacks_full = 0;
__u64 stacks_crowded = 0;

struct steptrace_counts counts[COUNT_ROWS] = {};

char LICENSE[] SEC("license") = "Dual BSD/GPL";
