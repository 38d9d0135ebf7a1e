/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files of a recording in the order in which they are read. recording_reader.h states the
 * order, and which files are copies.
 */
#ifndef STEPTRACE_RECORDING_FILES_H
#define STEPTRACE_RECORDING_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct recorded_input;

struct recording_file {
	const char *path; /* borrowed; "-" is standard input */
	bool is_dated;    /* it begins with trace.started; the next three are of that line */
	bool is_copy;     /* it begins as the file before it */
	uint64_t realtime_ns, monotonic_ns, part;
	uint64_t first_line; /* its hash */
	uint64_t disk_bytes; /* 0: not a regular file */
	size_t index;        /* in the order in which the files were named */
};

struct recording_files {
	struct recording_file *files; /* owned */
	size_t count;
	uint64_t disk_bytes; /* of all; 0: a file is no regular one */
};

/* Looks at the first line of each regular file, with `input`. 0, or negative errno with a sentence.
 * Free the files in both cases. */
int recording_files__sort(struct recording_files *files, const char *const *paths, size_t count,
			  struct recorded_input *input, struct error *err);
void recording_files__free(struct recording_files *files);

/* Returns a descriptor, or negative errno with a sentence. */
int recording_file__open(const char *path, struct error *err);

/* -EINVAL with a sentence if the first line of the file is in the compact format, else 0. */
int recording_file__refuse_compact(const char *path, const char *line, size_t bytes,
				   struct error *err);

/* A name for messages: "standard input" or the path. */
const char *recording_file__shown(const char *path);

#endif
