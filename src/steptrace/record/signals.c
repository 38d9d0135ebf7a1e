// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/record/signals.h"

#include <signal.h>

#include "steptrace/record/setup.h"

bool signals__take(struct session *session, const struct wakeup *wakeup)
{
	if (wakeup->signal == SIGHUP && !wakeup->from_terminal &&
	    outputs__have_files(&session->outputs)) {
		outputs__reopen(&session->outputs);
		return false;
	}
	if (session->child.pid && session->wakeups.child_runs) {
		traced_command__pass_on(&session->child, wakeup->signal, wakeup->from_terminal);
		return false;
	}
	return wakeup->signal != SIGHUP || !session->wakeups.ignores_hangup;
}
