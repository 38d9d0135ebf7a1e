// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/signals.h"

#include <signal.h>

bool signals__handle(struct session *session, const struct wakeup *wakeup)
{
	if (wakeup->signal == SIGHUP && !wakeup->from_terminal &&
	    outputs__make_files(&session->outputs)) {
		outputs__reopen(&session->outputs);
		watch__release_unused(&session->watch);
		return false;
	}
	if (session->command.pid && session->wakeups.command_runs) {
		traced_command__forward_signal(&session->command, wakeup->signal,
					       wakeup->from_terminal);
		return false;
	}
	return wakeup->signal != SIGHUP || !session->wakeups.ignores_hangup;
}
