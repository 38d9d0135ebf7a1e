/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the system calls of a recording, once it is attached, to those that it needs: to read
 * and write records, to attach to binaries that start later, and to end. And those of a child that
 * reads the files of traced processes.
 *
 * Any other call fails with EPERM and does not kill the tracer: an update of the C library may
 * bring a new call, and a recording should survive that.
 */
#ifndef STEPTRACE_SECCOMP_H
#define STEPTRACE_SECCOMP_H

#include "common/error.h"
#include "steptrace/confine/privilege.h"

/* Takes effect for good. Call it after privilege__drop(), which sets "no new privileges": seccomp
 * requires it. 0 or negative errno with a sentence. A kernel without seccomp is no error. */
int seccomp__confine(const struct privilege_needs *needs, struct error *err);

/* The same for a process that only reads files which it has been given, and answers over a socket:
 * it can open nothing, start nothing, and change nothing. */
int seccomp__confine_reader(struct error *err);

#endif
