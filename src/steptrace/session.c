// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/accounts.h"
#include "steptrace/capture.h"
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
	struct binaries binaries;
	struct child child;
	struct capture *capture;
	struct stream *stream;
	struct sink sink;
	struct accounts accounts;
	struct wakeups wakeups;
	uint64_t started_ns;
	const char *reason; /* why it stops; NULL: it goes on */
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

static int on_record(void *context, const void *bytes, size_t size_bytes)
{
	struct session *session = context;

	stream__record(session->stream, bytes, size_bytes);
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

/* ---- what a person sees */

static void show_progress(const struct session *session)
{
	uint64_t seconds = (clock__now_ns() - session->started_ns) / SECOND_NS;

	fprintf(stderr, "\r\033[K%llu events, %llu lost, %02llu:%02llu",
		(unsigned long long)stream__events_total(session->stream),
		(unsigned long long)accounts__lost(session->stream),
		(unsigned long long)seconds / 60, (unsigned long long)seconds % 60);
}

static void say_attached(const struct session *session)
{
	const struct targets *targets = &session->options->targets;
	size_t count = 0;

	for (size_t i = 0; i < session->binaries.count; i++)
		count += binary__probes_count(session->binaries.items[i]) > 0;
	log__info("attached to %zu binar%s (%s, site %s)%s", count, count == 1 ? "y" : "ies",
		  uprobe__method_name(capture__method(session->capture)),
		  sites[capture__site(session->capture)].name,
		  targets->command ? "" : "; Ctrl-C ends");
}

static void say_stopped(const struct session *session)
{
	const struct stream_counts *counts = stream__counts(session->stream);
	unsigned long long events = stream__events_total(session->stream);
	unsigned long long behind = 0; /* the end that was asked for is no loss */

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		behind += counts->lost[kind][LOSS_NOT_WRITTEN];
	if (session->shows_progress)
		fputs("\r\033[K", stderr);
	log__info("%llu event%s, %llu lost (%s)", events, events == 1 ? "" : "s",
		  (unsigned long long)accounts__lost(session->stream) - behind, session->reason);
	if (behind)
		log__info("%llu more were captured and not written", behind);
}

/* ---- the loop */

/* The command decides what a signal means for it, and its end ends us: the terminal's Ctrl-C reaches
 * it by itself, everything else is passed on. */
static void on_signal(struct session *session, const struct wakeup *wakeup)
{
	if (session->child.pid && session->wakeups.running_count) {
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
	if (second && session->shows_progress)
		show_progress(session);
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
		if (wakeup.all_exited)
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
	};

	clock__anchor(&stream_options.clock);
	if (stream__new(&stream_options, &session->stream))
		return error__set(session->err, -ENOMEM, "out of memory");
	return 0;
}

static int open_capture(struct session *session)
{
	const struct targets *targets = &session->options->targets;
	struct capture_options options = {.buffer_bytes = session->options->buffer_bytes};
	int code;

	/* A binary that was named means all of its processes, so pids cannot be a filter then. */
	if (targets->exes_count == 0) {
		options.pids = targets->pids_count ? targets->pids : &session->child.pid;
		options.pids_count = targets->pids_count ? targets->pids_count : 1;
	}
	code = capture__open(&options, &session->capture, session->err);
	if (!code)
		code = wakeups__watch_records(&session->wakeups,
					      capture__wakeup_fd(session->capture));
	return code;
}

static int attach_all(struct session *session)
{
	int code = 0;

	for (size_t i = 0; i < session->binaries.count && !code; i++)
		if (binary__probes_count(session->binaries.items[i]))
			code = capture__attach(session->capture, session->binaries.items[i],
					       session->err);
	if (!code)
		capture__armed(session->capture);
	return code;
}

static int watch_targets(struct session *session)
{
	const struct targets *targets = &session->options->targets;
	int code = 0;

	if (targets->exes_count)
		return 0; /* there may always come another */
	for (size_t i = 0; i < targets->pids_count && code != -ENOMEM; i++)
		code = wakeups__watch_exit(&session->wakeups, targets->pids[i]);
	if (session->child.pid)
		code = wakeups__watch_exit(&session->wakeups, session->child.pid);
	return code == -ESRCH && session->wakeups.running_count ? 0 : code;
}

static int say_started(struct session *session)
{
	const struct targets *targets = &session->options->targets;
	const char *names[2 * TARGETS_MAX + 1];
	char pids[TARGETS_MAX][16], boot_id[64] = "";
	struct utsname system;
	struct trace_facts facts = {.targets = names};
	FILE *file;

	uname(&system);
	file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (file && fgets(boot_id, sizeof(boot_id), file))
		boot_id[strcspn(boot_id, "\n")] = 0;
	if (file)
		fclose(file);
	for (size_t i = 0; i < targets->pids_count; i++) {
		snprintf(pids[i], sizeof(pids[i]), "pid:%d", targets->pids[i]);
		names[facts.targets_count++] = pids[i];
	}
	for (size_t i = 0; i < targets->exes_count; i++)
		names[facts.targets_count++] = targets->exes[i];
	if (targets->command)
		names[facts.targets_count++] = session->child.path;
	facts.host = system.nodename;
	facts.kernel = system.release;
	facts.boot_id = boot_id;
	facts.site = sites[capture__site(session->capture)].name;
	facts.method = uprobe__method_name(capture__method(session->capture));
	return trace_events__started(session->stream, &facts);
}

static int start(struct session *session)
{
	const struct session_options *options = session->options;
	int code;

	code = targets__open(&options->targets, &session->binaries, &session->child, session->err);
	if (code)
		return code;
	code = sink__open(&session->sink, options->output, session->err);
	if (code)
		return code;
	code = wakeups__open(&session->wakeups, session->options->flush_ns, session->err);
	if (code)
		return code;
	code = open_stream(session);
	if (code)
		return code;
	code = open_capture(session);
	if (code)
		return code;
	code = watch_targets(session);
	if (code)
		return error__set(session->err, code, "the process ended before it was attached");
	return attach_all(session);
}

/* Everything that was captured is drained, counted and said. */
static void finish(struct session *session)
{
	struct trace_totals totals;
	uint64_t now;

	session->sink.patience_ms =
		1000; /* the end was asked for: nobody is waited for much longer */
	capture__detach(session->capture);
	while (drain(session))
		continue;
	settle_accounts(session, true);
	flush(session);
	now = clock__now_ns();
	totals = (struct trace_totals){.hits = accounts__hits(&session->accounts),
				       .reason = session->reason};
	trace_events__stopped(session->stream, &totals, now);
	flush(session);
	say_stopped(session);
	if (totals.hits !=
	    stream__events_total(session->stream) + accounts__lost(session->stream)) {
		session->failed = true;
		error__set(session->err, -EIO,
			   "the books do not balance: %llu hits, %llu events, %llu lost (this is a "
			   "bug in steptrace)",
			   (unsigned long long)totals.hits,
			   (unsigned long long)stream__events_total(session->stream),
			   (unsigned long long)accounts__lost(session->stream));
	}
}

static void close_all(struct session *session)
{
	capture__close(session->capture);
	stream__free(session->stream);
	sink__close(&session->sink);
	binaries__close(&session->binaries);
	wakeups__close(&session->wakeups);
}

/* The recording is over, its command is not: signals go on to it until it ends. */
static int await_child(struct session *session)
{
	struct wakeup wakeup = {0};

	while (session->wakeups.running_count && session->child.go_fd < 0) {
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
	session->wakeups = (struct wakeups){-1, -1, -1, -1, .pid_fds_count = 0};
	session->child.go_fd = -1;
	if (start(session)) {
		session->failed = true;
	} else {
		session->shows_progress = isatty(STDERR_FILENO) && !isatty(session->sink.fd);
		session->started_ns = session->accounts.reported_ns = clock__now_ns();
		say_started(session);
		flush(session);
		say_attached(session);
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
