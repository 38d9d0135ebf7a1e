/* SPDX-License-Identifier: BSD-2-Clause */
/* What a signal means to a recording. */
#ifndef STEPTRACE_SIGNALS_H
#define STEPTRACE_SIGNALS_H

#include <stdbool.h>

#include "steptrace/record/wakeups.h"

struct session;

/*
 * Who rotates our files sends SIGHUP, and they are opened anew; so does a terminal that goes away. While a
 * command of ours runs it decides what any other signal means for it, and its end ends us. True: it means that
 * the recording should end.
 */
bool signals__take(struct session *session, const struct wakeup *wakeup);

#endif
