// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/uprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The part of union bpf_attr for BPF_LINK_CREATE with BPF_TRACE_UPROBE_MULTI, which the
 * distribution's headers do not have yet. */
struct link_create_multi {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_ctr_offsets;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t padding;
};

const char *uprobe__method_name(enum uprobe_method method)
{
	return method == UPROBE_MULTI ? "uprobe_multi" : "perf";
}

/* A path to the open file, also where it was renamed or deleted. */
static void path_of(char path[32], int fd)
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
}

static int attach_multi(int program_fd, const struct uprobe_place *place, struct uprobe *uprobe)
{
	struct link_create_multi attr = {
		.prog_fd = (uint32_t)program_fd,
		.attach_type = UPROBE_MULTI_ATTACH_TYPE,
		.offsets = (uint64_t)(uintptr_t)&place->offset,
		.count = 1,
	};
	char path[32];
	int fd;

	path_of(path, place->file_fd);
	attr.path = (uint64_t)(uintptr_t)path;
	if (place->semaphore_offset)
		attr.ref_ctr_offsets = (uint64_t)(uintptr_t)&place->semaphore_offset;
	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	if (fd < 0)
		return -errno;
	uprobe->fd = fd;
	return 0;
}

static int perf_type(void)
{
	int type = -1;
	FILE *file;

	file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	if (!file)
		return -errno;
	if (fscanf(file, "%d", &type) != 1 || type < 0)
		type = -EOPNOTSUPP;
	fclose(file);
	return type;
}

static int attach_perf(int program_fd, const struct uprobe_place *place, struct uprobe *uprobe)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	char path[32];
	int type, fd, err;

	type = perf_type();
	if (type < 0)
		return type;
	if (place->semaphore_offset > UINT32_MAX)
		return -EFBIG; /* the PMU has 32 bits for it */
	path_of(path, place->file_fd);
	attr.type = (uint32_t)type;
	attr.config = place->semaphore_offset << 32;
	attr.config1 = (uint64_t)(uintptr_t)path;
	attr.config2 = place->offset;
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program_fd) < 0 ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	uprobe->fd = fd;
	return 0;
}

int uprobe__attach(int program_fd, enum uprobe_method method, const struct uprobe_place *place,
		   struct uprobe *uprobe)
{
	uprobe->fd = -1;
	uprobe->method = method;
	if (method == UPROBE_MULTI)
		return attach_multi(program_fd, place, uprobe);
	return attach_perf(program_fd, place, uprobe);
}

void uprobe__detach(struct uprobe *uprobe)
{
	if (uprobe->fd >= 0)
		close(uprobe->fd);
	uprobe->fd = -1;
}

static int load(const struct bpf_insn *code, size_t count, enum uprobe_method method)
{
	static const char license[] = "Dual BSD/GPL";
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.prog_type = BPF_PROG_TYPE_KPROBE;
	attr.expected_attach_type = method == UPROBE_MULTI ? UPROBE_MULTI_ATTACH_TYPE : 0;
	attr.insns = (uint64_t)(uintptr_t)code;
	attr.insn_cnt = (uint32_t)count;
	attr.license = (uint64_t)(uintptr_t)license;
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
}

int uprobe__load_empty(enum uprobe_method method, int count_map_fd)
{
	const struct bpf_insn counting[] = {
		/* r1 = &map[0]; r2 = 1; *r1 += r2 */
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = count_map_fd},
		{.imm = 0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 1},
		{.code = BPF_STX | BPF_DW | BPF_ATOMIC, .dst_reg = 1, .src_reg = 2, .imm = BPF_ADD},
		/* return 0 */
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};

	if (count_map_fd < 0)
		return load(&counting[4], 2, method);
	return load(counting, sizeof(counting) / sizeof(counting[0]), method);
}

/*
 * Tries to make a link whose path is a directory, which is not a regular file. A kernel that
 * knows the attach type refuses with EBADF, another one with EINVAL. (A count of 0 would not do:
 * it is EINVAL in both.)
 */
enum uprobe_method uprobe__probe_method(void)
{
	struct uprobe_place place = {.offset = 0};
	struct uprobe uprobe;
	int program, err;

	program = uprobe__load_empty(UPROBE_MULTI, -1);
	if (program < 0)
		return UPROBE_PERF;
	place.file_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = attach_multi(program, &place, &uprobe);
	if (err == 0)
		uprobe__detach(&uprobe);
	if (place.file_fd >= 0)
		close(place.file_fd);
	close(program);
	return err == -EBADF || err == 0 ? UPROBE_MULTI : UPROBE_PERF;
}
