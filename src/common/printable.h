/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes foreign text safe to print to a terminal.
 *
 * A file name, the name of a process or the text of a runner may contain any bytes. A terminal
 * executes control characters: they can begin a new line, change the title and the colours, or
 * overwrite lines that were printed before. A character that changes the direction of writing can
 * show a name backwards.
 *
 *	newline, tab, return			\n  \t  \r
 *	other control characters		\x1b  \x7f  \u009b
 *	line and paragraph separator		\u2028
 *	characters that set the direction	\u202e
 *	bytes that are not valid UTF-8		\xff
 *
 * All other characters stay as they are, a backslash too. So printable text is not changed by a
 * second call.
 */
#ifndef STEPTRACE_COMMON_PRINTABLE_H
#define STEPTRACE_COMMON_PRINTABLE_H

#include <stddef.h>
#include <stdint.h>

/* One character of a text, as it is printed. */
struct printable {
	char text[8];    /* without a NUL */
	uint8_t bytes;   /* of `text` */
	uint8_t taken;   /* bytes of the source */
	uint8_t columns; /* that it fills on a terminal: 0, 1 or 2; an escape fills more */
};

/* The character that begins at `at`, which must be before `end`. */
struct printable printable__character(const uint8_t *at, const uint8_t *end);

/*
 * Copies `text`, which ends at a NUL or after `bytes` bytes, to `to`. At most `room` bytes are
 * written, and the last one is a NUL; `room` must not be 0. Longer text is truncated in front of a
 * whole character or escape. Returns `to`. The two must not overlap.
 */
char *printable__copy(char *to, size_t room, const char *text, size_t bytes);

/* printable__copy() of a whole text to an array: printable__to(shown, path). */
#define printable__to(array, text) printable__copy(array, sizeof(array), text, SIZE_MAX)

/* A printable copy of the whole text, which the caller frees. NULL: no memory. */
char *printable__duplicate(const char *text);

/* How many columns the text fills. It ends at a NUL or after `bytes` bytes. */
size_t printable__columns(const char *text, size_t bytes);

#endif
