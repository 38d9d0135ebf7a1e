/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opening a file that a process executes from. /proc is asked for a thread that has it mapped: where
 * the first thread has ended before the others, there is nothing behind the process's own number.
 *
 *	/proc/PID/map_files/START-END	any mapping; needs CAP_CHECKPOINT_RESTORE
 *	/proc/PID/exe			the program
 *	/proc/PID/root + path		what the process calls it: only a guess
 *
 * Whatever was opened is compared with what the kernel maps when the file is mapped: a process that
 * moves on, or names another file, gets nothing opened in its place.
 */
#ifndef STEPTRACE_MAPPED_FILE_H
#define STEPTRACE_MAPPED_FILE_H

#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/binary.h"
#include "steptrace/capture/capture.h"

/* 0 and *binary, which the caller owns; -ENOEXEC, -EBADMSG: it was read, see binary__open(); any
 * other negative errno: it could not be opened. */
int mapped_file__open(struct capture *capture, const struct steptrace_mapping *mapping,
		      struct binary **binary, struct error *err);

/* The program that a process began to execute, and what the kernel maps for it; also of a process
 * that has ended meanwhile, where its file is still what its name says. */
int mapped_file__open_program(struct capture *capture, const struct process_exec *exec,
			      struct binary **binary, struct steptrace_file *file,
			      struct error *err);

#endif
