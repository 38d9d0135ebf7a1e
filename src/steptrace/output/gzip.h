/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of gzip members (RFC 1952), each complete in itself: what was written before a crash can be
 * read, and a file can be appended to. zlib is used in this room only.
 */
#ifndef STEPTRACE_GZIP_H
#define STEPTRACE_GZIP_H

#include <stdbool.h>
#include <stddef.h>

struct gzip;

/* Whether the name of the file ends with ".gz". */
bool gzip__is_named(const char *path);

/* NULL: no memory. */
struct gzip *gzip__new(void);
void gzip__free(struct gzip *gzip);

/* One member with all of that; `*member` is valid until the next call. Its size, or 0: no memory. */
size_t gzip__member(struct gzip *gzip, const char *bytes, size_t count, const char **member);

/* Whether an open file consists of whole members: 0; -EBADMSG: it does not; or negative errno. */
int gzip__check(int fd);

#endif
