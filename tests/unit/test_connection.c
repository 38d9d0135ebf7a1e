// SPDX-License-Identifier: BSD-2-Clause
/* What a peer sends is read and forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "steptrace/output/connection.h"

static int unread_bytes(int fd)
{
	int bytes = 0;

	assert_int_equal(ioctl(fd, FIONREAD, &bytes), 0);
	return bytes;
}

/* Otherwise a peer that sends without end would keep the thread in the call. */
static void only_some_input_is_read_at_once(void **state)
{
	static const char bytes[1 << 16];
	struct connection connection = {.fd = -1};
	struct error why;
	int sockets[2], before;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	connection.fd = sockets[0];
	assert_true(send(sockets[1], bytes, sizeof(bytes), 0) == sizeof(bytes));
	assert_int_equal(connection__ignore_input(&connection, &why), 0);
	before = unread_bytes(sockets[0]);
	assert_in_range(before, 1, sizeof(bytes) - 1);
	while (unread_bytes(sockets[0]) > 0)
		assert_int_equal(connection__ignore_input(&connection, &why), 0);
	close(sockets[1]);
	assert_true(connection__ignore_input(&connection, &why) < 0);
	connection__close(&connection);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_some_input_is_read_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
