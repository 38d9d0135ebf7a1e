/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes that the kernel side could not keep track of.
 *
 * Normally a BPF program reports the end of a traced process. Three things can prevent that: the
 * record found no room in the ring buffer, there were more than RUNNERS_MAX processes with open
 * commands, or a child to which a process left its commands ended at the same moment. Then the
 * processes with open commands are looked up in /proc, and the commands of those that are gone are
 * reported as aborted.
 *
 * The last records of such a process may still be unread when it is found. If its commands were
 * closed now, these records would find no command: steps would be counted as lost although they
 * were delivered, and a command that ended well would be called aborted. So there are two steps:
 *
 *	vanished__check		finds the processes, and marks the end of the unread records
 *	vanished__close		closes their commands when every record before the mark was read
 *
 * A process that is gone makes no more records, so all of its records lie before the mark.
 */
#ifndef STEPTRACE_VANISHED_H
#define STEPTRACE_VANISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/stream/stream.h"
#include "steptrace/watch/watch.h"

enum { VANISHED_PIDS_MAX = 1024 };

struct vanished {
	uint32_t pids[VANISHED_PIDS_MAX]; /* found, and not closed yet */
	size_t count;
	bool is_full;              /* there may be more */
	uint64_t found_ns;         /* CLOCK_MONOTONIC */
	uint64_t records_lost;     /* of processes, as of the last search */
	unsigned int searches_due; /* one each second */
	bool warned_untraced;      /* of processes beyond WANTED_PIDS_MAX */
};

/* Call it on every timer, with `is_second` once a second. Also warns once when more processes were
 * forked than can be traced (WANTED_PIDS_MAX). */
void vanished__check(struct vanished *vanished, struct watch *watch, struct stream *stream,
		     bool is_second);

/* Call it after records were read. */
void vanished__close(struct vanished *vanished, const struct capture *capture,
		     struct stream *stream);

#endif
