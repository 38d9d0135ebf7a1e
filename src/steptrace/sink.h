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

struct sink {
	int fd;
	bool is_file;      /* a regular file: writing never waits for a reader */
	bool close_at_end; /* ours, not inherited */
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
 * `stop_fd` becomes readable: then -ECANCELED.
 */
int sink__write(struct sink *sink, const char *lines, size_t bytes, int stop_fd, size_t *written,
		struct error *err);

#endif
