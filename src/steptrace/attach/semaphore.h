/* SPDX-License-Identifier: BSD-2-Clause */
/* The counter of a binary in the memory of one process: the kernel raises it for each tracer that
 * is attached there. */
#ifndef STEPTRACE_SEMAPHORE_H
#define STEPTRACE_SEMAPHORE_H

#include <stdint.h>
#include <sys/types.h>

#include "steptrace/attach/binary.h"

/* `tid` is a thread of the process that shows its memory (process_maps__thread). 0; -ENOENT: the
 * binary has no semaphore, or it is not mapped; another negative errno: it cannot be read. */
int semaphore__read(pid_t tid, const struct binary *binary, uint16_t *counter);

#endif
