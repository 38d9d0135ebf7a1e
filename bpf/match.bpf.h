/* SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0) */
/*
 * The filters, applied before a record is reserved.
 *
 * A hit of an execution whose process is not wanted is not counted at all. A hit whose span is not
 * wanted is counted as a hit and as filtered. A filter that is not set costs nothing: `filters` is
 * constant when the programs are loaded, and the verifier removes the code.
 *
 * A span that cannot be read passes the filters. Reading it into the record then fails as well, and
 * is counted as unreadable.
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
		if (id == wanted_cgroup_id)
			return true;
	}
	return false;
}

static __always_inline bool has_wanted_comm(void)
{
	char comm[16];

	bpf_get_current_comm(comm, sizeof(comm));
	return glob__matches(&filters.comm, comm, sizeof(comm));
}

static __always_inline bool is_wanted_process(void)
{
	if (filters.by_uid && (__u32)bpf_get_current_uid_gid() != filters.uid)
		return false;
	if (filters.by_cgroup && !is_in_cgroup())
		return false;
	return !filters.by_comm || has_wanted_comm();
}

/* The columns of the table of probes that filters need. The number of the probe is a constant in
 * every handler, so the compiler replaces each look-up by its result. */
#define TRAITS(probe, no, name, span, phase, form, ...)                                            \
	[no] = {SPAN_##span, PHASE_##phase, FORM_##form, span##_SPAN_OUTCOME_AT},
static const struct {
	enum span_kind span;
	enum probe_phase phase;
	enum record_form form;
	__u32 outcome_at;
} probe_traits[] = {STEPTRACE_PROBES(TRAITS)};

static __always_inline bool is_child(__u32 probe)
{
	return probe_traits[probe].form == FORM_CHILD;
}

/* Counts a decision that was made when the command began, and was dropped since. */
static __always_inline void count_lost_decision(const void *span)
{
	__u64 announced_ns = 0;

	bpf_probe_read_user(&announced_ns, sizeof(announced_ns),
			    span + offsetof(struct command_span, announced_ns));
	if (announced_ns > armed_ns)
		__sync_fetch_and_add(&decisions_lost, 1);
}

/*
 * The filters on the process. They decide once for each execution, at the first of its boundaries
 * that is seen, because a command may begin in one thread, process or user and end in another. A
 * rejection without a start is decided for itself.
 */
static __always_inline bool match__process(const void *span, __u32 probe)
{
	struct execution_key key;
	__u8 *decided = NULL, wanted;

	if (!filters.by_uid && !filters.by_cgroup && !filters.by_comm)
		return true;
	if (bpf_probe_read_user(&key, sizeof(key), span + offsetof(struct span_head, execution_id)))
		return is_wanted_process();
	if (probe != PROBE_COMMAND_START)
		decided = bpf_map_lookup_elem(&decisions, &key);
	wanted = decided ? *decided : is_wanted_process();
	if (probe == PROBE_COMMAND_REJECTED)
		return wanted;
	if (!decided && probe != PROBE_COMMAND_START)
		count_lost_decision(span);
	if (probe == PROBE_COMMAND_DONE)
		bpf_map_delete_elem(&decisions, &key);
	else if (!decided)
		bpf_map_update_elem(&decisions, &key, &wanted, BPF_ANY);
	return wanted;
}

/* Decided by the execution id, so that all records of an execution pass or none. */
static __always_inline bool is_sampled(const struct span_head *head)
{
	const __u64 *id = (const __u64 *)head->execution_id;

	return sample__selects(id[0], id[1], filters.sample_every);
}

/* The address of the command's slug in the runner. */
static __always_inline const void *slug_of(const void *span, const struct child_span *head,
					   __u32 probe)
{
	switch (probe_traits[probe].span) {
	case SPAN_COMMAND: return span + offsetof(struct command_span, slug);
	case SPAN_REJECTED: return span + offsetof(struct rejected_span, slug);
	case SPAN_STEP:
	case SPAN_TOOL:
	case SPAN_FRAGMENT: break;
	}
	return (const void *)head->command + offsetof(struct command_span, slug);
}

static __always_inline bool is_of_wanted_command(const void *span, const struct child_span *head,
						 __u32 probe)
{
	char text[sizeof(((struct command_span *)0)->slug)];

	return bpf_probe_read_user(text, sizeof(text), slug_of(span, head, probe)) ||
	       glob__matches(&filters.command, text, sizeof(text));
}

static __always_inline bool has_wanted_type(const void *span)
{
	char text[sizeof(((struct step_span *)0)->type)];

	return bpf_probe_read_user(text, sizeof(text), span + offsetof(struct step_span, type)) ||
	       glob__matches(&filters.step_type, text, sizeof(text));
}

/* How long the span took, without the time in which it was suspended. A span with SPAN_SUSPENDED
 * has the member: commands and steps. */
static __always_inline __u64 duration_of(const void *span, const struct span_head *head,
					 __u32 probe)
{
	__u32 at = probe_traits[probe].span == SPAN_STEP
			   ? offsetof(struct step_span, suspended_ns)
			   : offsetof(struct command_span, suspended_ns);
	__u64 suspended_ns = 0, ns = head->end_ns - head->start_ns;

	if (probe_traits[probe].span != SPAN_STEP && probe_traits[probe].span != SPAN_COMMAND)
		return ns;
	if (head->flags & SPAN_SUSPENDED)
		bpf_probe_read_user(&suspended_ns, sizeof(suspended_ns), span + at);
	return suspended_ns <= ns ? ns - suspended_ns : 0;
}

/*
 * --failed and --min-duration. The start of a command always passes: without it the reader could
 * not say which command was aborted. Any other span has to have ended, and to have an outcome. A
 * rejection is a failure that takes no time.
 */
static __always_inline bool has_wanted_outcome(const void *span, const struct span_head *head,
					       __u32 probe)
{
	__u32 outcome_at = probe_traits[probe].outcome_at;
	__u8 outcome;

	if (probe_traits[probe].phase == PHASE_BEGINS)
		return !is_child(probe);
	if (outcome_at == NO_OUTCOME)
		return false;
	if (outcome_at == ALWAYS_FAILED)
		return filters.min_duration_ns == 0;
	if (filters.min_duration_ns)
		if (head->start_ns == 0 || duration_of(span, head, probe) < filters.min_duration_ns)
			return false;
	if (!filters.only_failed)
		return true;
	return bpf_probe_read_user(&outcome, sizeof(outcome), span + outcome_at) ||
	       outcome == SPAN_FAILED || outcome == SPAN_ABORTED;
}

static __always_inline bool read_head(struct child_span *head, const void *span, __u32 probe)
{
	return bpf_probe_read_user(head, is_child(probe) ? sizeof(*head) : sizeof(head->head),
				   span) == 0;
}

/* The filters that select whole executions. */
static __always_inline bool match__execution(const void *span, const struct child_span *head,
					     __u32 probe)
{
	if (filters.sample_every && !is_sampled(&head->head))
		return false;
	return !filters.by_command || is_of_wanted_command(span, head, probe);
}

/* The filters on spans: whether a record is to be made of this one. */
static __always_inline bool match__span(const void *span, __u32 probe)
{
	struct child_span head;

	if (!filters.by_span)
		return true;
	if (!read_head(&head, span, probe))
		return true;
	if (!match__execution(span, &head, probe))
		return false;
	if (filters.by_step_type && probe_traits[probe].span == SPAN_STEP && !has_wanted_type(span))
		return false;
	if (!filters.only_failed && !filters.min_duration_ns)
		return true;
	return has_wanted_outcome(span, &head.head, probe);
}

#endif
