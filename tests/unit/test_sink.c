// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "common/clock.h"
#include "steptrace/output/rotation.h"
#include "steptrace/output/sink.h"

static char folder[64], path[128];

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/steptrace-test-sink-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	chmod(folder, 0777); /* the user nobody rotates files here */
	snprintf(path, sizeof(path), "%s/events.gz", folder);
	return 0;
}

static int tear_down(void **state)
{
	char name[4096];

	(void)state;
	unlink(path);
	for (unsigned int number = 1; rotation__name(name, path, number); number++)
		if (unlink(name))
			break;
	return rmdir(folder);
}

static void check_kind(const char *where, bool drops, bool connects, bool makes_files)
{
	const struct sink_kind *kind = sink__kind(where);

	assert_int_equal(kind->drops, drops);
	assert_int_equal(kind->connects, connects);
	assert_int_equal(kind->makes_files, makes_files);
}

static void a_kind_is_chosen_by_the_text(void **state)
{
	(void)state;
	check_kind(NULL, false, false, false);
	check_kind("-", false, false, false);
	check_kind("/dev/null", false, false, false);
	check_kind("/dev/fd/7", false, false, false);
	check_kind("unix:/run/x", true, true, false);
	check_kind("tcp:localhost:7", true, true, false);
	check_kind("tls:localhost:7", true, true, false);
	check_kind("kafka:localhost:7/t", true, true, false);
	check_kind("./tcp:localhost:7", false, false, true);
	check_kind("/nonesuch/events.ndjson", false, false, true);
}

static void an_unknown_prefix_is_refused_with_a_list(void **state)
{
	const struct sink_options options = {.where = "udp:localhost:7"};
	struct error err = {""};
	struct sink *sink = NULL;

	(void)state;
	assert_int_equal(sink__open(&options, &sink, &err), -EINVAL);
	assert_non_null(strstr(err.text, "tcp:HOST:PORT"));
	assert_non_null(strstr(err.text, "FILE.gz"));
	assert_non_null(strstr(err.text, "'./udp:localhost:7'"));
}

static size_t open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

static void a_refused_descriptor_stays_closed(void **state)
{
	struct sink_options options = {.where = path};
	size_t before = open_descriptors();
	struct error err = {""};
	struct sink *sink = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", fds[0]);
	assert_int_equal(sink__open(&options, &sink, &err), -EBADF);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(open_descriptors(), before);
}

/* Lines that do not compress well. */
static char *random_lines(size_t lines_count, size_t *bytes)
{
	char *text = malloc(lines_count * 41);

	assert_non_null(text);
	srand(7);
	*bytes = 0;
	for (size_t i = 0; i < lines_count; i++) {
		for (int word = 0; word < 5; word++)
			*bytes += (size_t)sprintf(text + *bytes, "%08x",
						  (unsigned int)rand() * 2654435761u);
		text[(*bytes)++] = '\n';
	}
	return text;
}

/* Appends the text of a gzip file; its size on the disk is within the limit. */
static void read_file(const char *name, char *text, size_t *bytes, off_t limit)
{
	struct stat status;
	gzFile file = gzopen(name, "rb");
	int got;

	assert_non_null(file);
	assert_int_equal(stat(name, &status), 0);
	assert_in_range(status.st_size, 1, limit);
	while ((got = gzread(file, text + *bytes, 65536)) > 0)
		*bytes += (size_t)got;
	assert_int_equal(got, 0);
	gzclose(file);
}

/* One write of lines whose member would be several times as large as a file may be. */
static void members_are_not_larger_than_a_file(void **state)
{
	const struct sink_options options = {.where = path, .rotate_bytes = 8192};
	size_t bytes, written = 0, read_bytes = 0;
	char *lines = random_lines(2000, &bytes), *text = calloc(1, bytes + (1 << 20)), name[4096];
	unsigned int files = 0;
	struct error err = {""};
	struct sink *sink;

	(void)state;
	assert_non_null(text);
	assert_int_equal(sink__open(&options, &sink, &err), 0);
	assert_int_equal(sink__write(sink, lines, bytes, &written, &err), 0);
	assert_int_equal(written, bytes);
	sink__close(sink);

	while (rotation__name(name, path, files + 1) && access(name, F_OK) == 0)
		files++;
	assert_true(files >= 5);
	for (unsigned int number = files; number > 0; number--) {
		rotation__name(name, path, number);
		read_file(name, text, &read_bytes, 8192);
	}
	read_file(path, text, &read_bytes, 8192);
	assert_int_equal(read_bytes, bytes);
	assert_memory_equal(text, lines, bytes);
	free(text);
	free(lines);
}

static void put_line(struct sink *sink)
{
	struct error err = {""};
	size_t written;

	assert_int_equal(sink__write(sink, "line\n", 5, &written, &err), 0);
	assert_int_equal(written, 5);
}

static void pass(uint64_t ns)
{
	uint64_t until_ns = clock__now_ns() + ns;

	while (clock__now_ns() < until_ns)
		usleep(1000);
}

static bool is_rotated(unsigned int number)
{
	char name[4096];

	return rotation__name(name, path, number) && access(name, F_OK) == 0;
}

/* A write finds that the file is too old, also when the timer of the sink did not get its turn. The
 * age counts from the first line: a file that has waited for it is not too old at once. */
static void age_counts_from_the_first_line(void **state)
{
	const uint64_t age_ns = 50000000;
	const struct sink_options options = {.where = path, .rotate_age_ns = age_ns};
	struct error err = {""};
	struct sink *sink;

	(void)state;
	path[strlen(path) - strlen(".gz")] = 0;
	assert_int_equal(sink__open(&options, &sink, &err), 0);
	pass(2 * age_ns);
	assert_true(sink__timer_ns(sink) == UINT64_MAX);
	put_line(sink);
	assert_true(sink__timer_ns(sink) <= age_ns);
	put_line(sink);
	assert_false(is_rotated(1));
	pass(age_ns);
	assert_true(sink__timer_ns(sink) == 0);
	put_line(sink);
	assert_true(is_rotated(1));
	pass(age_ns);
	sink->ops->on_timer(sink);
	assert_true(is_rotated(2));
	sink__close(sink);
}

/* Whatever the umask is, and also when the former file was changed. */
static void a_file_looks_like_the_one_before(void **state)
{
	struct sink_options options = {.where = path, .rotate_bytes = 4096, .file_mode = 0664};
	mode_t former = umask(077);
	struct error err = {""};
	struct stat status;
	struct sink *sink;
	char name[4096];

	(void)state;
	assert_int_equal(sink__open(&options, &sink, &err), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0664);
	sink__close(sink);
	assert_int_equal(unlink(path), 0);

	options.file_mode = 0;
	assert_int_equal(sink__open(&options, &sink, &err), 0);
	assert_int_equal(chmod(path, 0646), 0);
	put_line(sink);
	assert_true(rotation__name(name, path, 1));
	assert_int_equal(rename(path, name), 0);
	sink->ops->reopen(sink);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0646);
	sink__close(sink);
	umask(former);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_is_chosen_by_the_text),
		cmocka_unit_test(an_unknown_prefix_is_refused_with_a_list),
		cmocka_unit_test(a_refused_descriptor_stays_closed),
		cmocka_unit_test_setup_teardown(members_are_not_larger_than_a_file, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(age_counts_from_the_first_line, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_file_looks_like_the_one_before, set_up,
						tear_down),
	};

	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
