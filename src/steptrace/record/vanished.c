// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/vanished.h"

#include <errno.h>

#include "common/clock.h"
#include "common/log.h"

enum { PIDS_MAX = 1024 };

struct vanished {
	uint32_t pids[PIDS_MAX];
	size_t count;
	bool is_full; /* there may be more */
};

static bool contains(const struct vanished *vanished, uint32_t pid)
{
	for (size_t i = vanished->count; i-- > 0;)
		if (vanished->pids[i] == pid)
			return true;
	return false;
}

static void add_if_gone(uint32_t pid, void *context)
{
	struct vanished *vanished = context;

	if (contains(vanished, pid) || targets__check_pid((pid_t)pid, NULL) != -ESRCH)
		return;
	if (vanished->count < PIDS_MAX)
		vanished->pids[vanished->count++] = pid;
	else
		vanished->is_full = true;
}

static void warn_untraced(struct session *session)
{
	if (session->warned_untraced || capture__untraced_count(session->watch.capture) == 0)
		return;
	session->warned_untraced = true;
	log__warn("more than %d processes at once: what they fork is not traced (try -x PATH)",
		  WANTED_PIDS_MAX);
}

static void search(struct session *session, uint64_t lost)
{
	struct vanished vanished = {.count = 0};

	session->watch.follower.next_look_ns = 0; /* execs may be among the lost records */
	stream__each_open_pid(session->stream, add_if_gone, &vanished);
	for (size_t i = 0; i < vanished.count; i++) {
		struct termination termination =
			termination__vanished(vanished.pids[i], clock__now_ns());

		stream__process_over(session->stream, &termination);
	}
	if (!vanished.is_full)
		session->process_records_lost = lost;
}

void vanished__check(struct session *session, bool is_second)
{
	const struct capture *capture = session->watch.capture;
	uint64_t lost = capture__process_records_lost(capture);

	if (lost != session->process_records_lost || (is_second && capture__has_unwatched(capture)))
		search(session, lost);
	warn_untraced(session);
}
