/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing to descriptors that do not wait by themselves, and waiting for them. */
#ifndef STEPTRACE_DESCRIPTOR_H
#define STEPTRACE_DESCRIPTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Of one who writes. Others end its waiting, and look whether it gets on. */
struct write_state {
	int give_up_fd;            /* borrowed; readable: do not wait any longer */
	bool is_socket;            /* which may wait by itself, for it is shared with others */
	atomic_bool is_bursty;     /* takes much, then nothing for a while: a connection */
	atomic_ullong moved_bytes; /* at all */
};

/* All of them; waits where it has to. 0; -ECANCELED: it had to, and was told to give up; or negative errno.
 * *written in any case. */
int descriptor__write(int fd, const char *bytes, size_t count, struct write_state *state,
		      size_t *written);

/* The number in "/dev/stdout", "/dev/stderr", "/dev/fd/N", "/proc/self/fd/N"; -1: it is another path. */
int descriptor__named(const char *path);

/* Of these bytes, those that are whole lines. */
size_t descriptor__whole_lines(const char *lines, size_t bytes);

/* Takes the last bytes of a regular file back: the part of a line that still went in. */
void descriptor__take_back(int fd, size_t bytes);

#endif
