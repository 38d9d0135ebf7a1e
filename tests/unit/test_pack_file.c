// SPDX-License-Identifier: BSD-2-Clause
/* The files of a pack: which are read, and what a message says of the others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/runner_fixture.h"
#include "runner/pack/pack_file.h"

enum { BYTES_MAX = 64 };

static struct fixture fixture;

static int set_up(void **state)
{
	(void)state;
	fixture__open(&fixture);
	fixture__write(&fixture, "pack/command.yaml", "name: T\n");
	fixture__write(&fixture, "secret.md", "secret");
	return chdir(fixture.directory);
}

static int tear_down(void **state)
{
	(void)state;
	fixture__close(&fixture);
	return chdir("/");
}

static void expect_text(const char *name, const char *expected)
{
	struct file_problem problem;
	size_t bytes;
	char *text;

	if (pack_file__read("pack", name, BYTES_MAX, &text, &bytes, &problem))
		fail_msg("%s", problem.sentence.text);
	assert_string_equal(text, expected);
	assert_int_equal(bytes, strlen(expected));
	free(text);
}

static void expect_error(const char *name, int code, const char *expected)
{
	struct file_problem problem;
	struct error err;
	char path[64], *text;
	size_t bytes;

	assert_int_equal(pack_file__read("pack", name, BYTES_MAX, &text, &bytes, &problem), code);
	assert_null(text);
	snprintf(path, sizeof(path), "pack/%s", name);
	file_problem__tell(&problem, code, path, &err);
	assert_string_equal(err.text, expected);
}

static void write_bytes(const char *path, const char *text, size_t bytes)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, bytes, file), bytes);
	assert_int_equal(fclose(file), 0);
}

static void text_is_read(void **state)
{
	(void)state;
	expect_text("command.yaml", "name: T\n");
	fixture__write(&fixture, "pack/empty", "");
	expect_text("empty", "");
	fixture__write(&fixture, "pack/marked", "\xef\xbb\xbfname: \xc3\xa9");
	expect_text("marked", "name: \xc3\xa9");
	fixture__write(&fixture, "pack/mark", "\xef\xbb\xbf");
	expect_text("mark", "");
}

static void text_that_is_none(void **state)
{
	(void)state;
	write_bytes("pack/nul", "a: 1\n\xc3\xa9 \0", 9);
	expect_error("nul", -EINVAL, "pack/nul:2:3: a NUL character is not text");
	fixture__write(&fixture, "pack/bytes", "a\n\nb: \xff");
	expect_error("bytes", -EINVAL, "pack/bytes:3:4: not valid UTF-8");
	fixture__write(&fixture, "pack/cut", "\xef\xbb\xbf\xe2\x82");
	expect_error("cut", -EINVAL, "pack/cut:1:1: not valid UTF-8");
}

static void sizes(void **state)
{
	char text[BYTES_MAX + 2];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[BYTES_MAX] = 0;
	fixture__write(&fixture, "pack/full", text);
	expect_text("full", text);
	text[BYTES_MAX] = 'x';
	text[BYTES_MAX + 1] = 0;
	fixture__write(&fixture, "pack/larger", text);
	expect_error("larger", -E2BIG, "pack/larger: larger than 64 bytes");
}

/* Opening a FIFO would wait for a writer. */
static void files_that_are_no_text(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("pack/fifo", 0600), 0);
	expect_error("fifo", -EINVAL, "pack/fifo: not a regular file");
	assert_int_equal(mkdir("pack/folder", 0700), 0);
	expect_error("folder", -EINVAL, "pack/folder: not a regular file");
	expect_error("missing", -ENOENT, "pack/missing: cannot be read: No such file or directory");
}

static void symbolic_links(void **state)
{
	(void)state;
	assert_int_equal(symlink("command.yaml", "pack/inside"), 0);
	expect_text("inside", "name: T\n");
	assert_int_equal(symlink("../secret.md", "pack/outside"), 0);
	expect_error("outside", -EINVAL,
		     "pack/outside: a symbolic link that leads out of the pack");
	assert_int_equal(symlink("/dev/zero", "pack/device"), 0);
	expect_error("device", -EINVAL, "pack/device: a symbolic link that leads out of the pack");
	assert_int_equal(symlink("..", "pack/prompts"), 0);
	expect_error("prompts/secret.md", -EINVAL,
		     "pack/prompts/secret.md: a symbolic link that leads out of the pack");
}

/* A prompt that leads out of its pack fails the pack. */
static void a_pack_with_such_a_prompt(void **state)
{
	(void)state;
	fixture__write(&fixture, "prompts/a.md", "fine");
	assert_int_equal(fixture__run(&fixture, "- {id: a, type: notify, message: x}", NULL), 0);
	assert_int_equal(unlink("prompts/a.md"), 0);
	assert_int_equal(symlink("/etc/passwd", "prompts/a.md"), 0);
	assert_int_equal(fixture__run(&fixture, "- {id: a, type: notify, message: x}", NULL),
			 -EINVAL);
	assert_non_null(strstr(fixture.err.text, "leads out of the pack"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(text_is_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(text_that_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_that_are_no_text, set_up, tear_down),
		cmocka_unit_test_setup_teardown(symbolic_links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_pack_with_such_a_prompt, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
