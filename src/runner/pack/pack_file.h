/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads the files of a pack: text in regular files of the pack's own folder. A FIFO or a device is
 * refused at once, and so is a symbolic link that leads out of the folder. A byte order mark at the
 * beginning is skipped.
 */
#ifndef STEPTRACE_RUNNER_PACK_FILE_H
#define STEPTRACE_RUNNER_PACK_FILE_H

#include <stddef.h>

#include "runner/pack/file_problem.h"

/*
 * Reads DIRECTORY/NAME, which has at most `bytes_max` bytes. The caller frees *text, which has a
 * NUL behind its `*bytes` bytes. 0, -E2BIG, -EINVAL (not such a file, NUL or invalid UTF-8),
 * -ENOMEM, or the errno of reading, with a sentence in `problem`.
 */
int pack_file__read(const char *directory, const char *name, size_t bytes_max, char **text,
		    size_t *bytes, struct file_problem *problem);

#endif
