/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompresses gzip data (RFC 1952) of one or several members as it comes. Only this file of the
 * room uses zlib.
 */
#ifndef STEPTRACE_GUNZIP_H
#define STEPTRACE_GUNZIP_H

#include <stdbool.h>
#include <stddef.h>

struct gunzip;

/* Whether the bytes are the beginning of gzip data. */
bool gunzip__is_gzip(const unsigned char *bytes, size_t count);

/* NULL: no memory. */
struct gunzip *gunzip__new(void);
void gunzip__free(struct gunzip *gunzip);

/* What to decompress next. Borrowed until gunzip__read() returns 0. */
void gunzip__feed(struct gunzip *gunzip, const unsigned char *bytes, size_t count);

/* Writes up to `room` bytes to `to`; returns how many. 0: it needs more to be fed. -1: this is no
 * gzip data, or it is broken. */
long gunzip__read(struct gunzip *gunzip, char *to, size_t room);

/* Whether what was fed so far ends with a whole member. */
bool gunzip__is_whole(const struct gunzip *gunzip);

#endif
