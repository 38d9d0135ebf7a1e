// SPDX-License-Identifier: BSD-2-Clause
/* Lookups that take longer than the tracer waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steptrace/output/resolver.h"

static pid_t only_child(void)
{
	char path[64];
	FILE *file;
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	return pid;
}

/* The child is stopped, as in a lookup without an answer. The tracer asks again and again; this
 * must never wait for room in the queue. */
static void questions_do_not_wait_for_room(void **state)
{
	const struct host_port named = {.host = "127.0.0.1", .port = "5170"};
	struct resolver *resolver = resolver__start();
	struct address_list list = {.count = 0};
	int never[2], code = -ECANCELED;
	siginfo_t stopped;
	pid_t child;

	(void)state;
	assert_non_null(resolver);
	assert_int_equal(pipe2(never, O_CLOEXEC), 0);
	assert_int_equal(resolver__ask(resolver, &named, &list, never[0]), 0);
	child = only_child();
	assert_int_equal(kill(child, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)child, &stopped, WSTOPPED), 0);

	assert_int_equal(write(never[1], "", 1), 1); /* gives up at once */
	for (int i = 0; i < 5000 && code == -ECANCELED; i++)
		code = resolver__ask(resolver, &named, &list, never[0]);
	assert_int_equal(code, -EAGAIN);

	assert_int_equal(read(never[0], &(char){0}, 1), 1);
	assert_int_equal(kill(child, SIGCONT), 0);
	list.count = 0;
	while (resolver__ask(resolver, &named, &list, never[0]) == -EAGAIN)
		continue;
	assert_int_equal(list.count, 1);
	assert_int_equal(list.items[0].bytes.ss_family, AF_INET);
	resolver__close(resolver);
	close(never[0]);
	close(never[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_do_not_wait_for_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
