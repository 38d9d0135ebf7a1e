// SPDX-License-Identifier: BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those four first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/process_maps.h"

#define LIBRARY "7f1c2a400000-7f1c2a428000 r-xp 00001000 fd:01 1316210                    "
#define DATA    "555555556000-555555557000 rw-p 00002000 08:03 77                         "

/* Reads `text` as if it were /proc/PID/maps. */
static void open_text(struct process_maps *maps, const char *text)
{
	maps->file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	assert_non_null(maps->file);
}

static void a_line_is_taken_apart(void **state)
{
	struct process_mapping mapping;
	struct process_maps maps;

	(void)state;
	open_text(&maps, LIBRARY "/usr/lib/libx.so\n");
	assert_true(process_maps__next(&maps, &mapping));
	assert_int_equal(mapping.start, 0x7f1c2a400000);
	assert_int_equal(mapping.end, 0x7f1c2a428000);
	assert_string_equal(mapping.permissions, "r-xp");
	assert_int_equal(mapping.file_offset, 0x1000);
	assert_int_equal(mapping.device, makedev(0xfd, 1));
	assert_int_equal(mapping.inode, 1316210);
	assert_string_equal(mapping.untrusted_path, "/usr/lib/libx.so");
	assert_false(process_maps__next(&maps, &mapping));
	process_maps__close(&maps);
}

static void numbers_have_64_bits(void **state)
{
	struct process_mapping mapping;
	struct process_maps maps;

	(void)state;
	open_text(&maps, "ffffffffff600000-ffffffffff601000 --xp fffffffffffff000 fff:fffff "
			 "18446744073709551615 /x\n");
	assert_true(process_maps__next(&maps, &mapping));
	assert_int_equal(mapping.start, 0xffffffffff600000);
	assert_int_equal(mapping.file_offset, 0xfffffffffffff000);
	assert_int_equal(mapping.device, makedev(0xfff, 0xfffff));
	assert_int_equal(mapping.inode, UINT64_MAX);
	process_maps__close(&maps);
}

static void a_path_may_be_missing_or_strange(void **state)
{
	static const struct {
		const char *line, *path;
	} rows[] = {
		{"7f1c2a400000-7f1c2a428000 rw-p 00000000 00:00 0 \n", ""},
		{"7f1c2a400000-7f1c2a428000 rw-p 00000000 00:00 0\n", ""},
		{"7f1c2a400000-7f1c2a428000 rw-p 00000000 00:00 0          [heap]\n", "[heap]"},
		{LIBRARY "/tmp/two words (deleted)\n", "/tmp/two words (deleted)"},
		{LIBRARY "/tmp/a\\012b\x1b[31m\xff\n", "/tmp/a\\012b\x1b[31m\xff"},
		{LIBRARY "/tmp/" DATA "/etc/passwd\n", "/tmp/" DATA "/etc/passwd"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct process_mapping mapping;
		struct process_maps maps;

		open_text(&maps, rows[i].line);
		assert_true(process_maps__next(&maps, &mapping));
		assert_string_equal(mapping.untrusted_path, rows[i].path);
		assert_false(process_maps__next(&maps, &mapping));
		process_maps__close(&maps);
	}
}

/* LIBRARY with a path of `bytes` bytes, then DATA. The caller frees. */
static char *text_with_long_path(size_t bytes, const char *end_of_path)
{
	size_t prefix = strlen(LIBRARY), end = strlen(end_of_path);
	char *text = malloc(prefix + bytes + strlen("\n" DATA "/data\n") + 1);

	assert_non_null(text);
	memcpy(text, LIBRARY, prefix);
	memset(text + prefix, '/', bytes);
	memcpy(text + prefix + bytes - end, end_of_path, end);
	strcpy(text + prefix + bytes, "\n" DATA "/data\n");
	return text;
}

static void check_long_path(size_t bytes, const char *end_of_path, bool fits)
{
	char *text = text_with_long_path(bytes, end_of_path);
	struct process_mapping mapping;
	struct process_maps maps;

	open_text(&maps, text);
	assert_true(process_maps__next(&maps, &mapping));
	assert_int_equal(mapping.inode, 1316210);
	assert_int_equal(strlen(mapping.untrusted_path), fits ? bytes : 0);
	assert_true(process_maps__next(&maps, &mapping));
	assert_int_equal(mapping.inode, 77);
	assert_string_equal(mapping.untrusted_path, "/data");
	assert_false(process_maps__next(&maps, &mapping));
	process_maps__close(&maps);
	free(text);
}

/* The end of a path that is too long looks like a line: wherever the buffer ends, it is none. */
static void a_path_that_is_too_long_is_left_out(void **state)
{
	const size_t room = sizeof(((struct process_maps *)0)->line) - strlen(LIBRARY);

	(void)state;
	check_long_path(PATH_MAX - 1, "", true);
	check_long_path(room - 2, "", true); /* a newline and the NUL */
	check_long_path(room - 1, "", false);
	check_long_path(room, "", false);
	for (size_t cut = 0; cut < strlen(DATA) + 4; cut++)
		check_long_path(room + cut, DATA "/x", false);
	check_long_path(4 * room, DATA "/x", false);
}

static void what_is_no_mapping_is_passed_over(void **state)
{
	struct process_mapping mapping;
	struct process_maps maps;

	(void)state;
	open_text(&maps,
		  "\nnonsense\n7f1c2a400000-7f1c2a428000 r-xp 00001000 fd:01\n" DATA "/data\n"
		  "555555556000-");
	assert_true(process_maps__next(&maps, &mapping));
	assert_string_equal(mapping.untrusted_path, "/data");
	assert_false(process_maps__next(&maps, &mapping));
	process_maps__close(&maps);
}

/* Finds the mapping of `address` in this process. */
static void find_own(const void *address, struct process_maps *maps,
		     struct process_mapping *mapping)
{
	assert_int_equal(process_maps__open(maps, 0), 0);
	while (process_maps__next(maps, mapping))
		if (mapping->start <= (uintptr_t)address && (uintptr_t)address < mapping->end)
			return;
	fail_msg("%p is not in any mapping", address);
}

static void our_own_mappings(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	long page = sysconf(_SC_PAGESIZE);
	struct process_mapping mapping;
	struct process_maps maps;
	struct stat status;
	void *mapped;

	(void)state;
	assert_int_equal(fstat(fd, &status), 0);
	mapped = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, page);
	assert_ptr_not_equal(mapped, MAP_FAILED);
	find_own(mapped, &maps, &mapping);
	assert_int_equal(mapping.start, (uintptr_t)mapped);
	assert_int_equal(mapping.file_offset, page);
	assert_int_equal(mapping.inode, status.st_ino);
	assert_string_equal(mapping.permissions, "r--p");
	assert_int_equal(mapping.untrusted_path[0], '/');
	process_maps__close(&maps);
	munmap(mapped, 1);
	close(fd);
}

static void a_process_that_is_not_there(void **state)
{
	struct process_maps maps;

	(void)state;
	assert_int_equal(process_maps__open(&maps, 4194304), -ENOENT);
}

static void *tell_and_wait(void *ends)
{
	char byte = 'x';

	return write(((int *)ends)[1], &byte, 1) == 1 ? (void *)(intptr_t)pause() : NULL;
}

/* Its first thread ends, another one goes on. */
static pid_t fork_leaderless(int ends[2])
{
	pid_t child = fork();
	pthread_t thread;

	if (child)
		return child;
	if (pthread_create(&thread, NULL, tell_and_wait, ends))
		_exit(1);
	syscall(SYS_exit, 0);
	return 0;
}

static bool is_zombie(pid_t pid)
{
	char path[32], line[256] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	return strstr(line, ") Z ") != NULL;
}

static void the_thread_that_shows_the_mappings(void **state)
{
	struct process_mapping mapping;
	struct process_maps maps;
	pid_t child, thread;
	int ends[2];
	char byte;

	(void)state;
	assert_int_equal(process_maps__thread(getpid()), getpid());
	assert_int_equal(process_maps__thread(4194304), 4194304);
	assert_int_equal(pipe(ends), 0);
	child = fork_leaderless(ends);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	while (!is_zombie(child))
		sched_yield();
	thread = process_maps__thread(child);
	assert_int_not_equal(thread, child);
	assert_int_equal(process_maps__open(&maps, thread), 0);
	assert_true(process_maps__next(&maps, &mapping));
	process_maps__close(&maps);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_taken_apart),
		cmocka_unit_test(numbers_have_64_bits),
		cmocka_unit_test(a_path_may_be_missing_or_strange),
		cmocka_unit_test(a_path_that_is_too_long_is_left_out),
		cmocka_unit_test(what_is_no_mapping_is_passed_over),
		cmocka_unit_test(our_own_mappings),
		cmocka_unit_test(the_thread_that_shows_the_mappings),
		cmocka_unit_test(a_process_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
