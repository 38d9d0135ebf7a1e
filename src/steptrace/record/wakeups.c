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

/* Who woke us: the epoll data. */
enum who {
	WHO_RECORDS,
	WHO_TIMER,
	WHO_SIGNAL,
	WHO_CHILD,
	WHO_DEADLINE,
	WHO_OUTPUTS,
	WHO_ASKS,
	WHO_CLOCK,
};

static int watch_for(struct wakeups *wakeups, int fd, enum who who, uint32_t what)
{
	struct epoll_event event = {.events = what, .data.u32 = who};

	return epoll_ctl(wakeups->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int watch(struct wakeups *wakeups, int fd, enum who who)
{
	return watch_for(wakeups, fd, who, EPOLLIN);
}

static bool is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
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
	signal(SIGXFSZ, SIG_IGN); /* a file at its size limit is a failed write, not our end */
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

/* A timer for a moment that never comes, which ends when the wall clock is set. */
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

int wakeups__open(struct wakeups *wakeups, uint64_t interval_ns, int news_fd, struct error *err)
{
	int code = 0;

	*wakeups = (struct wakeups){.epoll_fd = epoll_create1(EPOLL_CLOEXEC),
				    .timer_fd = open_timer(interval_ns, true),
				    .deadline_fd = -1,
				    .child_fd = -1,
				    .signal_fd = open_signals(),
				    .clock_fd = open_clock(),
				    .ignores_hangup = is_ignored(SIGHUP)};
	if (wakeups->epoll_fd < 0 || wakeups->timer_fd < 0 || wakeups->signal_fd < 0 ||
	    wakeups->clock_fd < 0)
		code = -errno;
	if (!code)
		code = watch(wakeups, wakeups->signal_fd, WHO_SIGNAL);
	if (!code)
		code = watch(wakeups, wakeups->timer_fd, WHO_TIMER);
	if (!code)
		code = watch(wakeups, news_fd, WHO_OUTPUTS);
	if (!code)
		code = watch(wakeups, wakeups->clock_fd, WHO_CLOCK);
	return code ? error__set(err, code, "cannot set up the event loop: %s", strerror(-code))
		    : 0;
}

void wakeups__close(struct wakeups *wakeups)
{
	const int fds[] = {wakeups->epoll_fd, wakeups->timer_fd,    wakeups->signal_fd,
			   wakeups->clock_fd, wakeups->deadline_fd, wakeups->child_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	wakeups->epoll_fd = wakeups->timer_fd = wakeups->signal_fd = wakeups->clock_fd =
		wakeups->deadline_fd = wakeups->child_fd = -1;
}

int wakeups__set_deadline(struct wakeups *wakeups, uint64_t from_now_ns)
{
	wakeups->deadline_fd = open_timer(from_now_ns, false);
	if (wakeups->deadline_fd < 0)
		return -errno;
	return watch(wakeups, wakeups->deadline_fd, WHO_DEADLINE);
}

/* On the edge: while a runner is busy there is always something to read, and a reader that took that for
 * a call would come for every few records. */
int wakeups__watch_records(struct wakeups *wakeups, int fd)
{
	return watch_for(wakeups, fd, WHO_RECORDS, EPOLLIN | EPOLLET);
}

int wakeups__watch_questions(struct wakeups *wakeups, int fd)
{
	return watch(wakeups, fd, WHO_ASKS);
}

int wakeups__watch_child(struct wakeups *wakeups, pid_t pid)
{
	wakeups->child_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (wakeups->child_fd < 0)
		return -errno;
	wakeups->child_runs = true;
	return watch(wakeups, wakeups->child_fd, WHO_CHILD);
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

static void take_child(struct wakeups *wakeups, struct wakeup *wakeup)
{
	epoll_ctl(wakeups->epoll_fd, EPOLL_CTL_DEL, wakeups->child_fd, NULL);
	wakeups->child_runs = false;
	wakeup->child_ended = true;
}

void wakeups__wait(struct wakeups *wakeups, bool poll, struct wakeup *wakeup)
{
	struct epoll_event events[8];
	int count;

	*wakeup = (struct wakeup){0};
	count = epoll_wait(wakeups->epoll_fd, events, 8, poll ? 0 : -1);
	for (int i = 0; i < count; i++) {
		switch ((enum who)events[i].data.u32) {
		case WHO_RECORDS: break;
		case WHO_OUTPUTS: wakeup->news = true; break;
		case WHO_ASKS: wakeup->question = true; break;
		case WHO_TIMER: take_timer(wakeups, wakeup); break;
		case WHO_DEADLINE: take_deadline(wakeups, wakeup); break;
		case WHO_SIGNAL: take_signal(wakeups, wakeup); break;
		case WHO_CLOCK: take_clock(wakeups, wakeup); break;
		case WHO_CHILD: take_child(wakeups, wakeup); break;
		}
	}
}
