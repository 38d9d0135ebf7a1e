// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pacer.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int watch(struct pacer *pacer, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(pacer->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_signals(struct pacer *pacer)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	pacer->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return pacer->signals < 0 ? -errno : watch(pacer, pacer->signals);
}

static int open_timer(struct pacer *pacer, uint64_t per_second)
{
	uint64_t period_ns = 1000000000u / per_second;
	struct itimerspec plan = {0};

	pacer->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (pacer->timer < 0)
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &plan.it_value);
	plan.it_interval.tv_sec = (time_t)(period_ns / 1000000000u);
	plan.it_interval.tv_nsec = (long)(period_ns % 1000000000u);
	if (timerfd_settime(pacer->timer, TFD_TIMER_ABSTIME, &plan, NULL))
		return -errno;
	return watch(pacer, pacer->timer);
}

int pacer__open(struct pacer *pacer, uint64_t per_second, struct error *err)
{
	int code;

	*pacer = (struct pacer){.epoll = epoll_create1(EPOLL_CLOEXEC), .timer = -1, .signals = -1};
	code = pacer->epoll < 0 ? -errno : open_signals(pacer);
	if (!code && per_second)
		code = open_timer(pacer, per_second);
	if (!code)
		return 0;
	pacer__close(pacer);
	return error__set(err, code, "cannot set up the timer and signals: %s", strerror(-code));
}

void pacer__close(struct pacer *pacer)
{
	if (pacer->timer >= 0)
		close(pacer->timer);
	if (pacer->signals >= 0)
		close(pacer->signals);
	if (pacer->epoll >= 0)
		close(pacer->epoll);
	*pacer = (struct pacer){.epoll = -1, .timer = -1, .signals = -1};
}

static void take_event(struct pacer *pacer, int fd)
{
	struct signalfd_siginfo info;
	uint64_t ticks;

	if (fd == pacer->signals && read(fd, &info, sizeof(info)) == sizeof(info))
		pacer->signal = (int)info.ssi_signo;
	if (fd == pacer->timer && read(fd, &ticks, sizeof(ticks)) == sizeof(ticks))
		pacer->due += ticks;
}

/* Reads the events that are ready. Blocks only if there is a rate and no start is due. */
static int look(struct pacer *pacer)
{
	int timeout = pacer->timer < 0 || pacer->due ? 0 : -1;
	struct epoll_event events[2];
	int count = epoll_wait(pacer->epoll, events, 2, timeout);

	if (count < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < count; i++)
		take_event(pacer, events[i].data.fd);
	return 0;
}

int pacer__wait(struct pacer *pacer)
{
	int err;

	do {
		err = look(pacer);
		if (err)
			return err;
		if (pacer->signal)
			return 1;
	} while (pacer->timer >= 0 && !pacer->due);
	if (pacer->due)
		pacer->due--;
	return 0;
}
