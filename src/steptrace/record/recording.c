// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/ending.h"
#include "steptrace/record/intake.h"
#include "steptrace/record/lifecycle_events.h"
#include "steptrace/record/setup.h"
#include "steptrace/record/signals.h"
#include "steptrace/stream/trace_events.h"

#define SECOND_NS     1000000000
#define CLOCK_STEP_NS 1000000 /* less is not worth a word */

/* An output that failed fails the recording, which the others do not have to end for. */
static void on_news(struct session *session)
{
	bool failed, any_left;

	outputs__news(&session->outputs, &failed, &any_left);
	session->failed = session->failed || failed;
	if (!any_left)
		intake__stop(session, "output_failed");
}

static void on_signal(struct session *session, const struct wakeup *wakeup)
{
	if (!signals__take(session, wakeup))
		return;
	if (!wakeup->from_terminal)
		session->patience_ns = ENDING_SERVICE_NS;
	intake__stop(session, wakeup->signal == SIGINT ? "interrupted" : "terminated");
}

/* Timestamps go on as before, so that the stream stays in order; how to get from them to what the
 * clock says now is told. */
static void on_clock_set(struct session *session)
{
	const struct clock_pair now = clock__read_pair();
	int64_t ahead_ns = clock_anchor__ahead_ns(stream__clock(session->stream), &now);

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
	bool second = now - session->accounting.reported_ns >= SECOND_NS;

	intake__settle(session, second);
	governor__look(session, now);
	intake__look_for_gone(session, second);
	intake__say_untraced(session);
	follower__tick(&session->follower, now);
	if (second)
		attachments__reap(&session->attachments);
	if (second)
		self_stats__beat(session);
	if (second && session->shows_progress)
		lifecycle_events__progress(session->stream, session->started_ns);
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
			intake__stop(session, "target_exited");
		if (wakeup.deadline)
			intake__stop(session, "duration");
		if (wakeup.news)
			on_news(session);
		more = outputs__have_room(&session->outputs) && intake__drain(session);
	}
}

/* The recording is over, its command is not: signals go on to it until it ends, and whoever asks is
 * answered. */
static int await_child(struct session *session)
{
	struct wakeup wakeup = {0};

	while (session->wakeups.child_runs && session->child.go_fd < 0) {
		wakeups__wait(&session->wakeups, false, &wakeup);
		if (wakeup.signal)
			traced_command__pass_on(&session->child, wakeup.signal,
						wakeup.from_terminal);
		if (wakeup.timer || wakeup.question)
			metrics__serve(session->pulse.metrics);
		if (wakeup.news)
			outputs__calm(&session->outputs);
	}
	return traced_command__wait(&session->child);
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
		session->accounting.reported_ns = stream__clock(session->stream)->monotonic_ns;
		self_stats__beat(session);
		intake__flush(session);
		log__do_not_wait(); /* nobody's reading holds a recording up */
		lifecycle_events__ready(&session->attachments, options->targets.command != NULL);
		if (options->duration_ns)
			wakeups__set_deadline(&session->wakeups, options->duration_ns);
		if (session->child.pid)
			traced_command__release(&session->child);
		loop(session);
		ending__run(session);
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
