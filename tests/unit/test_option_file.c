// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/option_file.h"
#include "common/option_groups.h"

static char path[] = "/tmp/test_option_file.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static int read_bytes(struct option_file *file, const char *bytes, size_t count, struct error *err)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, count, out), count);
	assert_int_equal(fclose(out), 0);
	return option_file__read(file, path, err);
}

static void check_line(const struct option_line *line, unsigned int number, const char *name,
		       const char *value)
{
	assert_int_equal(line->number, number);
	assert_string_equal(line->name, name);
	if (value)
		assert_string_equal(line->value, value);
	else
		assert_null(line->value);
}

static void lines(void **state)
{
	static const char text[] = "# a comment\n"
				   "\n"
				   "output /var/log/x y.ndjson  \t# rest of the line\n"
				   "\tfailed# no\n"
				   "failed #yes\n"
				   "label a=b#c\n"
				   "label\t\"a = # b \" # quoted\n"
				   "label \"\"\n"
				   "last end";
	struct option_file file;

	(void)state;
	assert_int_equal(read_bytes(&file, text, sizeof(text) - 1, NULL), 0);
	assert_int_equal(file.count, 7);
	check_line(&file.lines[0], 3, "output", "/var/log/x y.ndjson");
	check_line(&file.lines[1], 4, "failed#", "no");
	check_line(&file.lines[2], 5, "failed", NULL);
	check_line(&file.lines[3], 6, "label", "a=b#c");
	check_line(&file.lines[4], 7, "label", "a = # b ");
	check_line(&file.lines[5], 8, "label", "");
	check_line(&file.lines[6], 9, "last", "end");
	option_file__free(&file);
}

static void refuses(const char *bytes, size_t count, int code, const char *words)
{
	struct option_file file;
	struct error err = {""};

	assert_int_equal(read_bytes(&file, bytes, count, &err), code);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not contain '%s'", err.text, words);
	assert_null(file.text);
}

#define REFUSES(text, code, words) refuses(text, sizeof(text) - 1, code, words)

static void wrong_lines(void **state)
{
	(void)state;
	REFUSES("a b\n--queue 5\n", -EINVAL, ":2: write '--queue' without dashes");
	REFUSES("queue=5", -EINVAL, ":1: write a blank instead of '='");
	REFUSES("label \"a", -EINVAL, ":1: the value has no closing \"");
	REFUSES("label \"a\" b", -EINVAL, ":1: there is text after the closing \"");
	REFUSES("label \"a\"#b", -EINVAL, ":1: there is text after the closing \"");
	REFUSES("all\r\n", -EINVAL, ":1: the line has a control character");
	REFUSES("\nall\0x\n", -EINVAL, ":2: the line has a control character");
}

static void limits(void **state)
{
	static char large[OPTION_FILE_BYTES_MAX + 1];
	char many[4 * OPTION_FILE_LINES_MAX + 4] = "";
	struct option_file file;

	(void)state;
	memset(large, '#', sizeof(large));
	assert_int_equal(read_bytes(&file, large, sizeof(large) - 1, NULL), 0);
	assert_int_equal(file.count, 0);
	option_file__free(&file);
	refuses(large, sizeof(large), -E2BIG, "more than 65536 bytes");

	for (int i = 0; i < OPTION_FILE_LINES_MAX; i++)
		memcpy(many + 4 * i, "all\n", 4);
	assert_int_equal(read_bytes(&file, many, sizeof(many) - 4, NULL), 0);
	assert_int_equal(file.count, OPTION_FILE_LINES_MAX);
	option_file__free(&file);
	memcpy(many + sizeof(many) - 4, "all\n", 4);
	refuses(many, sizeof(many), -E2BIG, ":513: there are more than 512 options");
}

static void files(void **state)
{
	struct option_file file;
	struct error err;

	(void)state;
	assert_int_equal(option_file__read(&file, "/nonexistent", &err), -ENOENT);
	assert_non_null(strstr(err.text, "'/nonexistent': No such file"));
	assert_int_equal(option_file__read(&file, "/tmp", &err), -EINVAL);
	assert_non_null(strstr(err.text, "not a regular file"));
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0); /* it must not wait for a writer */
	assert_int_equal(option_file__read(&file, path, &err), -EINVAL);
}

/* ---- one option by its name */

struct job {
	bool dry_run;
	const char *name;
	uint64_t bytes;
};

static const struct option_row job_rows[] = {
	{{0, "dry-run", NULL, "change nothing"}, OPTION_STORES(FLAG, struct job, dry_run)},
	{{'n', "name", "NAME", "call it NAME"}, OPTION_STORES(TEXT, struct job, name)},
	{{0, "size", "SIZE", "use SIZE"},
	 OPTION_STORES(SIZE, struct job, bytes),
	 .min = 1024,
	 .max = 1 << 20,
	 .range = "a size from 1K to 1M",
	 .example = "4K"},
};

static void stores_by_name(void **state)
{
	struct job job = {0};
	const struct option_group groups[] = {{"job", job_rows, 3, &job}};

	(void)state;
	assert_int_equal(option_groups__store(groups, 1, "dry-run", NULL, NULL), 0);
	assert_int_equal(option_groups__store(groups, 1, "name", "x", NULL), 0);
	assert_int_equal(option_groups__store(groups, 1, "size", "2K", NULL), 0);
	assert_true(job.dry_run);
	assert_string_equal(job.name, "x");
	assert_int_equal(job.bytes, 2048);
}

static void refuses_by_name(void **state)
{
	struct job job = {0};
	const struct option_group groups[] = {{"job", job_rows, 3, &job}};
	struct error err;

	(void)state;
	assert_int_equal(option_groups__store(groups, 1, "n", "x", &err), -ENOENT);
	assert_string_equal(err.text, "there is no option 'n' (see --help)");
	assert_int_equal(option_groups__store(groups, 1, "dry-run", "yes", &err), -EINVAL);
	assert_string_equal(err.text, "the option 'dry-run' takes no value, but has 'yes'");
	assert_int_equal(option_groups__store(groups, 1, "name", NULL, &err), -EINVAL);
	assert_string_equal(err.text, "the option 'name' needs a value: NAME");
	assert_int_equal(option_groups__store(groups, 1, "size", "1", &err), -EINVAL);
	assert_non_null(strstr(err.text, "a size from 1K to 1M"));
	assert_false(job.dry_run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),           cmocka_unit_test(wrong_lines),
		cmocka_unit_test(limits),          cmocka_unit_test(stores_by_name),
		cmocka_unit_test(refuses_by_name), cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
