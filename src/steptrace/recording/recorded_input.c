// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recorded_input.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "steptrace/recording/gunzip.h"
#include "steptrace/recording/recorded_event.h"

_Static_assert((int)RECORDED_BUFFER_BYTES >= RECORDING_LINE_BYTES_MAX + RECORDED_CHUNK_BYTES,
	       "a whole line and a chunk must fit");

/*
 * buffer:	[ ... lines that were yielded ... | text that was read ... | room ]
 *		0                                 from                     to
 */
struct recorded_input {
	char *buffer; /* owned, as all pointers here */
	unsigned char *compressed;
	struct gunzip *gunzip; /* NULL: the file is plain */
	int fd;                /* -1: none */
	size_t from, to;
	uint64_t at; /* of `from` in the text */
	uint64_t disk_bytes;
	bool has_ended, is_damaged;
	void (*on_read)(void *context); /* or NULL */
	void *context;
	const volatile sig_atomic_t *is_asked; /* borrowed; NULL: waiting is not ended */
};

struct recorded_input *recorded_input__new(void)
{
	struct recorded_input *input = calloc(1, sizeof(*input));

	if (!input)
		return NULL;
	input->fd = -1;
	input->buffer = malloc(RECORDED_BUFFER_BYTES);
	input->compressed = malloc(RECORDED_CHUNK_BYTES);
	if (input->buffer && input->compressed)
		return input;
	recorded_input__free(input);
	return NULL;
}

static void end_file(struct recorded_input *input)
{
	if (input->fd >= 0)
		close(input->fd);
	input->fd = -1;
	gunzip__free(input->gunzip);
	input->gunzip = NULL;
}

void recorded_input__free(struct recorded_input *input)
{
	if (!input)
		return;
	end_file(input);
	free(input->buffer);
	free(input->compressed);
	free(input);
}

/* ---- bytes */

/* poll() ends at a signal, also where read() would be started again. 0 or -EINTR. */
static int wait_for_text(const struct recorded_input *input)
{
	struct pollfd one = {.fd = input->fd, .events = POLLIN};

	if (!input->is_asked)
		return 0;
	while (!*input->is_asked && poll(&one, 1, -1) < 0)
		;
	return *input->is_asked ? -EINTR : 0;
}

static ssize_t read_disk(struct recorded_input *input, void *to, size_t room)
{
	ssize_t got = wait_for_text(input);

	if (got < 0)
		return got;
	do
		got = read(input->fd, to, room);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		input->disk_bytes += (uint64_t)got;
	return got < 0 ? -errno : got;
}

/* A broken file ends where it is broken. */
static ssize_t end_gzip(struct recorded_input *input, bool is_broken)
{
	input->is_damaged = is_broken || !gunzip__is_whole(input->gunzip);
	return 0;
}

static ssize_t read_gzip(struct recorded_input *input, char *to, size_t room)
{
	for (;;) {
		long got = gunzip__read(input->gunzip, to, room);
		ssize_t fed;

		if (got < 0)
			return end_gzip(input, true);
		if (got > 0)
			return got;
		fed = read_disk(input, input->compressed, RECORDED_CHUNK_BYTES);
		if (fed < 0)
			return fed;
		if (fed == 0)
			return end_gzip(input, false);
		gunzip__feed(input->gunzip, input->compressed, (size_t)fed);
	}
}

/* Moves the text to the front and reads more behind it. 0, or negative errno. */
static int refill(struct recorded_input *input)
{
	ssize_t got;

	memmove(input->buffer, input->buffer + input->from, input->to - input->from);
	input->to -= input->from;
	input->from = 0;
	got = input->gunzip ? read_gzip(input, input->buffer + input->to, RECORDED_CHUNK_BYTES)
			    : read_disk(input, input->buffer + input->to, RECORDED_CHUNK_BYTES);
	if (got < 0)
		return (int)got;
	input->to += (size_t)got;
	input->has_ended = got == 0;
	if (input->on_read)
		input->on_read(input->context);
	return 0;
}

/* What was read so far becomes what is fed. */
static int begin_gzip(struct recorded_input *input)
{
	input->gunzip = gunzip__new();
	if (!input->gunzip)
		return -ENOMEM;
	memcpy(input->compressed, input->buffer, input->to);
	gunzip__feed(input->gunzip, input->compressed, input->to);
	input->to = 0;
	return 0;
}

/* A pipe may give a single byte, which does not tell the format. */
int recorded_input__begin(struct recorded_input *input, int fd)
{
	int code = 0;

	end_file(input);
	input->fd = fd;
	input->from = input->to = 0;
	input->at = input->disk_bytes = 0;
	input->has_ended = input->is_damaged = false;
	while (!code && !input->has_ended && input->to < 2)
		code = refill(input);
	if (code || !gunzip__is_gzip((unsigned char *)input->buffer, input->to))
		return code;
	input->has_ended = false;
	return begin_gzip(input);
}

/* ---- lines */

static void take_bytes(struct recorded_input *input, size_t bytes)
{
	input->from += bytes;
	input->at += bytes;
}

/* Behind the next newline, or at the end of the file. */
static int pass_long_line(struct recorded_input *input, struct recorded_input_line *line)
{
	const char *newline = NULL;
	int code = 0;

	line->is_too_long = true;
	line->bytes = 0;
	while (!code && !newline && !(input->has_ended && input->from == input->to)) {
		newline = memchr(input->buffer + input->from, '\n', input->to - input->from);
		take_bytes(input, newline ? (size_t)(newline + 1 - input->buffer) - input->from
					  : input->to - input->from);
		if (!newline && !input->has_ended)
			code = refill(input);
	}
	line->has_end = newline != NULL;
	line->bytes_read = input->at - line->at;
	return code ? code : 1;
}

static int yield(struct recorded_input *input, struct recorded_input_line *line, size_t bytes)
{
	line->text = input->buffer + input->from;
	line->bytes = bytes;
	line->bytes_read = bytes + line->has_end;
	take_bytes(input, line->bytes_read);
	return 1;
}

int recorded_input__next(struct recorded_input *input, struct recorded_input_line *line)
{
	size_t seen = 0;
	int code = 0;

	*line = (struct recorded_input_line){.text = "", .at = input->at};
	while (!code) {
		const char *from = input->buffer + input->from;
		size_t bytes = input->to - input->from;
		const char *newline = memchr(from + seen, '\n', bytes - seen);

		line->has_end = newline != NULL;
		if (newline)
			bytes = (size_t)(newline - from);
		if (bytes > RECORDING_LINE_BYTES_MAX)
			return pass_long_line(input, line);
		if (newline || input->has_ended)
			return newline || bytes ? yield(input, line, bytes) : 0;
		seen = bytes;
		code = refill(input);
	}
	return code;
}

void recorded_input__on_read(struct recorded_input *input, void (*hook)(void *context),
			     void *context)
{
	input->on_read = hook;
	input->context = context;
}

void recorded_input__stop_when(struct recorded_input *input, const volatile sig_atomic_t *is_asked)
{
	input->is_asked = is_asked;
}

bool recorded_input__is_damaged(const struct recorded_input *input)
{
	return input->is_damaged;
}

uint64_t recorded_input__disk_bytes(const struct recorded_input *input)
{
	return input->disk_bytes;
}
