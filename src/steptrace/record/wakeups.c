// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/wakeups.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The data of each epoll registration. */
enum source {
	SOURCE_RECORDS,
	SOURCE_NEWS,
	SOURCE_TIMER,
	SOURCE_SIGNAL,
	SOURCE_COMMAND,
	SOURCE_DEADLINE,
	SOURCE_OUTPUTS,
	SOURCE_METRICS,
	SOURCE_WRITERS,
	SOURCE_CLOCK,
	SOURCE_INPUT,
	SOURCE_LOOKOUT,
};

static int watch_for(struct wakeups *wakeups, int fd, enum source source, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = source};

	return epoll_ctl(wakeups->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch(struct wakeups *wakeups, int fd, enum source source)
{
	return watch_for(wakeups, fd, source, EPOLLIN);
}

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static int open_signals(bool takes_signals)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	if (takes_signals) {
		sigaddset(&wanted, SIGINT);
		sigaddset(&wanted, SIGTERM);
		sigaddset(&wanted, SIGHUP);
	}
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a write beyond the file size limit fails instead */
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_timer(uint64_t ns, bool again)
{
	struct itimerspec when = {.it_value = {.tv_sec = (time_t)(ns / 1000000000),
					       .tv_nsec = (long)(ns % 1000000000)}};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (again)
		when.it_interval = when.it_value;
	if (fd >= 0 && timerfd_settime(fd, 0, &when, NULL)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A timer that never expires, but is cancelled when the wall clock is set. */
static int open_clock(void)
{
	const struct itimerspec never = {.it_value = {.tv_sec = INT64_MAX}};
	int fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd >= 0 &&
	    timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL)) {
		close(fd);
		return -1;
	}
	return fd;
}

int wakeups__open(struct wakeups *wakeups, uint64_t interval_ns, int outputs_fd, bool takes_signals,
		  struct error *err)
{
	int code = 0;

	*wakeups = (struct wakeups){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
				    .timer_fd = open_timer(interval_ns, true),
				    .deadline_fd = -1,
				    .command_fd = -1,
				    .signal_fd = open_signals(takes_signals),
				    .clock_fd = open_clock(),
				    .ignores_hangup = is_ignored(SIGHUP)};
	if (wakeups->epoll_fd < 0 || wakeups->timer_fd < 0 || wakeups->signal_fd < 0 ||
	    wakeups->clock_fd < 0)
		code = -errno;
	if (!code)
		code = watch(wakeups, wakeups->signal_fd, SOURCE_SIGNAL);
	if (!code)
		code = watch(wakeups, wakeups->timer_fd, SOURCE_TIMER);
	if (!code)
		code = watch(wakeups, outputs_fd, SOURCE_OUTPUTS);
	if (!code)
		code = watch(wakeups, wakeups->clock_fd, SOURCE_CLOCK);
	return code ? error__set(err, code, "cannot set up the event loop: %s", strerror(-code))
		    : 0;
}

void wakeups__close(struct wakeups *wakeups)
{
	const int fds[] = {wakeups->epoll_fd, wakeups->timer_fd,    wakeups->signal_fd,
			   wakeups->clock_fd, wakeups->deadline_fd, wakeups->command_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	wakeups->epoll_fd = wakeups->timer_fd = wakeups->signal_fd = wakeups->clock_fd =
		wakeups->deadline_fd = wakeups->command_fd = -1;
}

int wakeups__set_deadline(struct wakeups *wakeups, uint64_t from_now_ns)
{
	wakeups->deadline_fd = open_timer(from_now_ns, false);
	if (wakeups->deadline_fd < 0)
		return -errno;
	return watch(wakeups, wakeups->deadline_fd, SOURCE_DEADLINE);
}

/* Edge-triggered: while a runner is busy the ring buffer is never empty, and a level-triggered
 * reader would wake up for every few records. */
int wakeups__watch_records(struct wakeups *wakeups, int fd)
{
	return watch_for(wakeups, fd, SOURCE_RECORDS, EPOLLIN | EPOLLET);
}

int wakeups__watch_news(struct wakeups *wakeups, int fd)
{
	return watch(wakeups, fd, SOURCE_NEWS);
}

int wakeups__watch_metrics(struct wakeups *wakeups, int fd)
{
	return watch(wakeups, fd, SOURCE_METRICS);
}

int wakeups__watch_writers(struct wakeups *wakeups, int fd)
{
	return watch(wakeups, fd, SOURCE_WRITERS);
}

int wakeups__watch_input(struct wakeups *wakeups, int fd)
{
	return watch(wakeups, fd, SOURCE_INPUT);
}

/* Edge-triggered: while an output is full the messages wait. */
int wakeups__watch_lookout(struct wakeups *wakeups, int fd)
{
	return watch_for(wakeups, fd, SOURCE_LOOKOUT, EPOLLIN | EPOLLET);
}

int wakeups__watch_command(struct wakeups *wakeups, pid_t pid)
{
	wakeups->command_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (wakeups->command_fd < 0)
		return -errno;
	wakeups->command_runs = true;
	return watch(wakeups, wakeups->command_fd, SOURCE_COMMAND);
}

static void take_signal(const struct wakeups *wakeups, struct wakeup *wakeup)
{
	struct signalfd_siginfo info;

	if (read(wakeups->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	wakeup->signal = (int)info.ssi_signo;
	wakeup->from_terminal = info.ssi_code == SI_KERNEL;
}

static void take_timer(const struct wakeups *wakeups, struct wakeup *wakeup)
{
	uint64_t times;

	wakeup->timer = read(wakeups->timer_fd, &times, sizeof(times)) == sizeof(times);
}

static void take_clock(const struct wakeups *wakeups, struct wakeup *wakeup)
{
	uint64_t times;

	wakeup->clock_was_set =
		read(wakeups->clock_fd, &times, sizeof(times)) < 0 && errno == ECANCELED;
}

static void take_deadline(const struct wakeups *wakeups, struct wakeup *wakeup)
{
	epoll_ctl(wakeups->epoll_fd, EPOLL_CTL_DEL, wakeups->deadline_fd, NULL);
	wakeup->deadline = true;
}

static void take_command(struct wakeups *wakeups, struct wakeup *wakeup)
{
	epoll_ctl(wakeups->epoll_fd, EPOLL_CTL_DEL, wakeups->command_fd, NULL);
	wakeups->command_runs = false;
	wakeup->command_ended = true;
}

void wakeups__wait(struct wakeups *wakeups, bool poll, struct wakeup *wakeup)
{
	struct epoll_event events[8];
	int count;

	*wakeup = (struct wakeup){0};
	count = epoll_wait(wakeups->epoll_fd, events, 8, poll ? 0 : -1);
	for (int i = 0; i < count; i++) {
		switch ((enum source)events[i].data.u32) {
		case SOURCE_RECORDS: break;
		case SOURCE_NEWS: wakeup->news = true; break;
		case SOURCE_OUTPUTS: wakeup->outputs = true; break;
		case SOURCE_METRICS: wakeup->metrics = true; break;
		case SOURCE_WRITERS: wakeup->writers = true; break;
		case SOURCE_INPUT: wakeup->input = true; break;
		case SOURCE_LOOKOUT: break;
		case SOURCE_TIMER: take_timer(wakeups, wakeup); break;
		case SOURCE_DEADLINE: take_deadline(wakeups, wakeup); break;
		case SOURCE_SIGNAL: take_signal(wakeups, wakeup); break;
		case SOURCE_CLOCK: take_clock(wakeups, wakeup); break;
		case SOURCE_COMMAND: take_command(wakeups, wakeup); break;
		}
	}
}
