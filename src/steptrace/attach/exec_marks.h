/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On which file systems execs are listened to.
 *
 * For each exec the kernel opens the file for the holder. If that open fails, the kernel refuses
 * the exec. So only file systems are marked where an open by root's child cannot fail and does not
 * wait for another machine or process: local ones. NFS refuses root (root_squash), and a FUSE file
 * system is a process that may wait for the exec itself.
 */
#ifndef STEPTRACE_EXEC_MARKS_H
#define STEPTRACE_EXEC_MARKS_H

#include <stdbool.h>

/* A fanotify descriptor, without marks, or negative errno. It needs CAP_SYS_ADMIN. */
int exec_marks__open(void);

/* Marks all local file systems that are mounted now. Returns how many, or negative errno: there is
 * none that can be marked. */
int exec_marks__add(int fanotify_fd);

/* Whether the kernel can let an exec wait: 0 or negative errno. Only an exec of the tracer's own
 * file would wait, until the descriptor is closed. */
int exec_marks__try(int fanotify_fd);

/* The kernel asks no more for this file, until its content changes. */
void exec_marks__leave_out(int fanotify_fd, int file_fd);

/* Whether the type of a file system, as /proc/self/mountinfo shows it, is a local one. */
bool exec_marks__is_local(const char *type);

/* Of a line of mountinfo the mount point, which lies within the line and changes it. NULL: the file
 * system is not local, or the line is none.
 *
 *	36 35 98:0 /root /mnt/point rw,noatime shared:1 - ext3 /dev/root rw
 */
char *exec_marks__mount_point(char *line);

#endif
