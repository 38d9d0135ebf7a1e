/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which system calls a recording may make once it is attached: those of its loop, of attaching to
 * what starts later, and of its end. Everything else fails with EPERM: a tracer that dies because
 * its C library was updated helps nobody, and one that can do nothing harms nobody.
 */
#ifndef STEPTRACE_SECCOMP_H
#define STEPTRACE_SECCOMP_H

#include "common/error.h"
#include "steptrace/confine/privilege.h"

/* For good. After privilege__drop(): it wants "no new privileges". 0 or negative errno with a
 * sentence; a kernel without seccomp is no error. */
int seccomp__confine(const struct privilege_needs *needs, struct error *err);

#endif
