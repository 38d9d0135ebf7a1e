// SPDX-License-Identifier: BSD-2-Clause
/* The marks of fanotify, as /proc/self/fdinfo shows them. Needs root, as exec_marks.h says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h needs the four headers above */
#include <cmocka.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "steptrace/attach/exec_marks.h"

static char directory[] = "/tmp/steptrace-marks-XXXXXX";

/* Mounts of this process are its own. */
static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	if (unshare(CLONE_NEWNS) == 0)
		mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	while (umount2(directory, MNT_DETACH) == 0)
		continue;
	return rmdir(directory);
}

static void mount_here(const char *type)
{
	if (mount("steptrace", directory, type, 0, NULL))
		skip();
}

/* "fanotify sdev:28 mflags:0 mask:40000 ignored_mask:0": the kernel's number of a device has the
 * minor number in 20 bits. */
static bool is_marked(int fanotify_fd, const char *path)
{
	unsigned int device, wanted;
	char text[256];
	struct stat status;
	bool found = false;
	FILE *file;

	assert_int_equal(stat(path, &status), 0);
	wanted = major(status.st_dev) << 20 | minor(status.st_dev);
	snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", fanotify_fd);
	file = fopen(text, "re");
	assert_non_null(file);
	while (fgets(text, sizeof(text), file))
		found = found ||
			(sscanf(text, "fanotify sdev:%x", &device) == 1 && device == wanted);
	fclose(file);
	return found;
}

static void check(bool expected)
{
	int fd = exec_marks__open();

	if (fd < 0)
		skip();
	assert_true(exec_marks__add(fd) > 0);
	assert_int_equal(is_marked(fd, directory), expected);
	close(fd);
}

static void local_file_systems_are_marked(void **state)
{
	(void)state;
	mount_here("tmpfs");
	check(true);
	mount_here("ramfs");
	check(true);
}

/* The path of a local file system leads to another one that was mounted later at the same place. */
static void what_covers_a_local_one_is_not_marked(void **state)
{
	(void)state;
	mount_here("tmpfs");
	mount_here("devpts"); /* it stands for FUSE and NFS, which need a server */
	check(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_file_systems_are_marked),
		cmocka_unit_test(what_covers_a_local_one_is_not_marked),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
