// SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0)
/*
 * Follows the path of --cgroup. When a service restarts, its cgroup is removed and made again with
 * the same path and another id. The kernel runs this program before the new cgroup can have a
 * process, so no boundary is missed.
 */
#include "maps.bpf.h"

#include <bpf/bpf_core_read.h>

/* The kernel makes one cgroup after the other (cgroup_mutex), so one buffer is enough. */
static char made_path[CGROUP_PATH_BYTES];

static __always_inline bool is_wanted_path(void)
{
	for (int i = 0; i < CGROUP_PATH_BYTES; i++) {
		if (made_path[i] != wanted_cgroup_path[i])
			return false;
		if (made_path[i] == 0)
			return true;
	}
	return false;
}

SEC("?raw_tp/cgroup_mkdir")
int cgroup_made(struct bpf_raw_tracepoint_args *at) /* cgroup, path */
{
	struct cgroup *made = (struct cgroup *)at->args[0];

	if (BPF_CORE_READ(made, root, hierarchy_id) != 0)
		return 0;
	if (bpf_probe_read_kernel_str(made_path, sizeof(made_path), (const char *)at->args[1]) < 0)
		return 0;
	if (is_wanted_path())
		wanted_cgroup_id = BPF_CORE_READ(made, kn, id);
	return 0;
}
