/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One file of a recording as a sequence of lines, plain or gzip. It has one buffer of
 * RECORDED_BUFFER_BYTES, which serves all files one after the other.
 */
#ifndef STEPTRACE_RECORDED_INPUT_H
#define STEPTRACE_RECORDED_INPUT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDED_CHUNK_BYTES = 1 << 18, RECORDED_BUFFER_BYTES = 5 << 18 };

struct recorded_input;

struct recorded_input_line {
	const char *text;    /* valid until the next call */
	size_t bytes;        /* without the newline; of a line that is too long: 0 */
	uint64_t at;         /* where it begins in the uncompressed text */
	uint64_t bytes_read; /* of the file, for this line, with its newline */
	bool has_end;        /* a newline follows: false for a torn last line */
	bool is_too_long;
};

/* NULL: no memory. */
struct recorded_input *recorded_input__new(void);
void recorded_input__free(struct recorded_input *input);

/* Begins to read this file, which is then the input's to close. Closes the previous one. 0, or
 * negative errno. */
int recorded_input__begin(struct recorded_input *input, int fd);

/* From now on, `hook` is called whenever text was read, at most RECORDED_CHUNK_BYTES of it: also
 * within a line that is too long. NULL: no more. */
void recorded_input__on_read(struct recorded_input *input, void (*hook)(void *context),
			     void *context);

/* From now on, waiting for text ends with -EINTR when the handler of a signal has made this one
 * true. */
void recorded_input__stop_when(struct recorded_input *input, const volatile sig_atomic_t *is_asked);

/* 1: a line; 0: the file has ended; or negative errno. */
int recorded_input__next(struct recorded_input *input, struct recorded_input_line *line);

/* Whether its gzip data is broken, or ends in the middle. The lines before that were yielded. */
bool recorded_input__is_damaged(const struct recorded_input *input);

/* Bytes that were read of the file as it is on the disk. */
uint64_t recorded_input__disk_bytes(const struct recorded_input *input);

#endif
