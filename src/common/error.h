/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors that a person will read.
 *
 * Inside the programs a function returns 0 or a negative errno. Where the number is not
 * enough to act on, the function also takes a `struct error *` and leaves a sentence in it:
 * what happened, to what (quoted), and what to do next. Only `main` and the commands print it.
 *
 *	return error__set(err, -ENOENT, "cannot open '%s': %s", path, strerror(errno));
 */
#ifndef STEPTRACE_COMMON_ERROR_H
#define STEPTRACE_COMMON_ERROR_H

enum { ERROR_TEXT_BYTES = 1024 };

struct error {
	char text[ERROR_TEXT_BYTES]; /* NUL-terminated; control characters are replaced by '?' */
};

/*
 * Writes the sentence into `err` (which may be NULL) and returns `code` unchanged, so that the
 * failure and its text leave the function in one statement. Control characters that come in
 * through quoted foreign text (file names, slugs) are replaced: a terminal never executes them.
 */
int error__set(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "PREFIX: " in front of the sentence that is already there; returns `code`. */
int error__prefix(struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
