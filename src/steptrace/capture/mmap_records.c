// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/mmap_records.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* The number of pages is a power of two. */
enum { RING_PAGES = 16, HALF_FULL_BYTES = RING_PAGES * 4096 / 2 };

/* The kernel writes at data_head, the reader sets data_tail. A record is never longer than
 * 65,535 bytes, and one that wraps around the end of the data is put together in `record`. */
struct mmap_ring {
	int fd;
	struct perf_event_mmap_page *page; /* the header, in front of the data */
};

/* PERF_RECORD_MMAP2, followed by the path and, because of sample_id_all, by the time. */
struct mmap2 {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t address, bytes, offset;
	uint32_t major, minor;
	uint64_t inode, generation;
	uint32_t protection, flags;
	char path[];
};

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* ---- opening */

static int open_event(int processor, pid_t process)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.mmap = 1,
		.mmap2 = 1,
		.sample_id_all = 1,
		.sample_type = PERF_SAMPLE_TIME,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.inherit = process > 0,
		.watermark = 1,
		.wakeup_watermark = process > 0 ? 1 : HALF_FULL_BYTES,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, process > 0 ? process : -1, processor, -1,
			      PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int open_ring(struct mmap_records *records, int processor, pid_t process)
{
	struct mmap_ring *ring = &records->rings[records->count];
	struct epoll_event event = {.events = EPOLLIN};
	void *memory;

	ring->fd = open_event(processor, process);
	if (ring->fd < 0)
		return ring->fd == -ENODEV ? 0 : ring->fd; /* the processor is offline */
	memory = mmap(NULL, (1 + RING_PAGES) * page_bytes(), PROT_READ | PROT_WRITE, MAP_SHARED,
		      ring->fd, 0);
	ring->page = memory == MAP_FAILED ? NULL : memory;
	records->count++;
	if (!ring->page || epoll_ctl(records->wakeup_fd, EPOLL_CTL_ADD, ring->fd, &event))
		return -errno;
	return 0;
}

int mmap_records__open(struct mmap_records *records, pid_t process)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);
	int code = 0;

	*records = (struct mmap_records){.wakeup_fd = epoll_create1(EPOLL_CLOEXEC)};
	records->rings = calloc((size_t)processors, sizeof(*records->rings));
	if (records->wakeup_fd < 0 || !records->rings)
		code = -ENOMEM;
	for (int processor = 0; processor < processors && !code; processor++)
		code = open_ring(records, processor, process);
	if (!code && records->count == 0)
		code = -ENODEV;
	if (code)
		mmap_records__close(records);
	return code;
}

void mmap_records__close(struct mmap_records *records)
{
	for (size_t i = 0; i < records->count; i++) {
		if (records->rings[i].page)
			munmap(records->rings[i].page, (1 + RING_PAGES) * page_bytes());
		close(records->rings[i].fd);
	}
	if (records->wakeup_fd > 0)
		close(records->wakeup_fd);
	free(records->rings);
	*records = (struct mmap_records){.wakeup_fd = -1};
}

/* ---- reading */

union record_room {
	struct perf_event_header header;
	struct mmap2 mmap2;
	char bytes[1 << 16];
};

/* Copies `count` bytes from position `at` of the ring, which may wrap around its end. */
static void copy_out(const struct mmap_ring *ring, uint64_t at, void *to, size_t count)
{
	const char *data = (const char *)ring->page + page_bytes();
	size_t size = RING_PAGES * page_bytes(), from = (size_t)at & (size - 1);
	size_t first = count < size - from ? count : size - from;

	memcpy(to, data + from, first);
	memcpy((char *)to + first, data, count - first);
}

/* The path ends with zeros; the last eight bytes of the record are its time. */
static void give(union record_room *room, mmap_record_fn *each, void *context)
{
	const struct mmap2 *raw = &room->mmap2;
	size_t size = raw->header.size;
	struct mmap_record record = {
		.pid = raw->pid,
		.tid = raw->tid,
		.start = raw->address,
		.bytes = raw->bytes,
		.file_offset = raw->offset,
		.device = makedev(raw->major, raw->minor),
		.inode = raw->inode,
		.generation = raw->generation,
		.untrusted_path = raw->path,
	};

	if (size < sizeof(*raw) + 2 * sizeof(uint64_t) || raw->inode == 0)
		return;
	memcpy(&record.time_ns, room->bytes + size - sizeof(uint64_t), sizeof(uint64_t));
	memset(room->bytes + size - sizeof(uint64_t), 0, 1); /* whatever the path ends with */
	each(context, &record);
}

/* Returns whether records were lost. */
static bool drain_ring(struct mmap_ring *ring, mmap_record_fn *each, void *context)
{
	static union record_room room;
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t at = ring->page->data_tail;
	bool lost = false;

	while (head - at >= sizeof(room.header)) {
		copy_out(ring, at, &room, sizeof(room.header));
		if (room.header.size < sizeof(room.header) || room.header.size > head - at)
			break;
		copy_out(ring, at, &room, room.header.size);
		at += room.header.size;
		__atomic_store_n(&ring->page->data_tail, at, __ATOMIC_RELEASE);
		if (room.header.type == PERF_RECORD_MMAP2)
			give(&room, each, context);
		lost = lost || room.header.type == PERF_RECORD_LOST;
	}
	return lost;
}

bool mmap_records__drain(struct mmap_records *records, mmap_record_fn *each, void *context)
{
	bool lost = false;

	for (size_t i = 0; i < records->count; i++)
		lost = drain_ring(&records->rings[i], each, context) || lost;
	return lost;
}
