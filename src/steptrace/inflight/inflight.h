/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the runners of the targets have open now, oldest first.
 *
 *	inflight_search__open -> inflight__collect -> rows -> inflight_text.c, inflight_json.c
 *
 * A row is an innermost open step, or a command without an open step. Ages come from the start
 * time in the runner's memory. Where no tracer was attached when a command or step began, there is
 * no start time. Then the age is a lower bound: it began before its thread stopped to run, and
 * before the steps inside it began.
 *
 * A process that was forked in the middle of a command has a copy of the command's struct at the
 * same address. While the command is open in the parent, the copy is not shown.
 */
#ifndef STEPTRACE_INFLIGHT_H
#define STEPTRACE_INFLIGHT_H

#include "common/error.h"
#include "steptrace/inflight/found.h"
#include "steptrace/inflight/inflight_search.h"

/* Loads the BPF program that lists threads, where that is permitted, and opens the files of -x with
 * the rights of the caller. 0 or negative errno with a sentence. Call
 * inflight_search__close() in any case. */
int inflight_search__open(struct inflight_search *search, const struct inflight_options *options,
			  struct error *err);
void inflight_search__close(struct inflight_search *search);

/* Forgets the files that no process used in the last look. For a caller that looks again and
 * again. */
void inflight_search__forget(struct inflight_search *search);

/*
 * Looks at the targets once. `progress` may be NULL. 0 or negative errno with a sentence: a named
 * process is not there, or there was no memory. Call inflight__free() in any case.
 */
int inflight__collect(struct inflight *inflight, struct inflight_search *search,
		      const struct search_progress *progress, struct error *err);
void inflight__free(struct inflight *inflight);

#endif
