// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/output/outputs.h"
#include "stream_fixture.h"

static int threads_left = -1; /* how many may be started; -1: any number */

/* Takes the place of that of the C library. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
		   void *argument)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = NULL;
	void *found = dlsym(RTLD_NEXT, "pthread_create");

	memcpy(&real, &found, sizeof(real));
	if (threads_left == 0)
		return EAGAIN;
	threads_left -= threads_left > 0;
	return real(thread, attributes, run, argument);
}

static size_t running_threads(void)
{
	DIR *folder = opendir("/proc/self/task");
	const struct dirent *entry;
	size_t count = 0;

	assert_non_null(folder);
	while ((entry = readdir(folder)))
		count += entry->d_name[0] != '.';
	closedir(folder);
	return count;
}

/* The thread of the first output runs already when that of the second cannot be started. */
static void a_thread_ends_before_its_output_is_freed(void **state)
{
	char folder[] = "/tmp/steptrace-test-outputs-XXXXXX", paths[2][64];
	struct output_options options[2] = {{.queue_bytes = 1 << 20}, {.queue_bytes = 1 << 20}};
	struct stream *stream = json_stream();
	size_t threads = running_threads();
	struct outputs outputs;
	struct error err = {""};

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < 2; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s/%d", folder, i);
		options[i].sink.where = paths[i];
	}
	assert_int_equal(outputs__open(&outputs, options, 2, &err), 0);
	assert_int_equal(outputs__set_header(&outputs, stream, &err), 0);
	threads_left = 1;
	assert_int_equal(outputs__start(&outputs, stream, &err), -EAGAIN);
	threads_left = -1;
	assert_non_null(strstr(err.text, "cannot start a thread"));
	outputs__close(&outputs);
	assert_int_equal(running_threads(), threads);
	stream__free(stream);
	unlink(paths[0]);
	unlink(paths[1]);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_ends_before_its_output_is_freed),
	};

	return cmocka_run_group_tests_name("outputs", tests, NULL, NULL);
}
