/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a result that is written at the end of a recording, as a whole. It is opened at the
 * beginning, with the rights of the caller. What it contained before stays in it until the result
 * is there.
 */
#ifndef STEPTRACE_RESULT_FILE_H
#define STEPTRACE_RESULT_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"

struct result_file {
	const char *path; /* borrowed; NULL or "-": standard output */
	int fd;
};

/* 0 or negative errno with a sentence. */
int result_file__open(struct result_file *file, const char *path, struct error *err);

bool result_file__is_stdout(const struct result_file *file);

/* Writes the bytes in place of what the file contained, and closes it. 0 or negative errno with a
 * sentence. */
int result_file__write(struct result_file *file, const char *bytes, size_t count,
		       struct error *err);

#endif
