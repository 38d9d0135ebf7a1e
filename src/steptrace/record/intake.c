// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/intake.h"

#include <errno.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/setup.h"

enum {
	DRAIN_LIMIT = 4096, /* records before signals and timers get their turn */
	/* Lines that are worth a write of their own: what the buffer holds without growing. */
	WRITE_BYTES = STREAM_LINES_BYTES - EVENT_LINE_BYTES,
};

void intake__stop(struct session *session, const char *reason)
{
	if (!session->reason)
		session->reason = reason;
}

void intake__flush(struct session *session)
{
	outputs__give(&session->outputs, session->stream);
}

/* A process ended, or began to run something else. */
static void on_process(struct session *session, const void *bytes, size_t size_bytes)
{
	const struct process_exec *exec = bytes;
	struct termination termination;

	if (termination__of_record(bytes, size_bytes, &termination))
		return;
	if (termination.record.flags & RECORD_OF_RUNNER)
		stream__process_over(session->stream, &termination);
	if (!session->is_ending && termination.record.flags & RECORD_UNKNOWN_FILE &&
	    size_bytes >= sizeof(*exec))
		follower__execed(&session->follower, exec);
}

static int on_record(void *context, const void *bytes, size_t size_bytes)
{
	const struct steptrace_record *record = bytes;
	struct session *session = context;

	if (size_bytes < sizeof(*record) || record->probe < PROCESS_EXECED)
		stream__record(session->stream, bytes, size_bytes);
	else if (record->probe == COMMAND_CLOSED && size_bytes >= sizeof(struct command_closed))
		stream__command_closed(session->stream, bytes);
	else if (!session->is_ending || record->time_ns < session->disarmed_ns)
		on_process(session, bytes, size_bytes);
	if (lines__bytes(stream__lines(session->stream)) >= WRITE_BYTES)
		intake__flush(session);
	return 0;
}

bool intake__drain(struct session *session)
{
	int given = capture__drain(session->capture, on_record, session, DRAIN_LIMIT);

	session->records += given > 0 ? (uint64_t)given : 0;
	intake__flush(session);
	if (stream__limit_reached(session->stream))
		intake__stop(session, "count");
	return given >= DRAIN_LIMIT;
}

void intake__settle(struct session *session, bool report)
{
	struct capture_counts counts;

	capture__counts(session->capture, &counts);
	accounting__enter(&session->accounting, &counts, session->stream);
	if (report)
		accounting__report(&session->accounting, session->stream, clock__now_ns());
}

/* ---- more processes than there is room for, and those whose end nobody told */

enum { GONE_MAX = 1024 };

struct gone {
	uint32_t pids[GONE_MAX];
	size_t count;
	bool is_full; /* there are more */
};

static bool is_known(const struct gone *gone, uint32_t pid)
{
	for (size_t i = gone->count; i-- > 0;)
		if (gone->pids[i] == pid)
			return true;
	return false;
}

static void find_gone(uint32_t pid, void *context)
{
	struct gone *gone = context;

	if (is_known(gone, pid) || targets__check_pid((pid_t)pid, NULL) != -ESRCH)
		return;
	if (gone->count < GONE_MAX)
		gone->pids[gone->count++] = pid;
	else
		gone->is_full = true;
}

void intake__say_untraced(struct session *session)
{
	if (session->said_untraced || capture__untraced_count(session->capture) == 0)
		return;
	session->said_untraced = true;
	log__warn("more than %d processes at once: what they fork is not traced (try -x PATH)",
		  WANTED_PIDS_MAX);
}

void intake__look_for_gone(struct session *session, bool second)
{
	uint64_t lost = capture__process_records_lost(session->capture);
	struct gone gone = {.count = 0};

	if (lost == session->process_records_lost &&
	    !(second && capture__has_unwatched(session->capture)))
		return;
	session->follower.next_look_ns = 0;
	stream__each_open_pid(session->stream, find_gone, &gone);
	for (size_t i = 0; i < gone.count; i++) {
		struct termination termination =
			termination__vanished(gone.pids[i], clock__now_ns());

		stream__process_over(session->stream, &termination);
	}
	if (!gone.is_full)
		session->process_records_lost = lost;
}
