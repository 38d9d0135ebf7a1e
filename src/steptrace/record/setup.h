/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens the parts of a recording in the order in which they need each other, and closes them.
 *
 *	command, outputs, wakeups, statistics -> watch (BPF programs) -> stream -> probes attached
 *	-> input -> privileges dropped -> output threads
 */
#ifndef STEPTRACE_SETUP_H
#define STEPTRACE_SETUP_H

#include "steptrace/record/session.h"

/*
 * `session` is zeroed but for its options and err. 0, or negative errno with a sentence in
 * session->err. Call setup__close() also after a failure.
 */
int setup__open(struct session *session);
void setup__close(struct session *session);

#endif
