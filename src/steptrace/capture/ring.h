/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads ring buffers of the kernel (BPF_MAP_TYPE_RINGBUF) without copying, several of them as one
 * sequence in the order of time. A mapped ring buffer:
 *
 *	page 0		position up to which user space has read
 *	page 1		position up to which the kernel has reserved
 *	then		the records, mapped twice in a row, so that a record across the end is in
 *			one piece. Each: length and two flags (4 bytes), 4 bytes for the kernel,
 *			the record, padding to a multiple of 8
 *
 * A record begins with a time on CLOCK_MONOTONIC, which was taken before its room was reserved.
 *
 * The order: a record that was submitted before the time of another one was taken comes first,
 * also if the two are in different buffers. rings__look() takes the time before it takes the
 * positions. A record that it misses is submitted after that time, so all records that must come
 * after the missed one have a later time: these wait for the next look. A record that is still
 * being written ends the reading.
 */
#ifndef STEPTRACE_RING_H
#define STEPTRACE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring {
	const char *records;
	uint64_t mask;            /* of positions: the size less one */
	const uint64_t *reserved; /* in page 1 */
	uint64_t *read;           /* in page 0 */
	void *mappings[2];        /* owned */

	uint64_t at;       /* position of the next record; rings__release() copies it to `read` */
	uint64_t until;    /* `reserved` at the last look */
	uint64_t given_ns; /* the time of the next record; all ones: not known, or there is none */
	uint64_t marked;   /* `reserved` at rings__mark() */
};

struct rings {
	struct ring *items;
	size_t count;
	uint64_t looked_ns; /* of the last look: all records up to this time can be read */
};

/* Maps the buffer of `bytes` bytes behind the descriptor of a map; 0 or negative errno. */
int ring__open(struct ring *ring, int map_fd, size_t bytes);
/* Also for a zeroed ring. */
void ring__close(struct ring *ring);

/* Bytes that the kernel has reserved and user space has not read. */
uint64_t ring__unread_bytes(const struct ring *ring);

/* Looks how far records can be read. `now_ns` must be the present time. */
void rings__look(struct rings *rings, uint64_t now_ns);

/* The next record; NULL: there is none until the next look. It is valid until rings__release(). */
const void *rings__next(struct rings *rings, size_t *bytes);

/* Gives the room of the records that were read back to the kernel. */
void rings__release(struct rings *rings);

/* Marks the end of what is reserved now. rings__passed_mark() is true when rings__next() has given
 * every record before the mark. There is one mark. */
void rings__mark(struct rings *rings);
bool rings__passed_mark(const struct rings *rings);

/* Unread bytes in the fullest buffer, and the size of one buffer. */
uint64_t rings__unread_bytes(const struct rings *rings);
uint64_t rings__size_bytes(const struct rings *rings);

#endif
