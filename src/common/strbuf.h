/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text buffer that grows up to a limit, which is given in bytes.
 *
 *	struct strbuf out;
 *
 *	strbuf__init(&out, 1 << 20);
 *	strbuf__text(&out, "a=");
 *	strbuf__printf(&out, "%d", 1);
 *	text = strbuf__take(&out);		"a=1"; the caller frees it. NULL after an error
 *
 * Each append returns 0, -E2BIG when the text would exceed the limit, or -ENOMEM. The buffer keeps
 * its first error: every later append returns the same error and adds nothing. So a function may
 * append many times and check for an error once, at the end. Text that was appended before the
 * error stays in the buffer. The limit does not include the final NUL.
 *
 * The buffer owns its text until strbuf__take hands it to the caller. After strbuf__take or
 * strbuf__free the buffer is empty; after strbuf__free or strbuf__clear it may be used again.
 */
#ifndef STEPTRACE_COMMON_STRBUF_H
#define STEPTRACE_COMMON_STRBUF_H

#include <stdarg.h>
#include <stddef.h>

struct strbuf {
	char *text;    /* owned; NUL-terminated; NULL before the first append */
	size_t length; /* bytes of text, without the NUL */
	size_t room;   /* bytes allocated */
	size_t limit;  /* largest length allowed */
	int err;       /* the first error; 0: none */
};

/* Allocates nothing. `limit` is in bytes; SIZE_MAX: no limit. */
void strbuf__init(struct strbuf *buf, size_t limit);
/* Frees the text and clears the error. */
void strbuf__free(struct strbuf *buf);
/* Empties the buffer and clears the error, but keeps the memory for the next text. */
void strbuf__clear(struct strbuf *buf);

int strbuf__bytes(struct strbuf *buf, const void *bytes, size_t length);
int strbuf__text(struct strbuf *buf, const char *text);
int strbuf__char(struct strbuf *buf, char c);
/* Appends `text` `times` times. */
int strbuf__repeat(struct strbuf *buf, const char *text, size_t times);
int strbuf__printf(struct strbuf *buf, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns the text, which the caller frees, and leaves the buffer empty. Returns NULL if an append
 * failed; `err` says why and stays set. */
char *strbuf__take(struct strbuf *buf);

#endif
