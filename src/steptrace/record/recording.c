// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/recording.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "steptrace/record/console.h"
#include "steptrace/record/ending.h"
#include "steptrace/record/intake.h"
#include "steptrace/record/setup.h"
#include "steptrace/record/signals.h"
#include "steptrace/record/text_width.h"
#include "steptrace/stream/trace_events.h"

#define SECOND_NS         1000000000
#define TRIM_NS           (10ull * SECOND_NS)
#define CLOCK_STEP_MIN_NS 1000000 /* smaller steps of the wall clock are not reported */

/* A failed output fails the recording, but the other outputs go on. */
static void on_output_notice(struct session *session)
{
	bool failed, any_left;

	outputs__take_news(&session->outputs, &failed, &any_left);
	session->failed = session->failed || failed;
	if (!any_left)
		session__stop(session, "output_failed");
}

static void on_signal(struct session *session, const struct wakeup *wakeup)
{
	if (!signals__handle(session, wakeup))
		return;
	session->is_hurried = session->stop_reason != NULL;
	if (!wakeup->from_terminal)
		session->give_up_ns = ENDING_SERVICE_NS;
	session__stop(session, wakeup->signal == SIGINT ? "interrupted" : "terminated");
}

/* Timestamps are not changed, so that the stream stays in order. trace.clock tells readers how to
 * get from timestamps to the new wall clock. */
static void on_clock_set(struct session *session)
{
	const struct clock_pair now = clock__read_pair();
	int64_t ahead_ns = clock_anchor__ahead_ns(stream__clock(session->stream), &now);

	if (llabs(ahead_ns - session->clock_ahead_ns) < CLOCK_STEP_MIN_NS)
		return;
	session->clock_ahead_ns = ahead_ns;
	trace_events__clock(session->stream, &now, ahead_ns);
	log__info("the wall clock was set: it is now %.3f s %s of the timestamps; timestamps "
		  "continue without a jump",
		  (double)llabs(ahead_ns) / SECOND_NS, ahead_ns < 0 ? "behind" : "ahead");
}

static void update_self_stats(struct session *session)
{
	struct vitals now;

	session__vitals(session, &now);
	self_stats__update(&session->self_stats, &now);
}

static void update_governor(struct session *session, uint64_t now_ns)
{
	const struct governor_load load = {
		.now_ns = now_ns,
		.records_count = session->records_count,
		.hits = session->accounting.kernel.hits,
	};

	governor__update(&session->governor, &load, session->watch.capture, session->stream);
}

/* The window of the terminal may have another size now. */
static void update_width(struct session *session)
{
	const struct session_options *options = session->options;

	if (options->text.columns)
		stream__set_columns(session->stream,
				    text_width__columns(options->outputs, options->outputs_count));
}

/* Buffers of lines live for a moment, and are large: over hours, the pages between them fill up,
 * although no more memory is in use. */
static void trim_memory(struct session *session, uint64_t now_ns)
{
	if (now_ns - session->trimmed_ns < TRIM_NS)
		return;
	session->trimmed_ns = now_ns;
	malloc_trim(0);
}

static void on_timer(struct session *session)
{
	uint64_t now = clock__now_ns();
	bool is_second = now - session->accounting.reported_ns >= SECOND_NS;

	intake__account(session, is_second);
	update_governor(session, now);
	vanished__check(&session->vanished, &session->watch, session->stream, is_second);
	watch__update(&session->watch, now);
	session__tell_reader(session, false);
	if (!is_second)
		return;
	trim_memory(session, now);
	update_self_stats(session);
	update_width(session);
	if (session->shows_progress)
		console__progress(session->stream, session->started_ns);
}

/* A key on the screen of the reader, or a question to it. */
static void on_input(struct session *session, bool more)
{
	const struct event_reader *reader = session->options->reader;

	if (more && !reader->input->is_terminal && session->input_turns++ < INPUT_TURNS_MAX)
		return;
	session->input_turns = 0;

	if (!reader->input->on_input(reader->context, session->stream, clock__now_ns()))
		session__stop(session, "interrupted");
}

/* After the events: a sample in a span is there before the end of the span is. */
static bool read_samples(const struct session *session)
{
	const struct event_reader *reader = session->options->reader;

	return reader && reader->sampler && reader->sampler->read(reader->context);
}

/* True: there may be more to read. */
static bool read_more(struct session *session)
{
	bool more_overdue =
		overdue_events__take(&session->overdue, session->stream, session->pseudonyms);
	bool more_open = open_looks__take(&session->looks), more_events;

	if (open_looks__has_answer(&session->looks)) /* before later events */
		session__tell_reader(session, false);
	more_events = intake__drain(session);
	return read_samples(session) || more_events || more_overdue || more_open;
}

/* `more`: do not wait, there is more to read. Returns the same for the next turn. */
static bool turn(struct session *session, bool more)
{
	struct wakeup wakeup;

	wakeups__wait(&session->wakeups, more, &wakeup);
	if (wakeup.news) /* before anything else: a program may wait for the probes */
		watch__on_news(&session->watch);
	if (wakeup.writers)
		watch__let_writers_go(&session->watch);
	if (wakeup.timer)
		on_timer(session);
	if (wakeup.timer || wakeup.metrics)
		metrics__serve(session->self_stats.metrics);
	if (wakeup.clock_was_set)
		on_clock_set(session);
	if (wakeup.signal)
		on_signal(session, &wakeup);
	if (wakeup.command_ended || watch__targets_ended(&session->watch))
		session__stop(session, "target_exited");
	if (wakeup.deadline)
		session__stop(session, "duration");
	if (wakeup.outputs)
		on_output_notice(session);
	more = outputs__have_room(&session->outputs) && read_more(session);
	if (wakeup.input) /* the answer knows what was read */
		on_input(session, more);
	return more;
}

/* Before the probes are detached: what ends later is not seen. */
static void look_at_the_end(struct session *session, bool more)
{
	const struct event_reader *reader = session->options->reader;

	if (!reader || !reader->open || !reader->open->looks_at_end)
		return;
	open_looks__forget(&session->looks);
	while (!session->is_hurried &&
	       open_looks__are_awaited(&session->looks, clock__now_ns(), true))
		more = turn(session, more);
	open_looks__forget(&session->looks);
}

static void loop(struct session *session)
{
	bool more = false;

	while (!session->stop_reason)
		more = turn(session, more);
	look_at_the_end(session, more);
}

static void start(struct session *session)
{
	const struct session_options *options = session->options;

	session->shows_progress = isatty(STDERR_FILENO) &&
				  !outputs__use_terminal(&session->outputs) &&
				  !options->shows_stats && options->outputs_count > 0;
	session->started_ns = clock__now_ns();
	session->accounting.reported_ns = stream__clock(session->stream)->monotonic_ns;
	update_self_stats(session);
	intake__flush(session);
	log__do_not_wait(); /* a reader of stderr that stops reading must not stop the recording */
	console__ready(&session->watch.attachments, session->command.pid != 0);
	if (options->duration_ns)
		wakeups__set_deadline(&session->wakeups, options->duration_ns);
	session__tell_reader(session, false);
	if (session->command.pid)
		traced_command__release(&session->command);
}

static void say_command_runs(const struct session *session)
{
	const struct traced_command *command = &session->command;
	const char *reason = session->stop_reason;

	if (session->wakeups.command_runs && reason && strcmp(reason, "target_exited") != 0)
		log__info("the recording has ended; steptrace waits until '%s' (process %d) ends",
			  command->path, command->pid);
}

/* The recording is over, but its command still runs: signals are forwarded to the command and
 * metrics are served until it ends. Returns the exit status of the command. */
static int await_command(struct session *session)
{
	struct wakeup wakeup;

	say_command_runs(session);
	while (session->wakeups.command_runs && session->command.go_fd < 0) {
		wakeups__wait(&session->wakeups, false, &wakeup);
		if (wakeup.signal)
			traced_command__forward_signal(&session->command, wakeup.signal,
						       wakeup.from_terminal);
		if (wakeup.timer || wakeup.metrics)
			metrics__serve(session->self_stats.metrics);
		if (wakeup.outputs)
			outputs__clear_news(&session->outputs);
	}
	return traced_command__wait(&session->command);
}

/* A recording of a command that ran nothing with probes is no success: the user expects events. */
static int status_of_command(struct session *session)
{
	int status = await_command(session);

	if (!session->stop_reason || watch__saw_probes(&session->watch) ||
	    accounting__hits(&session->accounting))
		return status;
	log__error(
		"neither '%s' nor a program that it started has steptrace probes, so there are no "
		"events (steptrace list FILE shows whether a program or library has probes)",
		session->command.path);
	return status ? status : 1;
}

static int run(struct session *session)
{
	int status, command_status;

	if (setup__open(session)) {
		session->failed = true;
	} else {
		start(session);
		loop(session);
		ending__run(session);
	}
	status = session->failed ? 1 : 0;
	if (session->command.pid == 0)
		return status;
	command_status = status_of_command(session);
	return status ? status : command_status;
}

int recording__run(const struct session_options *options, struct error *err)
{
	struct session *session = calloc(1, sizeof(*session));
	int status;

	if (!session) {
		error__set(err, -ENOMEM, "out of memory");
		return 1;
	}
	session->options = options;
	session->err = err;
	status = run(session);
	setup__close(session);
	free(session);
	return status;
}
