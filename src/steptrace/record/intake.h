/* SPDX-License-Identifier: BSD-2-Clause */
/* The data path of a recording: records to lines, lines to the outputs. */
#ifndef STEPTRACE_INTAKE_H
#define STEPTRACE_INTAKE_H

#include <stdbool.h>

#include "steptrace/record/session.h"

/*
 * Reads records and gives their lines to the outputs. Stops after a few thousand records, so that
 * signals and timers get their turn; true: there may be more. Do not call it while a blocking
 * output is full: the records can wait in the ring buffer.
 */
bool intake__drain(struct session *session);

/* Gives the outputs the lines that the stream has. */
void intake__flush(struct session *session);

/* Takes over what the kernel counted; with `report` writes a trace.lost for every new loss. */
void intake__account(struct session *session, bool report);

#endif
