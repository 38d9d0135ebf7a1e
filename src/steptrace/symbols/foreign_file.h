/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens files that traced processes name.
 *
 * The names and folders are foreign: any of them may be a symbolic link to a file of another user,
 * a FIFO without a writer, or a device. So no symbolic link is followed, and the path never leaves
 * the folder where it begins. Each file is opened without access first (O_PATH). Only a regular
 * file is then opened for reading.
 */
#ifndef STEPTRACE_FOREIGN_FILE_H
#define STEPTRACE_FOREIGN_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

/* The root directory of the process, for the calls below. Descriptor or negative errno. */
int foreign_file__root(pid_t pid);

/*
 * Opens a file below the folder `root` for reading. Slashes at the beginning of `path` are passed
 * over. Returns a descriptor that the caller closes, and its *status; or negative errno: -ELOOP for
 * a symbolic link or "..", -EINVAL for what is not a regular file.
 */
int foreign_file__open_below(int root, const char *path, struct stat *status);

/* The same for a path of the tracer itself, such as /proc/PID/map_files/…, whose links are
 * followed. */
int foreign_file__open(const char *path, struct stat *status);

#endif
