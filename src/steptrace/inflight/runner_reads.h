/* SPDX-License-Identifier: BSD-2-Clause */
/* One look at all targets, while it is made. Only for inflight.c, which finds the runners, and
 * runner_reads.c, which reads each of them. */
#ifndef STEPTRACE_RUNNER_READS_H
#define STEPTRACE_RUNNER_READS_H

#include "steptrace/attach/process_tree.h"
#include "steptrace/inflight/inflight_search.h"

struct collecting {
	struct inflight *inflight;
	const struct inflight_options *options;
	struct inflight_search *search;
	const struct search_progress *progress;
	struct process_tree tree;
	struct thread_list threads; /* before the search */
	size_t spans_count;         /* of all processes so far */
	struct error *err;
	/* of the process that is looked at */
	pid_t pid;
	bool is_runner, has_tags, has_newer_tags, is_attached;
};

/* The process is a runner with tags. What it has open goes to the list of processes; a runner that
 * cannot be read is counted. 0, or -ENOMEM with a sentence. */
int runner_reads__search(struct collecting *collecting, pid_t pid);

/* The process is a runner whose memory is not understood. The same errors. */
int runner_reads__blind(struct collecting *collecting, pid_t pid);

/* When all runners were read: those that were not searched wholly, and may have the original of
 * what a child has, are read again. */
void runner_reads__ancestors_again(struct collecting *collecting);

void runner_reads__count_unreadable(struct inflight *inflight, const struct error *err);

#endif
