// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/announce.h"
#include "steptrace/setup.h"
#include "steptrace/trace_events.h"

enum {
	DRAIN_LIMIT = 4096, /* records before signals and timers get their turn */
	/* Lines that are worth a write of their own: what the buffer holds without growing. */
	WRITE_BYTES = STREAM_LINES_BYTES - EVENT_LINE_BYTES,
	SECOND_NS = 1000000000,
	CLOCK_STEP_NS = 1000000, /* less is not worth a word */
	PATIENCE_MS = 1000,
};

static void stop(struct session *session, const char *reason)
{
	if (!session->reason)
		session->reason = reason;
}

/* ---- records to lines, lines to the output */

static void flush(struct session *session)
{
	outputs__give(&session->outputs, session->stream);
}

/* An output that failed fails the recording, which the others do not have to end for. */
static void on_news(struct session *session)
{
	bool failed, any_left;

	outputs__news(&session->outputs, &failed, &any_left);
	session->failed = session->failed || failed;
	if (!any_left)
		stop(session, "output_failed");
}

/* A process ended, or began to run something else. */
static void on_process(struct session *session, const void *bytes, size_t size_bytes)
{
	const struct process_exec *exec = bytes;
	struct fate fate;

	if (fate__of_record(bytes, size_bytes, &fate))
		return;
	if (fate.record.flags & RECORD_OF_RUNNER)
		stream__process_over(session->stream, &fate);
	if (fate.record.flags & RECORD_UNKNOWN_FILE && size_bytes >= sizeof(*exec))
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
	else if (!session->is_ending)
		on_process(session, bytes, size_bytes);
	if (lines__bytes(stream__lines(session->stream)) >= WRITE_BYTES)
		flush(session);
	return 0;
}

/* Returns whether there may be more. While an output that others wait for has no room the records
 * stay where they are. */
static bool drain(struct session *session)
{
	int given = capture__drain(session->capture, on_record, session, DRAIN_LIMIT);

	session->records += given > 0 ? (uint64_t)given : 0;
	flush(session);
	if (stream__limit_reached(session->stream))
		stop(session, "count");
	return given >= DRAIN_LIMIT;
}

static void settle_accounts(struct session *session, bool report)
{
	struct capture_counts counts;

	capture__counts(session->capture, &counts);
	accounts__enter(&session->accounts, &counts, session->stream);
	if (report)
		accounts__report(&session->accounts, session->stream, clock__now_ns());
}

/* ---- processes whose end nobody told */

enum { GONE_MAX = 1024 };

struct gone {
	uint32_t pids[GONE_MAX];
	size_t count;
};

static void find_gone(uint32_t pid, void *context)
{
	struct gone *gone = context;

	if (gone->count < GONE_MAX && targets__check_pid((pid_t)pid, NULL) == -ESRCH)
		gone->pids[gone->count++] = pid;
}

/* The kernel had no room to report some: those with open commands are looked for. */
static void look_for_gone(struct session *session)
{
	uint64_t lost = capture__process_records_lost(session->capture);
	struct gone gone = {.count = 0};

	if (lost == session->process_records_lost)
		return;
	session->process_records_lost = lost;
	session->follower.next_look_ns = 0;
	stream__each_open_pid(session->stream, find_gone, &gone);
	for (size_t i = 0; i < gone.count; i++) {
		struct fate fate = fate__vanished(gone.pids[i], clock__now_ns());

		stream__process_over(session->stream, &fate);
	}
}

/* ---- the loop */

/* The command decides what a signal means for it, and its end ends us: the terminal's Ctrl-C reaches
 * it by itself, everything else is passed on. Who rotates our files sends SIGHUP; so does a terminal that
 * goes away. */
static void on_signal(struct session *session, const struct wakeup *wakeup)
{
	if (wakeup->signal == SIGHUP && !wakeup->from_terminal &&
	    outputs__have_files(&session->outputs)) {
		outputs__reopen(&session->outputs);
		return;
	}
	if (session->child.pid && session->wakeups.child_runs) {
		if (wakeup->signal != SIGINT || !wakeup->from_terminal)
			kill(session->child.pid, wakeup->signal);
		return;
	}
	stop(session, wakeup->signal == SIGINT ? "interrupted" : "terminated");
}

/* Timestamps go on as before, so that the stream stays in order; how to get from them to what the
 * clock says now is told. */
static void on_clock_set(struct session *session)
{
	struct clock_anchor now;
	int64_t ahead_ns;

	clock__anchor(&now);
	ahead_ns = clock__ahead_ns(stream__clock(session->stream), &now);
	if (llabs(ahead_ns - session->clock_ahead_ns) < CLOCK_STEP_NS)
		return;
	session->clock_ahead_ns = ahead_ns;
	trace_events__clock(session->stream, &now, ahead_ns);
	log__info(
		"the wall clock was set: it is %.3f s %s of the timestamps, which go on as before",
		(double)llabs(ahead_ns) / SECOND_NS, ahead_ns < 0 ? "behind" : "ahead");
}

static void on_timer(struct session *session)
{
	uint64_t now = clock__now_ns();
	bool second = now - session->accounts.reported_ns >= SECOND_NS;

	settle_accounts(session, second);
	governor__look(session, now);
	look_for_gone(session);
	follower__tick(&session->follower, now);
	if (second)
		pulse__beat(session);
	if (second && session->shows_progress)
		announce__progress(session->stream, session->started_ns);
}

static bool targets_are_gone(const struct session *session)
{
	return targets__are_processes(&session->options->targets) &&
	       capture__wanted_count(session->capture) == 0;
}

static void loop(struct session *session)
{
	struct wakeup wakeup;
	bool more = false;

	while (!session->reason) {
		wakeups__wait(&session->wakeups, more, &wakeup);
		if (wakeup.timer)
			on_timer(session);
		if (wakeup.timer || wakeup.question)
			metrics__serve(session->pulse.metrics);
		if (wakeup.clock_was_set)
			on_clock_set(session);
		if (wakeup.signal)
			on_signal(session, &wakeup);
		if (wakeup.child_ended || targets_are_gone(session))
			stop(session, "target_exited");
		if (wakeup.deadline)
			stop(session, "duration");
		if (wakeup.news)
			on_news(session);
		more = outputs__have_room(&session->outputs) && drain(session);
	}
}

static void check_books(struct session *session, uint64_t hits)
{
	uint64_t events = stream__events_of_boundaries(session->stream);
	uint64_t lost = accounts__lost(session->stream);
	uint64_t filtered = accounts__filtered(session->stream);

	if (hits == events + lost + filtered)
		return;
	session->failed = true;
	error__set(
		session->err, -EIO,
		"the books do not balance: %llu hits, %llu events, %llu lost, %llu filtered (this "
		"is a bug in steptrace)",
		(unsigned long long)hits, (unsigned long long)events, (unsigned long long)lost,
		(unsigned long long)filtered);
}

/* The end was asked for: nobody is waited for much longer. */
static void await_room(struct session *session)
{
	uint64_t end_ns = clock__now_ns() + PATIENCE_MS * 1000000ull;
	bool failed, any_left;

	while (!outputs__have_room(&session->outputs) && clock__now_ns() < end_ns) {
		struct pollfd news = {.fd = session->outputs.news_fd, .events = POLLIN};

		poll(&news, 1, PATIENCE_MS);
		outputs__news(&session->outputs, &failed, &any_left);
	}
}

/* Everything that was captured is drained, counted and said. */
static void finish(struct session *session)
{
	struct trace_totals totals;

	await_room(session);
	while (drain(session))
		continue;
	session->is_ending = true;
	capture__disarm(session->capture);
	attachments__close(&session->attachments);
	while (drain(session))
		continue;
	settle_accounts(session, true);
	flush(session);
	totals = (struct trace_totals){.hits = accounts__hits(&session->accounts),
				       .reason = session->reason};
	if (outputs__finish(&session->outputs, session->stream, &totals, PATIENCE_MS, session->err))
		session->failed = true;
	announce__end(session->stream, session->reason, outputs__lost(&session->outputs),
		      session->shows_progress);
	check_books(session, totals.hits);
}

/* The recording is over, its command is not: signals go on to it until it ends. */
static int await_child(struct session *session)
{
	struct wakeup wakeup = {0};

	while (session->wakeups.child_runs && session->child.go_fd < 0) {
		wakeups__wait(&session->wakeups, false, &wakeup);
		if (wakeup.signal)
			on_signal(session, &wakeup);
	}
	return child__wait(&session->child);
}

int session__run(const struct session_options *options, struct error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int status;

	if (!session) {
		error__set(err, -ENOMEM, "out of memory");
		return 1;
	}
	if (setup__open(session, options, err)) {
		session->failed = true;
	} else {
		session->shows_progress = isatty(STDERR_FILENO) &&
					  !outputs__use_terminal(&session->outputs) &&
					  !options->shows_stats;
		session->started_ns = clock__now_ns();
		session->accounts.reported_ns = stream__clock(session->stream)->monotonic_ns;
		pulse__beat(session);
		flush(session);
		announce__ready(&session->attachments, options->targets.command != NULL);
		if (options->duration_ns)
			wakeups__set_deadline(&session->wakeups, options->duration_ns);
		if (session->child.pid)
			child__release(&session->child);
		loop(session);
		finish(session);
	}
	status = session->failed ? 1 : 0;
	if (session->child.pid) {
		int ended = await_child(session);

		status = status ? status : ended;
	}
	setup__close(session);
	free(session);
	return status;
}
