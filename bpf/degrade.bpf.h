/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What is dropped to keep the reader within --max-cpu. A dropped record is counted and reported as
 * a loss. User space decides how much to drop and writes it into `degradation`.
 */
#ifndef STEPTRACE_DEGRADE_BPF_H
#define STEPTRACE_DEGRADE_BPF_H

#include "match.bpf.h"

/* True for one execution in mask + 1. Uses other bits of the hash than is_sampled(): otherwise it
 * would keep all or none of the executions that --sample kept. */
static __always_inline bool is_kept(const void *span, __u32 mask)
{
	__u64 id[2];

	if (bpf_probe_read_user(id, sizeof(id), span + offsetof(struct span_head, execution_id)))
		return true;
	return (((id[0] ^ id[1]) * 0x9e3779b97f4a7c15ULL) >> 48 & mask) == 0;
}

static __always_inline bool degrade__drops(const void *span, __u32 probe)
{
	__u32 now = degradation; /* read once: user space may change it at any time */
	__u32 mask = now >> DEGRADE_SAMPLE_SHIFT;

	if (now & 1u << probe)
		return true;
	return mask && is_child(probe) && !is_kept(span, mask);
}

#endif
