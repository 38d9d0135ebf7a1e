/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages with descriptors, over a Unix socket that keeps the limits of messages (SOCK_SEQPACKET).
 */
#ifndef STEPTRACE_COMMON_FD_MESSAGE_H
#define STEPTRACE_COMMON_FD_MESSAGE_H

#include <stddef.h>
#include <sys/types.h>

enum { FD_MESSAGE_FDS_MAX = 16 };

/* `count` may be 0. 0 or negative errno. */
int fd_message__send(int socket, const void *bytes, size_t size_bytes, const int *fds,
		     size_t count);
/* Does not wait: -EAGAIN if the socket has no room. */
int fd_message__try_send(int socket, const void *bytes, size_t size_bytes, const int *fds,
			 size_t count);

/*
 * Waits for a message. Returns its size in bytes, and *count descriptors in `fds`, which the caller
 * closes. 0: the other end was closed. Negative errno with no descriptors: -EMFILE where this
 * process has no room for all of them; then those that came are closed, and `bytes` has the
 * content.
 */
ssize_t fd_message__receive(int socket, void *bytes, size_t size_bytes, int fds[FD_MESSAGE_FDS_MAX],
			    size_t *count);
/* Does not wait: -EAGAIN if there is no message. */
ssize_t fd_message__try_receive(int socket, void *bytes, size_t size_bytes,
				int fds[FD_MESSAGE_FDS_MAX], size_t *count);

#endif
