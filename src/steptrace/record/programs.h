/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which program a process runs: the path behind /proc/PID/exe. An answer is kept for a second,
 * because a process may execute another program, or end and leave its pid to another process.
 */
#ifndef STEPTRACE_PROGRAMS_H
#define STEPTRACE_PROGRAMS_H

#include <stdint.h>

struct programs;

/* NULL: no memory. */
struct programs *programs__new(void);
void programs__free(struct programs *programs);

/* The path, valid until the next call. NULL: not known, because the process has ended, or belongs
 * to another user. `context` is a struct programs. */
const char *programs__path(void *context, uint32_t pid);

#endif
