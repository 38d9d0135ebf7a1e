// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/exec_marks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>

static const struct local_type {
	const char *name;
	unsigned long magic; /* of statfs() */
} local_types[] = {
	{"ext2", 0xef53},        {"ext3", 0xef53},         {"ext4", 0xef53},
	{"xfs", 0x58465342},     {"btrfs", 0x9123683e},    {"f2fs", 0xf2f52010},
	{"zfs", 0x2fc12fc1},     {"bcachefs", 0xca451a4e}, {"tmpfs", 0x01021994},
	{"ramfs", 0x858458f6},   {"rootfs", 0x858458f6},   {"overlay", 0x794c7630},
	{"erofs", 0xe0f5e1e2},   {"squashfs", 0x73717368}, {"jfs", 0x3153464a},
	{"iso9660", 0x00009660},
};

enum { LOCAL_TYPES_COUNT = sizeof(local_types) / sizeof(local_types[0]) };

bool exec_marks__is_local(const char *type)
{
	for (int i = 0; i < LOCAL_TYPES_COUNT; i++)
		if (strcmp(local_types[i].name, type) == 0)
			return true;
	return false;
}

static bool is_local_path(const char *path)
{
	struct statfs status;

	if (statfs(path, &status))
		return false;
	for (int i = 0; i < LOCAL_TYPES_COUNT; i++)
		if (local_types[i].magic == (unsigned long)status.f_type)
			return true;
	return false;
}

int exec_marks__open(void)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK |
				       FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS,
			       O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

static int mark(int fanotify_fd, const char *path)
{
	return fanotify_mark(fanotify_fd, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_OPEN_EXEC_PERM,
			     AT_FDCWD, path)
		       ? -errno
		       : 0;
}

int exec_marks__try(int fanotify_fd)
{
	return fanotify_mark(fanotify_fd, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD,
			     "/proc/self/exe")
		       ? -errno
		       : 0;
}

/* "\040" in mountinfo is a space. */
static void decode_octal(char *text)
{
	char *to = text;

	for (const char *at = text; *at; at++, to++) {
		unsigned int code;

		*to = *at;
		if (*at == '\\' && strspn(at + 1, "01234567") >= 3 &&
		    sscanf(at + 1, "%3o", &code) == 1) {
			*to = (char)code;
			at += 3;
		}
	}
	*to = 0;
}

/* Whether the path leads to this mount, and not to another one that covers it. Nothing is asked of
 * the machine or process behind a file system. */
static bool is_on_top(const char *path, uint64_t mount)
{
	struct statx status;

	return statx(AT_FDCWD, path, AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) ==
		       0 &&
	       status.stx_mask & STATX_MNT_ID && status.stx_mnt_id == mount;
}

char *exec_marks__mount_point(char *line)
{
	char *type = strstr(line, " - "), *at = line;

	if (!type)
		return NULL;
	type += 3;
	type[strcspn(type, " ")] = 0;
	for (int member = 0; member < 4 && at; member++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	if (!at || !exec_marks__is_local(type))
		return NULL;
	at[strcspn(at, " ")] = 0;
	decode_octal(at);
	return at;
}

/* "/" is marked separately: in a chroot its mount is not in the list. */
int exec_marks__add(int fanotify_fd)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	int marked = 0, code = -ENOENT;
	char *line = NULL, *path;
	size_t room = 0;

	if (is_local_path("/")) {
		code = mark(fanotify_fd, "/");
		marked += code == 0;
	}
	while (mounts && getline(&line, &room, mounts) > 0) {
		uint64_t mount = strtoull(line, NULL, 10);

		path = exec_marks__mount_point(line);
		if (path && is_on_top(path, mount) && mark(fanotify_fd, path) == 0)
			marked++;
	}
	free(line);
	if (mounts)
		fclose(mounts);
	return marked ? marked : code;
}

/* Without FAN_MARK_IGNORED_SURV_MODIFY: a change of the content removes the mark. From Linux 5.19
 * on, FAN_MARK_EVICTABLE lets the kernel remove it with the cached inode. */
void exec_marks__leave_out(int fanotify_fd, int file_fd)
{
	const unsigned int flags = FAN_MARK_ADD | FAN_MARK_IGNORED_MASK;

	if (fanotify_mark(fanotify_fd, flags | FAN_MARK_EVICTABLE, FAN_OPEN_EXEC_PERM, file_fd,
			  NULL) &&
	    errno == EINVAL)
		fanotify_mark(fanotify_fd, flags, FAN_OPEN_EXEC_PERM, file_fd, NULL);
}
