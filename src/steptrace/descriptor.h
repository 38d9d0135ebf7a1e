/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing to descriptors that never wait by themselves, and waiting for them. */
#ifndef STEPTRACE_DESCRIPTOR_H
#define STEPTRACE_DESCRIPTOR_H

#include <stddef.h>

/* Until it takes bytes (`events` POLLOUT) or has some (POLLIN). 0; -ECANCELED: `give_up_fd` said so;
 * or negative errno. */
int descriptor__await(int fd, short events, int give_up_fd);

/* All of them; waits where it has to. 0 or negative errno; *written in any case. */
int descriptor__write(int fd, const char *bytes, size_t count, int give_up_fd, size_t *written);

/* Of these bytes, those that are whole lines. */
size_t descriptor__whole_lines(const char *lines, size_t bytes);

/* Takes the last bytes of a regular file back: the part of a line that still went in. */
void descriptor__take_back(int fd, size_t bytes);

#endif
