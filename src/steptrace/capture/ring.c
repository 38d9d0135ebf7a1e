// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/capture/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEADER_BYTES = BPF_RINGBUF_HDR_SZ };

#define NOTHING UINT64_MAX

static void *map(int fd, size_t bytes, int protection, off_t from)
{
	void *address = mmap(NULL, bytes, protection, MAP_SHARED, fd, from);

	if (address == MAP_FAILED)
		return NULL;
	madvise(address, bytes, MADV_DONTFORK); /* children do not read it */
	return address;
}

int ring__open(struct ring *ring, int map_fd, size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*ring = (struct ring){.mask = bytes - 1, .given_ns = NOTHING};
	ring->mappings[0] = map(map_fd, page, PROT_READ | PROT_WRITE, 0);
	ring->mappings[1] = map(map_fd, page + 2 * bytes, PROT_READ, (off_t)page);
	if (!ring->mappings[0] || !ring->mappings[1]) {
		int code = -errno;

		ring__close(ring);
		return code;
	}
	ring->read = ring->mappings[0];
	ring->reserved = ring->mappings[1];
	ring->records = (const char *)ring->mappings[1] + page;
	ring->at = ring->until = *ring->read;
	return 0;
}

void ring__close(struct ring *ring)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (ring->mappings[0])
		munmap(ring->mappings[0], page);
	if (ring->mappings[1])
		munmap(ring->mappings[1], page + 2 * (ring->mask + 1));
	*ring = (struct ring){.given_ns = NOTHING};
}

uint64_t ring__unread_bytes(const struct ring *ring)
{
	return __atomic_load_n(ring->reserved, __ATOMIC_ACQUIRE) - ring->at;
}

/* ---- one ring */

static uint32_t header_of(const struct ring *ring)
{
	const uint32_t *header = (const uint32_t *)(ring->records + (ring->at & ring->mask));

	return __atomic_load_n(header, __ATOMIC_ACQUIRE);
}

static uint32_t length_of(uint32_t header)
{
	return header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
}

static void skip(struct ring *ring, uint32_t header)
{
	ring->at += (length_of(header) + HEADER_BYTES + 7) & ~(uint64_t)7;
}

/* Skips discarded records, and takes the time of the next one. False: it is still being written. */
static bool find_next(struct ring *ring)
{
	uint32_t header;

	ring->given_ns = NOTHING;
	while (ring->at < ring->until) {
		header = header_of(ring);
		if (header & BPF_RINGBUF_BUSY_BIT)
			return false;
		if (!(header & BPF_RINGBUF_DISCARD_BIT) && length_of(header) >= sizeof(uint64_t)) {
			memcpy(&ring->given_ns,
			       ring->records + (ring->at & ring->mask) + HEADER_BYTES,
			       sizeof(ring->given_ns));
			return true;
		}
		skip(ring, header);
	}
	return true;
}

static const void *take(struct ring *ring, size_t *bytes)
{
	uint32_t header = header_of(ring);
	const char *record = ring->records + (ring->at & ring->mask) + HEADER_BYTES;

	*bytes = length_of(header);
	skip(ring, header);
	return record;
}

/* ---- all rings */

void rings__look(struct rings *rings, uint64_t now_ns)
{
	rings->looked_ns = now_ns;
	for (size_t i = 0; i < rings->count; i++) {
		struct ring *ring = &rings->items[i];

		ring->until = __atomic_load_n(ring->reserved, __ATOMIC_ACQUIRE);
	}
}

const void *rings__next(struct rings *rings, size_t *bytes)
{
	struct ring *first = NULL;

	for (size_t i = 0; i < rings->count; i++) {
		struct ring *ring = &rings->items[i];

		if (ring->given_ns == NOTHING && !find_next(ring))
			return NULL;
		if (ring->given_ns != NOTHING && (!first || ring->given_ns < first->given_ns))
			first = ring;
	}
	if (!first || (rings->count > 1 && first->given_ns > rings->looked_ns))
		return NULL;
	first->given_ns = NOTHING;
	return take(first, bytes);
}

void rings__release(struct rings *rings)
{
	for (size_t i = 0; i < rings->count; i++)
		__atomic_store_n(rings->items[i].read, rings->items[i].at, __ATOMIC_RELEASE);
}

void rings__mark(struct rings *rings)
{
	for (size_t i = 0; i < rings->count; i++) {
		struct ring *ring = &rings->items[i];

		ring->marked = __atomic_load_n(ring->reserved, __ATOMIC_ACQUIRE);
	}
}

bool rings__passed_mark(const struct rings *rings)
{
	for (size_t i = 0; i < rings->count; i++)
		if (rings->items[i].at < rings->items[i].marked)
			return false;
	return true;
}

uint64_t rings__unread_bytes(const struct rings *rings)
{
	uint64_t most = 0;

	for (size_t i = 0; i < rings->count; i++) {
		uint64_t unread = ring__unread_bytes(&rings->items[i]);

		most = unread > most ? unread : most;
	}
	return most;
}

uint64_t rings__size_bytes(const struct rings *rings)
{
	return rings->count ? rings->items[0].mask + 1 : 0;
}
