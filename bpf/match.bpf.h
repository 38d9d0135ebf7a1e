/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * Which boundaries are wanted, decided before a record is made.
 *
 * Who: a process that is not meant is not even counted. What: a boundary that is filtered is a hit
 * that is counted as such. Both cost nothing where nobody asked: what is not set is constant, and
 * the verifier removes the code.
 *
 * A span that cannot be read is wanted: the record's own reading will fail, and count it.
 */
#ifndef STEPTRACE_MATCH_BPF_H
#define STEPTRACE_MATCH_BPF_H

#include "process.bpf.h"

enum { CGROUP_LEVELS_MAX = 32 };

static __always_inline bool is_in_cgroup(void)
{
	for (int level = 0; level < CGROUP_LEVELS_MAX; level++) {
		__u64 id = bpf_get_current_ancestor_cgroup_id(level);

		if (id == 0)
			return false;
		if (id == filters.cgroup_id)
			return true;
	}
	return false;
}

static __always_inline bool is_named_so(void)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	return glob__matches(&filters.comm, comm, sizeof(comm));
}

static __always_inline bool match__process(void)
{
	if (filters.by_uid && (__u32)bpf_get_current_uid_gid() != filters.uid)
		return false;
	if (filters.by_cgroup && !is_in_cgroup())
		return false;
	return !filters.by_comm || is_named_so();
}

static __always_inline bool is_child(__u32 probe)
{
	return probe != PROBE_COMMAND_START && probe != PROBE_COMMAND_DONE &&
	       probe != PROBE_COMMAND_REJECTED;
}

/* By execution, so that a command is whole or absent. */
static __always_inline bool is_sampled(const struct span_head *head)
{
	const __u64 *id = (const __u64 *)head->execution_id;

	return (((id[0] ^ id[1]) * 0x9e3779b97f4a7c15ULL) >> 32) % filters.sample_every == 0;
}

static __always_inline bool is_command(const void *span, const struct child_span *head, __u32 probe)
{
	const void *slug = span + offsetof(struct command_span, slug);
	char text[sizeof(((struct command_span *)0)->slug)];

	if (probe == PROBE_COMMAND_REJECTED)
		slug = span + offsetof(struct rejected_span, slug);
	else if (is_child(probe))
		slug = (const void *)head->command + offsetof(struct command_span, slug);
	return bpf_probe_read_user(text, sizeof(text), slug) ||
	       glob__matches(&filters.command, text, sizeof(text));
}

static __always_inline bool is_step_type(const void *span)
{
	char text[sizeof(((struct step_span *)0)->type)];

	return bpf_probe_read_user(text, sizeof(text), span + offsetof(struct step_span, type)) ||
	       glob__matches(&filters.step_type, text, sizeof(text));
}

static __always_inline __u32 offset_of_outcome(__u32 probe)
{
	if (probe == PROBE_COMMAND_DONE)
		return offsetof(struct command_span, outcome);
	return probe == PROBE_STEP_DONE ? offsetof(struct step_span, outcome)
					: offsetof(struct tool_span, outcome);
}

/* Only what ends has an outcome and a duration; a rejection is a failure that takes no time. */
static __always_inline bool is_outcome(const void *span, const struct span_head *head, __u32 probe)
{
	__u8 outcome;

	if (probe == PROBE_COMMAND_START)
		return true; /* without it nobody could say what was aborted */
	if (probe == PROBE_COMMAND_REJECTED)
		return filters.min_duration_ns == 0;
	if (probe != PROBE_COMMAND_DONE && probe != PROBE_STEP_DONE && probe != PROBE_TOOL_DONE)
		return false;
	if (head->end_ns - head->start_ns < filters.min_duration_ns || head->start_ns == 0)
		if (filters.min_duration_ns)
			return false;
	if (!filters.only_failed)
		return true;
	return bpf_probe_read_user(&outcome, sizeof(outcome), span + offset_of_outcome(probe)) ||
	       outcome == SPAN_FAILED;
}

static __always_inline bool match__span(const void *span, __u32 probe)
{
	struct child_span head;
	__u32 bytes = is_child(probe) ? sizeof(head) : sizeof(head.head);

	if (!filters.by_span)
		return true;
	if (bpf_probe_read_user(&head, bytes, span))
		return true;
	if (filters.sample_every && !is_sampled(&head.head))
		return false;
	if (filters.by_command && !is_command(span, &head, probe))
		return false;
	if (filters.by_step_type && (probe == PROBE_STEP_START || probe == PROBE_STEP_DONE) &&
	    !is_step_type(span))
		return false;
	if (!filters.only_failed && !filters.min_duration_ns)
		return true;
	return is_outcome(span, &head.head, probe);
}

#endif
