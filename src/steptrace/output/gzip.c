// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/gzip.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum { LEVEL = 1, GZIP_WINDOW = 15 + 16, MEMORY = 8, CHUNK_BYTES = 64 * 1024 };

struct gzip {
	z_stream stream;
	unsigned char *out; /* owned */
	size_t room;
};

bool gzip__is_named(const char *path)
{
	size_t bytes = strlen(path);

	return bytes > 3 && strcmp(path + bytes - 3, ".gz") == 0;
}

struct gzip *gzip__new(void)
{
	struct gzip *gzip = calloc(1, sizeof(*gzip));

	if (!gzip)
		return NULL;
	if (deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY,
			 Z_DEFAULT_STRATEGY) == Z_OK)
		return gzip;
	free(gzip);
	return NULL;
}

void gzip__free(struct gzip *gzip)
{
	if (!gzip)
		return;
	deflateEnd(&gzip->stream);
	free(gzip->out);
	free(gzip);
}

static int make_room(struct gzip *gzip, size_t bytes)
{
	unsigned char *out;

	if (bytes <= gzip->room)
		return 0;
	out = realloc(gzip->out, bytes);
	if (!out)
		return -ENOMEM;
	gzip->out = out;
	gzip->room = bytes;
	return 0;
}

size_t gzip__member(struct gzip *gzip, const char *bytes, size_t count, const char **member)
{
	z_stream *stream = &gzip->stream;

	if (count > UINT32_MAX / 2 || deflateReset(stream) != Z_OK ||
	    make_room(gzip, deflateBound(stream, count)))
		return 0;
	stream->next_in = (unsigned char *)(uintptr_t)bytes;
	stream->avail_in = (unsigned int)count;
	stream->next_out = gzip->out;
	stream->avail_out = (unsigned int)gzip->room;
	if (deflate(stream, Z_FINISH) != Z_STREAM_END)
		return 0;
	*member = (const char *)gzip->out;
	return gzip->room - stream->avail_out;
}

/* ---- checking */

struct check {
	z_stream stream;
	int in_member; /* it has begun and not ended */
	unsigned char in[CHUNK_BYTES], out[CHUNK_BYTES];
};

static int check_chunk(struct check *check, size_t count)
{
	z_stream *stream = &check->stream;

	stream->next_in = check->in;
	stream->avail_in = (unsigned int)count;
	while (stream->avail_in > 0) {
		int code;

		stream->next_out = check->out;
		stream->avail_out = sizeof(check->out);
		check->in_member = 1;
		code = inflate(stream, Z_NO_FLUSH);
		if (code == Z_STREAM_END) {
			check->in_member = 0;
			code = inflateReset(stream);
		}
		if (code != Z_OK && code != Z_BUF_ERROR)
			return -EBADMSG;
	}
	return 0;
}

int gzip__check(int fd)
{
	struct check *check = calloc(1, sizeof(*check));
	off_t at = 0;
	ssize_t got;
	int code = 0;

	if (!check)
		return -ENOMEM;
	if (inflateInit2(&check->stream, GZIP_WINDOW) != Z_OK) {
		free(check);
		return -ENOMEM;
	}
	while (!code && (got = pread(fd, check->in, sizeof(check->in), at)) != 0) {
		code = got < 0 ? -errno : check_chunk(check, (size_t)got);
		at += got;
	}
	if (!code && check->in_member)
		code = -EBADMSG;
	inflateEnd(&check->stream);
	free(check);
	return code;
}
