/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that consist of gzip members (RFC 1952). Each member is complete: everything that was
 * written before a crash can be read, and a file can be appended to. Only this file uses zlib.
 */
#ifndef STEPTRACE_GZIP_H
#define STEPTRACE_GZIP_H

#include <stdbool.h>
#include <stddef.h>

struct gzip;

/* Whether the name of the file ends with ".gz". */
bool gzip__is_named(const char *path);

/* NULL: no memory. The caller frees it. */
struct gzip *gzip__new(void);
void gzip__free(struct gzip *gzip);

/* Compresses the bytes to one member. Returns its size; 0: no memory. `*member` is valid until the
 * next call. */
size_t gzip__member(struct gzip *gzip, const char *bytes, size_t count, const char **member);

/* 0: the open file consists of whole members; -EBADMSG: it does not; or negative errno. */
int gzip__check(int fd);

#endif
