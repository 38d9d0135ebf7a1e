// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "steptrace/accounts.h"
#include "steptrace/capture.h"
#include "steptrace/sink.h"
#include "steptrace/trace_events.h"

enum {
	DRAIN_LIMIT = 4096,       /* records before signals and timers get their turn */
	WRITE_BYTES = 128 * 1024, /* lines that are worth a write of their own */
	SECOND_NS = 1000000000,
};

/* Who woke us, in the lower bits of the epoll data; a pid above them. */
enum wakeup {
	WAKEUP_RECORDS,
	WAKEUP_TIMER,
	WAKEUP_SIGNAL,
	WAKEUP_EXIT,
};

struct session {
	const struct session_options *options;
	struct binaries binaries;
	struct child child;
	struct capture *capture;
	struct stream *stream;
	struct sink sink;
	struct accounts accounts;
	int epoll_fd, timer_fd, signal_fd;
	int pid_fds[TARGETS_MAX + 1];
	size_t pid_fds_count, running_count;
	uint64_t started_ns;
	const char *reason; /* why it stops; NULL: it goes on */
	bool failed;
	bool shows_progress;
	struct error *err;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

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
	code = sink__write(&session->sink, lines->base, bytes, session->signal_fd, &written,
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
		return flush(session);
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
		accounts__report(&session->accounts, session->stream, now_ns());
}

/* ---- what a person sees */

static void show_progress(const struct session *session)
{
	uint64_t seconds = (now_ns() - session->started_ns) / SECOND_NS;

	fprintf(stderr, "\r\033[K%llu events, %llu lost, %02llu:%02llu",
		(unsigned long long)stream__events_total(session->stream),
		(unsigned long long)accounts__lost(session->stream),
		(unsigned long long)seconds / 60, (unsigned long long)seconds % 60);
}

static void say_attached(const struct session *session)
{
	const struct targets *targets = &session->options->targets;

	log__info("attached to %zu binar%s (%s, site %s)%s", session->binaries.count,
		  session->binaries.count == 1 ? "y" : "ies",
		  uprobe__method_name(capture__method(session->capture)),
		  sites[capture__site(session->capture)].name,
		  targets->command ? "" : "; Ctrl-C ends");
}

static void say_stopped(const struct session *session)
{
	const struct stream_counts *counts = stream__counts(session->stream);
	unsigned long long behind = 0; /* the end that was asked for is no loss */

	for (int kind = 0; kind < EVENT_KINDS_COUNT; kind++)
		behind += counts->lost[kind][LOSS_NOT_WRITTEN];
	if (session->shows_progress)
		fputs("\r\033[K", stderr);
	log__info("%llu events, %llu lost (%s)",
		  (unsigned long long)stream__events_total(session->stream),
		  (unsigned long long)accounts__lost(session->stream) - behind, session->reason);
	if (behind)
		log__info("%llu more were captured and not written", behind);
}

/* ---- the loop */

static void on_signal(struct session *session)
{
	struct signalfd_siginfo info;

	if (read(session->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	/* The command decides what a signal means for it: the terminal's Ctrl-C reaches it by
	 * itself, everything else is passed on. Its end ends us. */
	if (session->child.pid && session->running_count) {
		if (info.ssi_signo != SIGINT || info.ssi_code != SI_KERNEL)
			kill(session->child.pid, (int)info.ssi_signo);
		return;
	}
	stop(session, info.ssi_signo == SIGINT ? "interrupted" : "terminated");
}

static void on_timer(struct session *session)
{
	uint64_t times, now = now_ns();
	bool second = now - session->accounts.reported_ns >= SECOND_NS;

	if (read(session->timer_fd, &times, sizeof(times)) < 0)
		return;
	settle_accounts(session, second);
	if (second && session->shows_progress)
		show_progress(session);
	if (session->options->duration_ns &&
	    now - session->started_ns >= session->options->duration_ns)
		stop(session, "duration");
}

static void on_exit_of(struct session *session, int pid_fd)
{
	epoll_ctl(session->epoll_fd, EPOLL_CTL_DEL, pid_fd, NULL);
	if (--session->running_count == 0)
		stop(session, "target_exited");
}

static void dispatch(struct session *session, uint64_t data)
{
	switch ((enum wakeup)(data & 3)) {
	case WAKEUP_RECORDS: break; /* drained in any case */
	case WAKEUP_TIMER: on_timer(session); break;
	case WAKEUP_SIGNAL: on_signal(session); break;
	case WAKEUP_EXIT: on_exit_of(session, (int)(data >> 2)); break;
	}
}

static void loop(struct session *session)
{
	struct epoll_event events[8];
	bool more = false;

	while (!session->reason) {
		int count = epoll_wait(session->epoll_fd, events, 8, more ? 0 : -1);

		for (int i = 0; i < count; i++)
			dispatch(session, events[i].data.u64);
		more = drain(session);
	}
}

/* ---- setting up */

static int watch(struct session *session, int fd, enum wakeup what)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = ((uint64_t)fd << 2) | what};

	return epoll_ctl(session->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch_exit(struct session *session, pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	int code;

	if (fd < 0)
		return errno == ESRCH ? -ESRCH : 0; /* an old kernel: its end goes unnoticed */
	session->pid_fds[session->pid_fds_count++] = fd;
	code = watch(session, fd, WAKEUP_EXIT);
	session->running_count++;
	return code;
}

static int open_signals(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGHUP);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_timer(uint64_t interval_ns)
{
	struct itimerspec every = {.it_interval = {.tv_sec = (time_t)(interval_ns / SECOND_NS),
						   .tv_nsec = (long)(interval_ns % SECOND_NS)}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	every.it_value = every.it_interval;
	if (fd >= 0)
		timerfd_settime(fd, 0, &every, NULL);
	return fd;
}

static int open_loop(struct session *session)
{
	int code;

	session->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	session->signal_fd = open_signals();
	session->timer_fd = open_timer(session->options->flush_ns);
	if (session->epoll_fd < 0 || session->signal_fd < 0 || session->timer_fd < 0)
		return error__set(session->err, -errno, "cannot set up the event loop: %s",
				  strerror(errno));
	code = watch(session, session->signal_fd, WAKEUP_SIGNAL);
	if (!code)
		code = watch(session, session->timer_fd, WAKEUP_TIMER);
	if (code)
		error__set(session->err, code, "cannot set up the event loop: %s", strerror(-code));
	return code;
}

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
		code = watch(session, capture__wakeup_fd(session->capture), WAKEUP_RECORDS);
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
		code = watch_exit(session, targets->pids[i]);
	if (session->child.pid)
		code = watch_exit(session, session->child.pid);
	return code == -ESRCH && session->running_count ? 0 : code;
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
	code = open_loop(session);
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

	capture__detach(session->capture);
	while (drain(session))
		continue;
	settle_accounts(session, true);
	flush(session);
	now = now_ns();
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
	for (size_t i = 0; i < session->pid_fds_count; i++)
		close(session->pid_fds[i]);
	if (session->epoll_fd >= 0)
		close(session->epoll_fd);
	if (session->timer_fd >= 0)
		close(session->timer_fd);
	if (session->signal_fd >= 0)
		close(session->signal_fd);
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
	session->epoll_fd = session->timer_fd = session->signal_fd = session->sink.fd = -1;
	session->child.go_fd = -1;
	if (start(session)) {
		session->failed = true;
	} else {
		session->shows_progress = isatty(STDERR_FILENO) && !isatty(session->sink.fd);
		session->started_ns = session->accounts.reported_ns = now_ns();
		say_started(session);
		flush(session);
		say_attached(session);
		if (session->child.pid)
			child__release(&session->child);
		loop(session);
		finish(session);
	}
	status = session->failed ? 1 : 0;
	if (session->child.pid) {
		int ended = child__wait(&session->child);

		status = status ? status : ended;
	}
	close_all(session);
	free(session);
	return status;
}
