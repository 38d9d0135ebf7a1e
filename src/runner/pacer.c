// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pacer.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"

/* ---- signals. An atomic store of 64 bits takes no lock, so a signal handler may make it. */

static volatile sig_atomic_t caught;
static _Atomic uint64_t caught_ns;

static void on_signal(int number)
{
	if (!caught)
		caught_ns = clock__now_ns();
	caught = number;
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

/* Without SA_RESTART, a wait ends. */
static int catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};

	caught = 0;
	caught_ns = 0;
	return sigaction(SIGINT, &action, NULL) || sigaction(SIGTERM, &action, NULL) ? -errno : 0;
}

int pacer__signal(void)
{
	return caught;
}

const _Atomic uint64_t *pacer__cancelled_ns(void)
{
	return &caught_ns;
}

/* ---- the plan */

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
	return timerfd_settime(pacer->timer, TFD_TIMER_ABSTIME, &plan, NULL) ? -errno : 0;
}

int pacer__open(struct pacer *pacer, uint64_t per_second, struct error *err)
{
	int code;

	*pacer = (struct pacer){.timer = -1};
	code = catch_signals();
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
	*pacer = (struct pacer){.timer = -1};
}

/* The signals are blocked but in ppoll(), so that none comes between the look and the wait. */
static int wait_for_tick(struct pacer *pacer)
{
	struct pollfd timer = {.fd = pacer->timer, .events = POLLIN};
	sigset_t signals, before;
	uint64_t ticks;
	int ready = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &before);
	if (!caught)
		ready = ppoll(&timer, 1, NULL, &before);
	if (ready < 0)
		ready = errno == EINTR ? 0 : -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (ready > 0 && read(pacer->timer, &ticks, sizeof(ticks)) == sizeof(ticks))
		pacer->due += ticks;
	return ready < 0 ? ready : 0;
}

int pacer__wait(struct pacer *pacer)
{
	int err = 0;

	while (!err && !caught && pacer->timer >= 0 && !pacer->due)
		err = wait_for_tick(pacer);
	if (err)
		return err;
	if (caught)
		return 1;
	if (pacer->due)
		pacer->due--;
	return 0;
}
