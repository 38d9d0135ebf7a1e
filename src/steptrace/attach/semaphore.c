// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/attach/semaphore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/process_maps.h"

/* The address of the byte at `offset` of the binary, in memory that the process can write; 0:
 * none. */
static uint64_t address_of(pid_t tid, const struct binary *binary, uint64_t offset)
{
	struct process_mapping mapping;
	struct process_maps maps;
	uint64_t address = 0;

	if (process_maps__open(&maps, tid))
		return 0;
	while (!address && process_maps__next(&maps, &mapping)) {
		uint64_t bytes = mapping.end - mapping.start;

		if (mapping.inode == binary->inode && mapping.permissions[1] == 'w' &&
		    offset >= mapping.file_offset && offset - mapping.file_offset < bytes)
			address = mapping.start + (offset - mapping.file_offset);
	}
	process_maps__close(&maps);
	return address;
}

static int read_at(pid_t tid, uint64_t address, uint16_t *counter)
{
	char path[64];
	ssize_t bytes;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bytes = pread(fd, counter, sizeof(*counter), (off_t)address);
	close(fd);
	return bytes == sizeof(*counter) ? 0 : -EIO;
}

int semaphore__read(pid_t tid, const struct binary *binary, uint16_t *counter)
{
	uint64_t offset = binary->notes.count ? binary->notes.notes[0].semaphore_offset : 0;
	uint64_t address = offset ? address_of(tid, binary, offset) : 0;

	return address ? read_at(tid, address, counter) : -ENOENT;
}
