/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * What is left out for a while because the reader has no more time (--max-cpu): a loss, counted and
 * made known like any other. User space decides how much; nothing else of it happens here.
 */
#ifndef STEPTRACE_DEGRADE_BPF_H
#define STEPTRACE_DEGRADE_BPF_H

#include "match.bpf.h"

/* By execution, and not by the same bits as is_sampled(). */
static __always_inline bool is_among(const void *span, __u32 mask)
{
	__u64 id[2];

	if (bpf_probe_read_user(id, sizeof(id), span + offsetof(struct span_head, execution_id)))
		return true;
	return (((id[0] ^ id[1]) * 0x9e3779b97f4a7c15ULL) >> 48 & mask) == 0;
}

static __always_inline bool degrade__leaves_out(const void *span, __u32 probe)
{
	__u32 now = degradation; /* all of it may change between two looks */
	__u32 mask = now >> DEGRADE_SAMPLE_SHIFT;

	if (now & 1u << probe)
		return true;
	return mask && is_child(probe) && !is_among(span, mask);
}

#endif
