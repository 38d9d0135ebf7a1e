/* SPDX-License-Identifier: BSD-2-Clause */
/* What a signal means to a recording. */
#ifndef STEPTRACE_SIGNALS_H
#define STEPTRACE_SIGNALS_H

#include <stdbool.h>

#include "steptrace/record/session.h"

/*
 * SIGHUP from a process (logrotate) reopens the output files. Every other signal, and SIGHUP
 * without output files, is forwarded to the command while a command runs. True: the signal asks
 * the recording to end.
 */
bool signals__handle(struct session *session, const struct wakeup *wakeup);

#endif
