/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that the kernel side could not keep track of.
 *
 * Normally a BPF program reports the end of a traced process. Two limits can prevent that: the
 * record found no room in the ring buffer, or there were more than RUNNERS_MAX processes with open
 * commands. Then the processes with open commands are looked up in /proc, and the commands of those
 * that are gone are reported as aborted.
 */
#ifndef STEPTRACE_VANISHED_H
#define STEPTRACE_VANISHED_H

#include <stdbool.h>

#include "steptrace/record/session.h"

/* Call it on every timer, with `is_second` once a second. Also warns once when more processes were
 * forked than can be traced (WANTED_PIDS_MAX). */
void vanished__check(struct session *session, bool is_second);

#endif
