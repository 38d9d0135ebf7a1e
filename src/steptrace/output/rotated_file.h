/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The regular file at the path of an output, and when another file takes its place:
 *
 *	rotation   the file is too large or too old; it is renamed and a new file is made
 *	SIGHUP     logrotate renamed the file; the path is opened again
 *	no notice  another process renamed or removed the file; found within a second by a write
 *
 * When no other file can be opened, the present one is still written to. It always contains at
 * least one line before it rotates. Times are CLOCK_MONOTONIC in ns, sizes are in bytes on the
 * disk.
 *
 * The caller writes to `fd` and adds to `bytes` and `has_lines`. After every call it looks at
 * `is_new`, writes the header of the new file and clears the flag.
 */
#ifndef STEPTRACE_ROTATED_FILE_H
#define STEPTRACE_ROTATED_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/output/sink.h"

struct rotated_file {
	struct sink_options options; /* where: the path, borrowed */
	int fd;                      /* owned; -1: none */
	uint64_t bytes;              /* its size */
	bool is_new;                 /* its header is not written yet */
	bool has_lines;              /* besides the header */
	uint64_t begun_ns;           /* when its first line after the header was written */
	uint64_t age_before_ns;      /* of a file that had lines already when it was opened */
	uint64_t tried_ns;           /* when rotating it failed last */
	mode_t mode;                 /* of the last file: the next one gets them, too */
	gid_t group;                 /* FILE_GROUP_ANY: none that has to be kept */
	bool said_looks;             /* that a file could not be given mode and group */
	uint64_t checked_ns;         /* when it was last seen to be the file at the path */
	bool is_stuck; /* rotating it or opening the path again failed; that is logged once */
	struct error reopen_error; /* why the path could not be opened again; empty: it could */
};

/*
 * Opens the file, or makes it. First it is checked that the user that the tracer will become may
 * rotate it; else nothing is made. An existing file has to end with a whole line (a
 * whole member, when the name ends with ".gz"); a torn one is renamed when rotation is on, else
 * refused. 0, or negative errno with a sentence in `err`; rotated_file__close() in any case.
 */
int rotated_file__open(struct rotated_file *file, const struct sink_options *options,
		       struct error *err);
void rotated_file__close(struct rotated_file *file);

/* Opens the path again; a failure is logged. */
void rotated_file__reopen(struct rotated_file *file);

/* Lines were written behind the header. Its age counts from the first of them. */
void rotated_file__took_lines(struct rotated_file *file, uint64_t now_ns);

/* Before lines are written: opens the path again when another file is there, and rotates a file
 * that is too old. 0; or -ENOENT with a sentence: the file was removed and no other one can be
 * made, so that everything that is written would be lost. */
int rotated_file__check(struct rotated_file *file, uint64_t now_ns, struct error *err);

/* Rotates when so many bytes more would make it larger than its limit. */
void rotated_file__make_room(struct rotated_file *file, size_t bytes, uint64_t now_ns);

/* How many bytes it may grow by; SIZE_MAX: no limit. */
size_t rotated_file__room(const struct rotated_file *file);

void rotated_file__rotate_if_old(struct rotated_file *file, uint64_t now_ns);

/* In how many ns it will be too old; UINT64_MAX: never, as it is. */
uint64_t rotated_file__old_in_ns(const struct rotated_file *file, uint64_t now_ns);

#endif
