// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/kernel_types.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/capture/type_copy.h"

#define ALL_TYPES "/sys/kernel/btf/vmlinux"

/* ---- all types of the kernel: mapped, or read (before Linux 6.16 they cannot be mapped) */

static int read_all(int fd, void *bytes, size_t count)
{
	size_t done = 0;

	while (done < count) {
		ssize_t got = read(fd, (char *)bytes + done, count - done);

		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

static int read_bytes(int fd, struct type_bytes *all)
{
	void *bytes = mmap(NULL, all->count, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	int code;

	if (bytes == MAP_FAILED)
		return -errno;
	code = read_all(fd, bytes, all->count);
	if (code)
		munmap(bytes, all->count);
	else
		all->at = bytes;
	return code;
}

static int map_or_read(int fd, struct type_bytes *all)
{
	struct stat status;
	void *bytes;

	if (fstat(fd, &status))
		return -errno;
	all->count = (size_t)status.st_size;
	bytes = mmap(NULL, all->count, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return read_bytes(fd, all);
	all->at = bytes;
	return 0;
}

static int open_all(struct type_bytes *all)
{
	int fd = open(ALL_TYPES, O_RDONLY | O_CLOEXEC);
	int code = fd < 0 ? -errno : map_or_read(fd, all);

	if (fd >= 0)
		close(fd);
	return code;
}

static void close_all(const struct type_bytes *all)
{
	munmap((void *)all->at, all->count);
}

/* ---- the file for libbpf */

static int write_file(struct kernel_types *types, const struct type_copy *copy)
{
	types->fd = memfd_create("kernel-types", MFD_CLOEXEC);
	if (types->fd < 0)
		return -errno;
	snprintf(types->path, sizeof(types->path), "/proc/self/fd/%d", types->fd);
	return write(types->fd, copy->bytes, copy->count) == (ssize_t)copy->count ? 0 : -EIO;
}

int kernel_types__open(struct kernel_types *types, const void *wanted, size_t wanted_bytes,
		       const char *function)
{
	const struct type_bytes named = {wanted, wanted_bytes};
	struct type_bytes all = {0};
	struct type_copy copy;
	int code = open_all(&all);

	*types = (struct kernel_types){.fd = -1};
	if (code)
		return code;
	code = type_copy__make(&copy, &all, &named, function);
	types->function_id = (int)copy.function_id;
	if (!code)
		code = copy.function_id ? write_file(types, &copy) : -ENOENT;
	type_copy__free(&copy);
	close_all(&all);
	return code;
}

void kernel_types__close(struct kernel_types *types)
{
	if (types->fd >= 0)
		close(types->fd);
	types->fd = -1;
}
