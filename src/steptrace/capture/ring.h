/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring buffers of the kernel (BPF_MAP_TYPE_RINGBUF), read without copying: several of them as one
 * sequence in the order of time.
 *
 *	page 0		how far we have read
 *	page 1		how far the kernel has reserved
 *	then		the records, mapped twice in a row, so that one across the end lies in one piece:
 *			length and two flags (4 bytes), 4 bytes of the kernel's, the record, up to a multiple of 8
 *
 * A record begins with a stamp of CLOCK_MONOTONIC, which was taken before its room was reserved.
 * What one thread did after another, the first of which had made its record by then, comes in that
 * order, whichever buffers the two are in: rings__look() takes the time before it takes the positions,
 * so whatever it may have missed is the cause of later records only, and those are left for
 * the next look. A record that is still being written ends the reading.
 */
#ifndef STEPTRACE_RING_H
#define STEPTRACE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	const char *records;
	uint64_t mask; /* of positions: the size less one */
	const uint64_t *reserved;
	uint64_t *read;
	void *mappings[2]; /* ours to unmap */

	uint64_t at;       /* how far we are; `read` follows now and then */
	uint64_t until;    /* as seen by the last look */
	uint64_t given_ns; /* the stamp of the next record; all ones: there is none to be given */
	uint64_t marked;   /* by rings__mark() */
};

struct rings {
	struct ring *items;
	size_t count;
	uint64_t looked_ns; /* records up to this moment are complete */
};

/* Maps the buffer behind the file descriptor of a map; 0 or negative errno. Unmapped by
 * ring__close(), also for a zeroed one. */
int ring__open(struct ring *ring, int map_fd, size_t bytes);
void ring__close(struct ring *ring);

/* Bytes that are reserved and not read. */
uint64_t ring__unread_bytes(const struct ring *ring);

/* What there is to read: everything that was made up to `now_ns`, which must be now. */
void rings__look(struct rings *rings, uint64_t now_ns);

/* The next record of what was seen; NULL: that was all for now. It stays until the next call. */
const void *rings__next(struct rings *rings, size_t *bytes);

/* Gives the room of what was read back to the kernel. */
void rings__release(struct rings *rings);

/* Marks the end of what is reserved now. rings__passed_mark() is true when rings__next() has given
 * every record before the mark. There is one mark. */
void rings__mark(struct rings *rings);
bool rings__passed_mark(const struct rings *rings);

/* Bytes that are not read, of the fullest in relation to its size; and of how many. */
uint64_t rings__unread_bytes(const struct rings *rings);
uint64_t rings__size_bytes(const struct rings *rings);

#endif
