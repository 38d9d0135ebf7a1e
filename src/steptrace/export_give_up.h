/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals during an export that sends events to a receiver. The first SIGINT or SIGTERM makes a
 * descriptor readable, for what waits for the receiver, and ends the waiting for text of the
 * recording. The second one ends the program at once.
 */
#ifndef STEPTRACE_EXPORT_GIVE_UP_H
#define STEPTRACE_EXPORT_GIVE_UP_H

#include <signal.h>
#include <stdbool.h>

#include "common/error.h"

/* From now on, for the rest of the process. The descriptor, which stays open; or negative errno
 * with a sentence. */
int export_give_up__catch(struct error *err);

/* Whether there was a signal. */
bool export_give_up__is_asked(void);

/* The same, for recording_reader__stop_when(). */
const volatile sig_atomic_t *export_give_up__flag(void);

#endif
