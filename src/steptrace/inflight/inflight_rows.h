/* SPDX-License-Identifier: BSD-2-Clause */
/* From what was found in the memory of the processes to rows: their ages, which of them are copies
 * in forked processes, and their order. */
#ifndef STEPTRACE_INFLIGHT_ROWS_H
#define STEPTRACE_INFLIGHT_ROWS_H

#include "common/error.h"
#include "steptrace/attach/process_tree.h"
#include "steptrace/inflight/found.h"

/* Fills in `rows` and what is counted of rows. The processes are in the order of their pids. 0, or
 * -ENOMEM with a sentence. */
int inflight__make_rows(struct inflight *inflight, const struct inflight_options *options,
			const struct process_tree *tree, struct error *err);

/* The process with this pid; NULL: it was not read. */
const struct open_process *inflight__process(const struct inflight *inflight, pid_t pid);

/* How long a step of the process has been open. It is at least as old as the step inside it, whose
 * age is `inner_ns`; 0: there is none. */
struct age inflight__step_age(const struct open_process *process, const struct open_step *step,
			      uint64_t inner_ns, uint64_t now_ns);

#endif
