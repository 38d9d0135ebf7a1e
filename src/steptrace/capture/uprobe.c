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

int uprobe__link(int program_fd, int file_fd, const struct uprobe_place *places, size_t count,
		 pid_t pid)
{
	uint64_t offsets[UPROBE_PLACES_MAX], semaphores[UPROBE_PLACES_MAX];
	uint64_t cookies[UPROBE_PLACES_MAX];
	struct link_create_multi attr = {
		.prog_fd = (uint32_t)program_fd,
		.attach_type = UPROBE_MULTI_ATTACH_TYPE,
		.offsets = (uint64_t)(uintptr_t)offsets,
		.ref_ctr_offsets = (uint64_t)(uintptr_t)semaphores,
		.cookies = (uint64_t)(uintptr_t)cookies,
		.count = (uint32_t)count,
		.pid = (uint32_t)pid,
	};
	char path[32];
	int fd;

	if (count > UPROBE_PLACES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		offsets[i] = places[i].offset;
		semaphores[i] = places[i].semaphore_offset;
		cookies[i] = places[i].cookie;
	}
	path_of(path, file_fd);
	attr.path = (uint64_t)(uintptr_t)path;
	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof(attr));
	return fd < 0 ? -errno : fd;
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

static int attach_perf(int program_fd, int file_fd, const struct uprobe_place *place)
{
	struct perf_event_attr attr = {.size = sizeof(attr)};
	char path[32];
	int type, fd, err;

	type = perf_type();
	if (type < 0)
		return type;
	if (place->semaphore_offset > UINT32_MAX)
		return -EFBIG; /* the PMU has 32 bits for it */
	path_of(path, file_fd);
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
	return fd;
}

int uprobe__attach(int program_fd, enum uprobe_method method, int file_fd,
		   const struct uprobe_place *place, struct uprobe *uprobe)
{
	int fd = method == UPROBE_MULTI ? uprobe__link(program_fd, file_fd, place, 1, 0)
					: attach_perf(program_fd, file_fd, place);

	uprobe->method = method;
	uprobe->fd = fd < 0 ? -1 : fd;
	return fd < 0 ? fd : 0;
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
	const struct uprobe_place place = {.offset = 0};
	int program, file_fd, link;

	program = uprobe__load_empty(UPROBE_MULTI, -1);
	if (program < 0)
		return UPROBE_PERF;
	file_fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	link = uprobe__link(program, file_fd, &place, 1, 0);
	if (link >= 0)
		close(link);
	if (file_fd >= 0)
		close(file_fd);
	close(program);
	return link == -EBADF || link >= 0 ? UPROBE_MULTI : UPROBE_PERF;
}
