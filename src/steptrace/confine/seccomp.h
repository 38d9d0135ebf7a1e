/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits the system calls of a recording, once it is attached, to those that it needs: to read
 * and write records, to attach to binaries that start later, and to end.
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

#endif
