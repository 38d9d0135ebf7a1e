/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a recording: detach, drain the ring buffers, write the totals, wait for the outputs.
 *
 * Outputs that still make progress are drained. A second Ctrl-C (or SIGTERM), a second after the
 * first at the earliest, abandons them.
 */
#ifndef STEPTRACE_ENDING_H
#define STEPTRACE_ENDING_H

#include "steptrace/record/session.h"

/* After a signal from another process outputs are abandoned after this time: service managers
 * kill a service that takes longer. */
#define ENDING_SERVICE_NS 30000000000ull

void ending__run(struct session *session);

#endif
