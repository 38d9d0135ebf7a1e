/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the lines go: standard output or a file. What was promised for files holds for the end,
 * too: when the disk is full, the file ends with its last whole line.
 */
#ifndef STEPTRACE_SINK_H
#define STEPTRACE_SINK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "steptrace/wakeups.h"

struct sink {
	int fd;
	bool is_file;      /* a regular file: writing never waits for a reader */
	bool close_at_end; /* ours, not inherited */
	int patience_ms;   /* how long a reader that does not read is waited for; -1: for ever */
	char name[PATH_MAX];
};

/*
 * `path` NULL or "-": standard output. A file is created 0640 or appended to; a symbolic link is
 * refused, and so is a file whose last line is torn (another program was cut off there).
 */
int sink__open(struct sink *sink, const char *path, struct error *err);
void sink__close(struct sink *sink);

/*
 * Writes whole lines. Returns 0, or negative errno with a sentence in `err`; *written says in any
 * case how many bytes of whole lines are out. A reader that does not read is waited for, until
 * patience ends, a signal or the deadline comes (left for the loop to take): then -ECANCELED.
 */
int sink__write(struct sink *sink, const char *lines, size_t bytes, const struct wakeups *wakeups,
		size_t *written, struct error *err);

#endif
