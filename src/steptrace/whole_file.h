/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that gets its content as a whole: until it is complete, the path has what it had before.
 *
 *	if (whole_file__open(&file, path, &err) == 0) {
 *		... file.stream ...
 *		failed = whole_file__close(&file, is_complete, &err);
 *	}
 *
 * The content is in a file without a name in the same folder, so that nothing is left behind when
 * the process is interrupted, and then replaces the old file, with the same owner and mode. Where
 * the file system has no files without a name, it has the name PATH.XXXXXX meanwhile. What is no
 * regular file (a terminal, a FIFO), or is in a folder that cannot be written, is written directly.
 */
#ifndef STEPTRACE_WHOLE_FILE_H
#define STEPTRACE_WHOLE_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/error.h"

struct whole_file {
	const char *path; /* borrowed; NULL: standard output */
	char *target;     /* owned: what is replaced; NULL: it is written directly */
	char *temporary;  /* owned: a name in the same folder */
	bool has_name;    /* the content is at `temporary` */
	FILE *stream;
};

/* 0 or negative errno with a sentence. */
int whole_file__open(struct whole_file *file, const char *path, struct error *err);

/* Replaces the old file if the content is complete, otherwise keeps the old one. 0 or negative
 * errno with a sentence; an error of closing is one, too. */
int whole_file__close(struct whole_file *file, bool is_complete, struct error *err);

#endif
