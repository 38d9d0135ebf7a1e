/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens a file that a process executes from.
 *
 *	/proc/TID/map_files/START-END	any mapping; needs CAP_CHECKPOINT_RESTORE
 *	/proc/TID/exe			only the program
 *	/proc/TID/root + path		the path that the process shows: only a guess
 *
 * TID is a thread that has the file mapped: when the first thread of a process has ended before
 * the others, /proc/PID shows no mappings.
 *
 * The opened file is compared with the file that the kernel reported (capture__identify). So when
 * the process executes another program meanwhile, or shows a wrong path, the result is an error
 * and not another file.
 */
#ifndef STEPTRACE_MAPPED_FILE_H
#define STEPTRACE_MAPPED_FILE_H

#include <stdint.h>

#include "common/error.h"
#include "steptrace/attach/binary.h"
#include "steptrace/capture/capture.h"

/*
 * Opens the file of a mapping. Returns 0 and *binary, which the caller owns, or negative errno
 * with a sentence. -ENOEXEC and -EBADMSG: the file was read and is unusable, see binary__open().
 * Any other error: the file could not be opened.
 */
int mapped_file__open(struct capture *capture, const struct steptrace_mapping *mapping,
		      struct binary **binary, struct error *err);

/*
 * Opens the program that a process began to execute. Returns as mapped_file__open(), and *file:
 * how the kernel knows it. Where the process has ended meanwhile, the path of the exec is tried.
 */
int mapped_file__open_program(struct capture *capture, const struct process_exec *exec,
			      struct binary **binary, struct steptrace_file *file,
			      struct error *err);

#endif
