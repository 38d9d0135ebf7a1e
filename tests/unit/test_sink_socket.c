// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "steptrace/output/sink.h"

enum { LINE_BYTES = 999, LINES = 4000, FIRST_BYTES = 100000 };

static char folder[] = "/tmp/steptrace-test-socket-XXXXXX", where[128], *lines;

/* Two connections, one after the other. Of the first it reads some bytes only. */
static struct reader {
	int listener;
	pthread_t thread;
	char *first, *second;
	size_t first_bytes, second_bytes;
} reader;

static size_t read_some(int fd, char *bytes, size_t most)
{
	size_t count = 0;
	ssize_t got;

	while (count < most && (got = read(fd, bytes + count, most - count)) > 0)
		count += (size_t)got;
	return count;
}

static void *serve(void *argument)
{
	int fd = accept(reader.listener, NULL, NULL);

	reader.first_bytes = read_some(fd, reader.first, FIRST_BYTES);
	close(fd);
	fd = accept(reader.listener, NULL, NULL);
	reader.second_bytes = read_some(fd, reader.second, LINES * LINE_BYTES);
	close(fd);
	return argument;
}

static int set_up(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)state;
	lines = malloc(LINES * LINE_BYTES + 1);
	reader.first = malloc(FIRST_BYTES);
	reader.second = malloc(LINES * LINE_BYTES);
	if (!mkdtemp(folder) || !lines || !reader.first || !reader.second)
		return -1;
	for (int i = 0; i < LINES; i++)
		sprintf(lines + (ptrdiff_t)i * LINE_BYTES, "%0*d\n", LINE_BYTES - 1, i);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
	snprintf(where, sizeof(where), "unix:%s", address.sun_path);
	reader.listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(reader.listener, (const struct sockaddr *)&address, sizeof(address)) ||
	    listen(reader.listener, 2))
		return -1;
	return pthread_create(&reader.thread, NULL, serve, NULL) ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(reader.listener);
	unlink(where + strlen("unix:"));
	free(lines);
	free(reader.first);
	free(reader.second);
	return rmdir(folder);
}

/* As the writer does it. Returns the number of calls. */
static int write_all(struct sink *sink)
{
	size_t at = 0, bytes = (size_t)LINES * LINE_BYTES;
	struct error err = {""};
	int calls = 0, code;

	do {
		size_t written;

		code = sink__write(sink, lines + at, bytes - at, &written, &err);
		assert_int_equal(written % LINE_BYTES, 0);
		at += written;
		sink->lost_bytes = 0;
		calls++;
	} while (code == -EAGAIN);
	assert_int_equal(code, 0);
	assert_int_equal(at, bytes);
	return calls;
}

/* The first connection breaks in the middle of a line. This line is not counted as written, and the
 * next connection begins with it. */
static void a_line_that_broke_off_is_sent_again(void **state)
{
	const struct sink_options options = {.where = where};
	int give_up_fd = eventfd(0, 0);
	struct error err = {""};
	struct sink *sink;
	size_t begins;

	(void)state;
	assert_int_equal(sink__open(&options, &sink, &err), 0);
	sink->write_state.give_up_fd = give_up_fd;
	assert_true(write_all(sink) > 1);
	sink__close(sink);
	close(give_up_fd);
	pthread_join(reader.thread, NULL);

	assert_int_equal(reader.first_bytes, FIRST_BYTES);
	assert_memory_equal(reader.first, lines, FIRST_BYTES);
	assert_int_equal(reader.second_bytes % LINE_BYTES, 0);
	begins = (size_t)LINES * LINE_BYTES - reader.second_bytes;
	assert_true(begins >= FIRST_BYTES - LINE_BYTES);
	assert_memory_equal(reader.second, lines + begins, reader.second_bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_line_that_broke_off_is_sent_again, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("sink_socket", tests, NULL, NULL);
}
