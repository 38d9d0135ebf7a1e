// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/vanished.h"

#include <errno.h>

#include "common/clock.h"
#include "common/log.h"

/*
 * The kernel counts a lost record before the process is gone from /proc, and a process with much
 * memory takes a while to go. So a lost record leads to several searches.
 */
enum { SEARCHES_AFTER_LOSS = 10 };

static void add_if_gone(uint32_t pid, void *context)
{
	struct vanished *vanished = context;

	if (targets__check_pid((pid_t)pid, NULL) != -ESRCH)
		return;
	if (vanished->count < VANISHED_PIDS_MAX)
		vanished->pids[vanished->count++] = pid;
	else
		vanished->is_full = true;
}

static void warn_untraced(struct vanished *vanished, const struct capture *capture)
{
	if (vanished->warned_untraced || capture__untraced_count(capture) == 0)
		return;
	vanished->warned_untraced = true;
	log__warn("more than %d processes are traced at the same time: processes that they "
		  "fork from now on are not traced (-x PATH has no such limit)",
		  WANTED_PIDS_MAX);
}

/* The end of a child is not reported if it ended while its parent did: so heirs are looked for. */
static bool is_search_due(struct vanished *vanished, const struct capture *capture,
			  const struct stream *stream, bool is_second)
{
	uint64_t lost = capture__process_records_lost(capture);

	if (lost != vanished->records_lost) {
		vanished->records_lost = lost;
		vanished->searches_due = SEARCHES_AFTER_LOSS;
		return true;
	}
	if (vanished->is_full)
		return true;
	if (!is_second)
		return false;
	if (vanished->searches_due == 0)
		return capture__has_unwatched(capture) || stream__heirs_count(stream) > 0;
	vanished->searches_due--;
	return true;
}

static void search(struct vanished *vanished, struct watch *watch, struct stream *stream)
{
	watch->follower.next_scan_ns = 0; /* execs may be among the lost records */
	vanished->is_full = false;
	if (stream__each_open_pid(stream, add_if_gone, vanished))
		vanished->is_full = true; /* no memory: search again */
	vanished->found_ns = clock__now_ns();
	capture__mark_unread(watch->capture);
}

void vanished__check(struct vanished *vanished, struct watch *watch, struct stream *stream,
		     bool is_second)
{
	if (vanished->count == 0 && is_search_due(vanished, watch->capture, stream, is_second))
		search(vanished, watch, stream);
	warn_untraced(vanished, watch->capture);
}

void vanished__close(struct vanished *vanished, const struct capture *capture,
		     struct stream *stream)
{
	if (vanished->count == 0 || !capture__has_read_to_mark(capture))
		return;
	for (size_t i = 0; i < vanished->count; i++) {
		struct termination termination =
			termination__vanished(vanished->pids[i], vanished->found_ns);

		stream__abort_process(stream, &termination);
	}
	vanished->count = 0;
}
