// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/intake.h"

#include "common/clock.h"
#include "common/log.h"

enum {
	DRAIN_LIMIT = 4096, /* records before signals and timers get their turn */
	/* Give the outputs this many bytes at once: what the buffer holds without growing. */
	WRITE_BYTES = STREAM_LINES_BYTES - EVENT_LINE_BYTES,
};

void intake__flush(struct session *session)
{
	outputs__give(&session->outputs, session->stream);
}

/* A process ended or executed another program. */
static void on_process(struct session *session, const void *bytes, size_t size_bytes)
{
	const struct process_exec *exec = bytes;
	struct termination termination;

	if (termination__of_record(bytes, size_bytes, &termination))
		return;
	if (termination.record.flags & RECORD_OF_RUNNER)
		stream__abort_process(session->stream, &termination);
	if (!session->is_detaching && termination.record.flags & RECORD_UNKNOWN_FILE &&
	    size_bytes >= sizeof(*exec))
		follower__execed(&session->watch.follower, exec);
}

/* While the probes are detached one by one, a command may end unseen. So a process that ends then
 * does not prove that its commands were aborted. */
static bool is_process_record_valid(const struct session *session,
				    const struct steptrace_record *record)
{
	return !session->is_detaching || record->time_ns < session->disarmed_ns;
}

/* Too many commands are open, so the stream dropped some. Their next records make them known
 * again. */
static void recall_forgotten(struct session *session)
{
	uint64_t forgotten = stream__forgotten(session->stream);

	if (forgotten == session->forgotten)
		return;
	if (session->forgotten == 0)
		log__warn(
			"more than %d commands are running: the oldest of them are not reported as "
			"aborted when their process ends",
			EXECUTIONS_LIMIT);
	session->forgotten = forgotten;
	capture__repeat_context(session->watch.capture);
}

static void say_hold_full(struct session *session)
{
	if (session->said_hold_full || !stream__hold_was_full(session->stream))
		return;
	session->said_hold_full = true;
	log__warn("the memory of --hold is full: the oldest executions are written before it is "
		  "known whether they meet a condition of --whole (a larger --hold prevents this)");
}

static void on_boundary(struct session *session, const void *bytes, size_t size_bytes)
{
	stream__record(session->stream, bytes, size_bytes);
	recall_forgotten(session);
	say_hold_full(session);
}

static int on_record(void *context, const void *bytes, size_t size_bytes)
{
	const struct steptrace_record *record = bytes;
	struct session *session = context;

	if (size_bytes < sizeof(*record) || record->probe < PROCESS_EXECED)
		on_boundary(session, bytes, size_bytes);
	else if (record->probe == COMMAND_CLOSED && size_bytes >= sizeof(struct command_closed))
		stream__command_closed(session->stream, bytes);
	else if (is_process_record_valid(session, record))
		on_process(session, bytes, size_bytes);
	if (lines__bytes(stream__lines(session->stream)) >= WRITE_BYTES)
		intake__flush(session);
	return 0;
}

static void check_limit(struct session *session)
{
	if (!stream__limit_reached(session->stream) || session->accounting.is_limit_reached)
		return;
	intake__account(session, true);
	session__stop(session, "count");
}

bool intake__drain(struct session *session)
{
	int given = capture__drain(session->watch.capture, on_record, session, DRAIN_LIMIT);

	session->records_count += given > 0 ? (uint64_t)given : 0;
	vanished__close(&session->vanished, session->watch.capture, session->stream);
	intake__flush(session);
	check_limit(session);
	return given >= DRAIN_LIMIT;
}

void intake__account(struct session *session, bool report)
{
	struct capture_counts counts;

	capture__counts(session->watch.capture, &counts);
	accounting__enter(&session->accounting, &counts, session->stream);
	if (report)
		accounting__report(&session->accounting, session->stream, clock__now_ns());
}
