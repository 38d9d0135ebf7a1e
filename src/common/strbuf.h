/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text that grows up to a limit of bytes.
 *
 *	struct strbuf out;
 *
 *	strbuf__init(&out, 1 << 20);
 *	strbuf__text(&out, "a=");
 *	strbuf__printf(&out, "%d", 1);
 *	text = strbuf__take(&out);		"a=1", to be freed; NULL after any failure
 *
 * Every append returns 0, -E2BIG when the text would be longer than the limit, or -ENOMEM. The
 * first failure stays: later appends return it and add nothing, so a writer may look once, at the
 * end. What was appended before it is still there. The limit does not count the final NUL.
 */
#ifndef STEPTRACE_COMMON_STRBUF_H
#define STEPTRACE_COMMON_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
	char *text; /* owned; NUL-terminated, or NULL while nothing was appended */
	size_t length, room, limit;
	int err; /* the first failure */
};

/* Allocates nothing. SIZE_MAX: no limit. */
void strbuf__init(struct strbuf *buf, size_t limit);
void strbuf__free(struct strbuf *buf);

int strbuf__bytes(struct strbuf *buf, const void *bytes, size_t length);
int strbuf__text(struct strbuf *buf, const char *text);
int strbuf__char(struct strbuf *buf, char c);
int strbuf__repeat(struct strbuf *buf, const char *text, size_t times);
int strbuf__printf(struct strbuf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Hands the text over and leaves the buffer empty. NULL where an append failed; see `err`. */
char *strbuf__take(struct strbuf *buf);

#endif
