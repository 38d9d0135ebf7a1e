// SPDX-License-Identifier: BSD-2-Clause
#include "common/fd_message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr header; /* for its alignment */
	char bytes[CMSG_SPACE(FD_MESSAGE_FDS_MAX * sizeof(int))];
};

static int send_message(int socket, int flags, const void *bytes, size_t size_bytes, const int *fds,
			size_t count)
{
	struct iovec content = {(void *)bytes, size_bytes};
	struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1};
	union control control;
	ssize_t sent;

	if (count > FD_MESSAGE_FDS_MAX)
		return -E2BIG;
	if (count > 0) {
		memset(&control, 0, sizeof(control));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(count * sizeof(*fds));
		memcpy(CMSG_DATA(&control.header), fds, count * sizeof(*fds));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof(*fds));
	}
	do
		sent = sendmsg(socket, &message, MSG_NOSIGNAL | flags);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

int fd_message__send(int socket, const void *bytes, size_t size_bytes, const int *fds, size_t count)
{
	return send_message(socket, 0, bytes, size_bytes, fds, count);
}

int fd_message__try_send(int socket, const void *bytes, size_t size_bytes, const int *fds,
			 size_t count)
{
	return send_message(socket, MSG_DONTWAIT, bytes, size_bytes, fds, count);
}

static size_t take_fds(const union control *control, const struct msghdr *message, int *fds)
{
	size_t bytes;

	if (message->msg_controllen < sizeof(control->header) ||
	    control->header.cmsg_level != SOL_SOCKET || control->header.cmsg_type != SCM_RIGHTS)
		return 0;
	bytes = control->header.cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(&control->header), bytes);
	return bytes / sizeof(*fds);
}

static ssize_t receive(int socket, int flags, void *bytes, size_t size_bytes,
		       int fds[FD_MESSAGE_FDS_MAX], size_t *count)
{
	struct iovec content = {bytes, size_bytes};
	union control control;
	struct msghdr message = {.msg_iov = &content,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t received;

	*count = 0;
	do
		received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | flags);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return -errno;
	*count = take_fds(&control, &message, fds);
	if (!(message.msg_flags & MSG_CTRUNC))
		return received;
	while (*count > 0) /* the kernel left out those that found no room */
		close(fds[--*count]);
	return -EMFILE;
}

ssize_t fd_message__receive(int socket, void *bytes, size_t size_bytes, int fds[FD_MESSAGE_FDS_MAX],
			    size_t *count)
{
	return receive(socket, 0, bytes, size_bytes, fds, count);
}

ssize_t fd_message__try_receive(int socket, void *bytes, size_t size_bytes,
				int fds[FD_MESSAGE_FDS_MAX], size_t *count)
{
	return receive(socket, MSG_DONTWAIT, bytes, size_bytes, fds, count);
}
