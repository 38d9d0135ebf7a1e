/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file of options: what a command line has, one option a line, without the dashes.
 *
 *	# Comments begin with # at the beginning of a line, or after a blank.
 *	output /var/log/events.ndjson
 *	safe-integers                     # an option without a value
 *	label "note=blanks and # stay"    # text in quotes is taken as it is
 *
 * The value is the rest of the line. Quotes are around the whole value, and nothing in them is an
 * escape. The file has at most OPTION_FILE_BYTES_MAX bytes, all of them text: a NUL or another
 * control character is an error. The functions know no option; see option_groups.h.
 */
#ifndef STEPTRACE_COMMON_OPTION_FILE_H
#define STEPTRACE_COMMON_OPTION_FILE_H

#include <stddef.h>

#include "common/error.h"

enum { OPTION_FILE_BYTES_MAX = 1 << 16, OPTION_FILE_LINES_MAX = 512 };

struct option_line {
	unsigned int number; /* of the line in the file, from 1 */
	const char *name;
	const char *value; /* NULL: none */
};

struct option_file {
	const char *path;          /* borrowed */
	char *text;                /* owned: names and values point into it */
	struct option_line *lines; /* owned: the lines with an option */
	size_t count;
};

/* Reads a regular file. 0, or negative errno with a sentence that names the file and the line; then
 * there is nothing to free. */
int option_file__read(struct option_file *file, const char *path, struct error *err);

/* Accepts a zeroed struct. */
void option_file__free(struct option_file *file);

#endif
