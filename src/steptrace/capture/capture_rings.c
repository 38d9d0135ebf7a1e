// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/clock.h"
#include "steptrace/capture/capture_private.h"

/* After so many records their room is given back to the kernel. */
enum { RELEASE_RECORDS = 64 };

/* ---- making and opening */

static size_t ring_bytes(const struct capture_options *options)
{
	return options->buffer_bytes / options->rings_count;
}

static int make_ring(const struct capture_options *options)
{
	return bpf_map_create(BPF_MAP_TYPE_RINGBUF, "records", 0, 0, (uint32_t)ring_bytes(options),
			      NULL);
}

/* The map `records` is the first ring; the others are made here. One of them shows the kernel the
 * type and the size of the maps in `rings`. */
int capture__choose_rings(struct capture *capture, const struct capture_options *options)
{
	struct steptrace_bpf *skeleton = capture->skeleton;
	uint32_t bytes = (uint32_t)ring_bytes(options);

	bpf_map__set_max_entries(skeleton->maps.records, bytes);
	skeleton->rodata->wakeup_bytes = bytes / 4;
	skeleton->rodata->rings_mask = (uint32_t)options->rings_count - 1;
	if (options->rings_count == 1)
		return bpf_map__set_autocreate(skeleton->maps.rings, false);
	for (size_t i = 1; i < options->rings_count; i++) {
		capture->ring_fds[i] = make_ring(options);
		if (capture->ring_fds[i] < 0)
			return capture->ring_fds[i];
	}
	return bpf_map__set_inner_map_fd(skeleton->maps.rings, capture->ring_fds[1]);
}

static int open_ring(struct capture *capture, size_t bytes)
{
	uint32_t index = (uint32_t)capture->rings.count;
	struct epoll_event event = {.events = EPOLLIN};
	int fd = capture->ring_fds[index];
	int code = ring__open(&capture->ring_items[index], fd, bytes);

	if (code)
		return code;
	capture->rings.count++;
	if (epoll_ctl(capture->wakeup_fd, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	if (bpf_map__autocreate(capture->skeleton->maps.rings) &&
	    bpf_map_update_elem(bpf_map__fd(capture->skeleton->maps.rings), &index, &fd, BPF_ANY))
		return -errno;
	return 0;
}

int capture__open_rings(struct capture *capture, const struct capture_options *options)
{
	int code = 0;

	capture->ring_fds[0] = bpf_map__fd(capture->skeleton->maps.records);
	capture->rings.items = capture->ring_items;
	capture->wakeup_fd = epoll_create1(EPOLL_CLOEXEC);
	if (capture->wakeup_fd < 0)
		return -errno;
	while (!code && capture->rings.count < options->rings_count)
		code = open_ring(capture, ring_bytes(options));
	return code;
}

void capture__close_rings(struct capture *capture)
{
	for (size_t i = 0; i < capture->rings.count; i++)
		ring__close(&capture->ring_items[i]);
	for (size_t i = 1; i < RINGS_MAX; i++)
		if (capture->ring_fds[i] > 0)
			close(capture->ring_fds[i]);
	if (capture->wakeup_fd >= 0)
		close(capture->wakeup_fd);
}

/* ---- reading */

int capture__wakeup_fd(const struct capture *capture)
{
	return capture->wakeup_fd;
}

static void note_lag(struct capture *capture, const struct steptrace_record *oldest)
{
	uint64_t now_ns = capture->rings.looked_ns;
	uint64_t lag_ns = oldest && oldest->time_ns < now_ns ? now_ns - oldest->time_ns : 0;

	if (lag_ns > capture->peaks.lag_ns)
		capture->peaks.lag_ns = lag_ns;
}

/* Takes the positions up to which records can be read. */
static void take_positions(struct capture *capture)
{
	uint64_t unread_bytes = rings__unread_bytes(&capture->rings);

	rings__look(&capture->rings, clock__now_ns());
	if (unread_bytes > capture->peaks.unread_bytes)
		capture->peaks.unread_bytes = unread_bytes;
}

int capture__drain(struct capture *capture, record_fn *each, void *context, int limit)
{
	const void *record;
	int given = 0, code = 0;
	size_t size_bytes;

	take_positions(capture);
	while (code == 0 && given < limit) {
		record = rings__next(&capture->rings, &size_bytes);
		if (!record)
			break;
		if (given == 0 && size_bytes >= sizeof(struct steptrace_record))
			note_lag(capture, record);
		given++;
		code = each(context, record, size_bytes);
		if (given % RELEASE_RECORDS == 0)
			rings__release(&capture->rings);
	}
	rings__release(&capture->rings);
	return code < 0 ? code : given;
}

void capture__mark_unread(struct capture *capture)
{
	rings__mark(&capture->rings);
}

bool capture__has_read_to_mark(const struct capture *capture)
{
	return rings__passed_mark(&capture->rings);
}

void capture__take_peaks(struct capture *capture, struct capture_peaks *peaks)
{
	*peaks = capture->peaks;
	peaks->ring_bytes = rings__size_bytes(&capture->rings);
	capture->peaks = (struct capture_peaks){.lag_ns = 0};
}
