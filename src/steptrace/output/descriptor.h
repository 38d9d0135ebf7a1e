/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes to non-blocking descriptors. When the kernel takes no more bytes, a write waits for room,
 * until another thread ends the waiting.
 */
#ifndef STEPTRACE_DESCRIPTOR_H
#define STEPTRACE_DESCRIPTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The state of one writer. Other threads end its waiting and observe its progress. */
struct write_state {
	int give_up_fd;              /* borrowed; when it is readable, writes do not wait */
	bool is_socket;              /* send() is used, since other processes share its flags */
	atomic_bool is_connection;   /* a peer that may pause longer (see output.c) */
	bool judges_itself;          /* the sink itself decides when to give up its peer */
	atomic_bool is_ending;       /* the recording waits for the end of the output */
	atomic_ullong written_bytes; /* so far */
};

/* Writes all bytes, and waits for room as often as necessary. 0; -ECANCELED: there was no room, and
 * give_up_fd was readable; or the negative errno of write(). *written is set in any case. */
int descriptor__write(int fd, const char *bytes, size_t count, struct write_state *state,
		      size_t *written);

/* Waits for one of the events of poll(). 0: the caller tries again; it may have been in vain, since
 * the function returns after a moment in any case. -ECANCELED: give_up_fd was readable. */
int descriptor__await(int fd, short events, int give_up_fd);

/* The number of the descriptor that "/dev/stdout", "/dev/stderr", "/dev/fd/N" or "/proc/self/fd/N"
 * names; -1: another path. */
int descriptor__named(const char *path);

/* How many of the bytes are whole lines. */
size_t descriptor__whole_lines(const char *lines, size_t bytes);

/* Removes the last bytes of a regular file: the beginning of a line whose rest could not be
 * written. Does nothing for other files. */
void descriptor__take_back(int fd, size_t bytes);

#endif
