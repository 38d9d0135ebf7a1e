// SPDX-License-Identifier: BSD-2-Clause
#include "runner/stop_signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static sigset_t both(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return set;
}

void stop_signals__block(void)
{
	sigset_t set = both();

	/* A shell starts background jobs with SIGINT ignored. */
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

const char *stop_signals__wait(bool (*is_over)(void *context), void *context)
{
	const struct timespec pause = {.tv_nsec = 200000000};
	sigset_t set = both();
	int number = -1;

	while (number < 0 && !(is_over && is_over(context)))
		number = sigtimedwait(&set, NULL, &pause);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	if (number < 0)
		return NULL;
	return number == SIGINT ? "Ctrl-C" : "SIGTERM";
}
