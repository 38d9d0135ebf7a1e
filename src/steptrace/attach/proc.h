/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether /proc shows this machine's processes, which steptrace cannot do without. */
#ifndef STEPTRACE_PROC_H
#define STEPTRACE_PROC_H

#include "common/error.h"

/* What to do where proc__check() fails. */
#define PROC_ADVICE "mount -t proc proc /proc"

/* 0, or -ENOENT with a sentence: nothing is mounted on /proc, or the process file system of a pid
 * namespace that steptrace is not in. */
int proc__check(struct error *err);

#endif
