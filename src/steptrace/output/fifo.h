/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the reader of a FIFO leaves unread stays in it, for the next reader, while a writer has it
 * open. It may begin in the middle of a line.
 */
#ifndef STEPTRACE_FIFO_H
#define STEPTRACE_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Whether the descriptor is a FIFO or pipe. */
bool fifo__is(int fd);

/* How many unread bytes are in it. */
size_t fifo__unread_bytes(int fd);

/* Reads what is in it, and drops it. To be called when it has no reader. Returns how many bytes
 * there were; -EACCES: this user may not read it; or another negative errno. */
ssize_t fifo__empty(int fd);

#endif
