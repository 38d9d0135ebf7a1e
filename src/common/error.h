/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Error messages for the user.
 *
 * Inside the programs a function returns 0 or a negative errno. Where the number alone does not
 * tell the user what to do, the function also takes a `struct error *` and writes a sentence into
 * it: what happened, to which object (quoted), and what to do next. Only `main` and the commands
 * print the sentence.
 *
 * The caller owns the `struct error`. The functions here allocate nothing and cannot fail; a
 * sentence that is longer than ERROR_TEXT_BYTES - 1 bytes is truncated.
 *
 *	return error__set(err, -ENOENT, "cannot open '%s': %s", path, strerror(errno));
 */
#ifndef STEPTRACE_COMMON_ERROR_H
#define STEPTRACE_COMMON_ERROR_H

enum { ERROR_TEXT_BYTES = 1024 };

struct error {
	char text[ERROR_TEXT_BYTES]; /* NUL-terminated; see printable.h for what is escaped */
};

/*
 * Writes the sentence into `err` and returns `code` unchanged, so that one statement can set the
 * sentence and return the error. `err` may be NULL; then only `code` is returned. Quoted text such
 * as a file name may contain control characters, which a terminal would execute. They are escaped.
 */
int error__set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " in front of the sentence that `err` already holds. Returns `code` unchanged. */
int error__prefix(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
