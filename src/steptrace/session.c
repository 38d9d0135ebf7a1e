// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/accounts.h"
#include "steptrace/announce.h"
#include "steptrace/child.h"
#include "steptrace/follower.h"
#include "steptrace/sink.h"
#include "steptrace/trace_events.h"
#include "steptrace/wakeups.h"

enum {
	DRAIN_LIMIT = 4096,       /* records before signals and timers get their turn */
	WRITE_BYTES = 128 * 1024, /* lines that are worth a write of their own */
	SECOND_NS = 1000000000,
};

struct session {
	const struct session_options *options;
	struct child child;
	struct capture *capture;
	struct attachments attachments;
	struct follower follower;
	struct stream *stream;
	struct sink sink;
	struct accounts accounts;
	struct wakeups wakeups;
	uint64_t started_ns; /* 0: it is about to */
	uint64_t process_records_lost;
	const char *reason; /* why it stops; NULL: it goes on */
	bool is_ending; /* probes go one by one: what ends now may have ended its commands unseen */
	bool failed;
	bool shows_progress;
	struct error *err;
};

static void stop(struct session *session, const char *reason)
{
	if (!session->reason)
		session->reason = reason;
}

/* ---- records to lines, lines to the output */

static int flush(struct session *session)
{
	struct json *lines = stream__lines(session->stream);
	size_t bytes = json__length(lines), written;
	int code;

	if (bytes == 0)
		return 0;
	if (session->failed) {
		stream__unwritten(session->stream, 0);
		return 0;
	}
	code = sink__write(&session->sink, lines->base, bytes, &session->wakeups, &written,
			   session->err);
	if (code == 0) {
		stream__written(session->stream);
		return 0;
	}
	stream__unwritten(session->stream, written);
	session->failed = true;
	stop(session, "output_failed");
	return code;
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
	if (json__length(stream__lines(session->stream)) >= WRITE_BYTES)
		flush(session); /* a failure stops the loop; what is captured is counted all the same */
	return 0;
}

/* Returns whether there may be more. */
static bool drain(struct session *session)
{
	int given = capture__drain(session->capture, on_record, session, DRAIN_LIMIT);

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
 * it by itself, everything else is passed on. */
static void on_signal(struct session *session, const struct wakeup *wakeup)
{
	if (session->child.pid && session->wakeups.child_runs) {
		if (wakeup->signal != SIGINT || !wakeup->from_terminal)
			kill(session->child.pid, wakeup->signal);
		return;
	}
	stop(session, wakeup->signal == SIGINT ? "interrupted" : "terminated");
}

static void on_timer(struct session *session)
{
	uint64_t now = clock__now_ns();
	bool second = now - session->accounts.reported_ns >= SECOND_NS;

	settle_accounts(session, second);
	look_for_gone(session);
	follower__tick(&session->follower, now);
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
		if (wakeup.signal)
			on_signal(session, &wakeup);
		if (wakeup.child_ended || targets_are_gone(session))
			stop(session, "target_exited");
		if (wakeup.deadline)
			stop(session, "duration");
		more = drain(session);
	}
}

/* ---- setting up */

static int open_stream(struct session *session)
{
	const struct session_options *options = session->options;
	struct stream_options stream_options = {
		.format = options->format,
		.seed_fields_only = options->seed_fields_only,
		.events_limit = options->events_limit,
		.min_duration_ns = options->filters.min_duration_ns,
		.steps_left_out = filters__leave_out_steps(&options->filters),
		.starts_left_out = filters__leave_out_starts(&options->filters),
		.last_lost_ns = capture__last_lost_ns(session->capture),
	};

	clock__anchor(&stream_options.clock);
	if (stream__new(&stream_options, &session->stream))
		return error__set(session->err, -ENOMEM, "out of memory");
	return 0;
}

static void on_attached(void *context, const struct attachment *attachment, const uint32_t *pids,
			size_t pids_count)
{
	struct session *session = context;

	announce__attached(session->stream, attachment, pids, pids_count);
	if (session->started_ns && pids_count)
		log__info("attached to '%s' (process %u)", attachment->binary->name, pids[0]);
	else if (session->started_ns)
		log__info("attached to '%s'", attachment->binary->name);
}

static void on_detached(void *context, const struct attachment *attachment)
{
	struct session *session = context;

	announce__detached(session->stream, attachment);
	log__info("detached from '%s'", attachment->binary->name);
}

static int open_capture(struct session *session)
{
	const struct capture_options options = {
		.buffer_bytes = session->options->buffer_bytes,
		.only_wanted_pids = targets__are_processes(&session->options->targets),
		.filters = &session->options->filters,
	};
	int code;

	attachments__begin(&session->attachments);
	code = capture__open(&options, &session->capture, session->err);
	if (!code)
		code = wakeups__watch_records(&session->wakeups,
					      capture__wakeup_fd(session->capture));
	if (!code)
		code = capture__watch_processes(session->capture, session->err);
	if (!code)
		code = attachments__open(&session->attachments, session->capture, session->err);
	if (!code && session->options->site >= 0)
		attachments__use_site(&session->attachments,
				      (enum site_kind)session->options->site);
	return code;
}

/* A process that ended before it was watched will not be reported. */
static int want(struct session *session, pid_t pid)
{
	int code = capture__want_pid(session->capture, pid);

	if (code)
		return error__set(session->err, code, "cannot trace process %d: %s", pid,
				  strerror(-code));
	code = targets__check_pid(pid, session->err);
	if (code)
		capture__unwant_pid(session->capture, pid);
	return code;
}

static int want_targets(struct session *session)
{
	const struct targets *targets = &session->options->targets;
	int code = 0;

	if (session->child.pid) {
		code = want(session, session->child.pid);
		return code ? code : wakeups__watch_child(&session->wakeups, session->child.pid);
	}
	for (size_t i = 0; i < targets->pids_count && !code; i++)
		code = want(session, targets->pids[i]);
	return code;
}

static const char *command_path(const struct session *session)
{
	return session->child.pid ? session->child.path : NULL;
}

static int attach_targets(struct session *session)
{
	session->follower = (struct follower){
		.targets = &session->options->targets,
		.capture = session->capture,
		.attachments = &session->attachments,
		.events = {on_attached, on_detached, session},
		.linger_ns = session->options->linger_ns,
	};
	return follower__start(&session->follower, command_path(session), session->err);
}

static int start(struct session *session)
{
	const struct session_options *options = session->options;
	int code = 0;

	for (size_t i = 0; i < options->targets.pids_count && !code; i++)
		code = targets__check_pid(options->targets.pids[i], session->err);
	if (!code && options->targets.command)
		code = child__start(&session->child, options->targets.command, session->err);
	if (!code)
		code = sink__open(&session->sink, options->output, session->err);
	if (!code)
		code = wakeups__open(&session->wakeups, options->flush_ns, session->err);
	if (!code)
		code = open_capture(session);
	if (!code)
		code = open_stream(session);
	if (!code)
		code = want_targets(session);
	if (!code)
		code = announce__started(session->stream, &options->targets, command_path(session),
					 &session->attachments);
	if (!code)
		code = attach_targets(session);
	return code;
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

/* Everything that was captured is drained, counted and said. */
static void finish(struct session *session)
{
	struct trace_totals totals;
	uint64_t now;

	session->sink.patience_ms =
		1000; /* the end was asked for: nobody is waited for much longer */
	while (drain(session))
		continue;
	session->is_ending = true;
	capture__disarm(session->capture);
	attachments__close(&session->attachments);
	while (drain(session))
		continue;
	settle_accounts(session, true);
	flush(session);
	now = clock__now_ns();
	totals = (struct trace_totals){.hits = accounts__hits(&session->accounts),
				       .reason = session->reason};
	trace_events__stopped(session->stream, &totals, now);
	flush(session);
	announce__end(session->stream, session->reason, session->shows_progress);
	check_books(session, totals.hits);
}

static void close_all(struct session *session)
{
	attachments__close(&session->attachments);
	capture__close(session->capture);
	stream__free(session->stream);
	sink__close(&session->sink);
	wakeups__close(&session->wakeups);
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
	session->options = options;
	session->err = err;
	session->sink.fd = -1;
	session->wakeups = (struct wakeups){-1, -1, -1, -1, -1, .child_runs = false};
	session->child.go_fd = -1;
	if (start(session)) {
		session->failed = true;
	} else {
		session->shows_progress = isatty(STDERR_FILENO) && !isatty(session->sink.fd);
		session->started_ns = session->accounts.reported_ns = clock__now_ns();
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
	close_all(session);
	free(session);
	return status;
}
