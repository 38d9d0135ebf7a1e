/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The loop of a recording. One epoll waits for ring buffers, timers, signals, the end of the
 * command and notices of the outputs; records become lines, and lines go to the outputs, until
 * something ends the recording.
 */
#ifndef STEPTRACE_RECORDING_H
#define STEPTRACE_RECORDING_H

#include "common/error.h"
#include "steptrace/record/session.h"

/*
 * Runs a recording from its setup to its last line. Returns the exit status of the program:
 * 0 done, 1 failed (the sentence is in `err`), or after `-- PROGRAM` the status of the command.
 */
int recording__run(const struct session_options *options, struct error *err);

#endif
