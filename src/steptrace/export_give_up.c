// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export_give_up.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int give_up_fd = -1; /* an eventfd */
static volatile sig_atomic_t is_asked;

static void on_signal(int number)
{
	static const uint64_t one = 1;

	(void)number;
	is_asked = 1;
	if (write(give_up_fd, &one, sizeof(one)) < 0)
		return; /* it is readable already */
}

int export_give_up__catch(struct error *err)
{
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = (int)(SA_RESTART | SA_RESETHAND)};

	give_up_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (give_up_fd < 0)
		return error__set(err, -errno, "cannot wait for signals: %s", strerror(errno));
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return give_up_fd;
}

bool export_give_up__is_asked(void)
{
	return is_asked;
}

const volatile sig_atomic_t *export_give_up__flag(void)
{
	return &is_asked;
}
