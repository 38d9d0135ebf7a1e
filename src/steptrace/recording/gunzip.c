// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/gunzip.h"

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16 };

struct gunzip {
	z_stream stream;
	bool in_member; /* it has begun and not ended */
};

bool gunzip__is_gzip(const unsigned char *bytes, size_t count)
{
	return count >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

struct gunzip *gunzip__new(void)
{
	struct gunzip *gunzip = calloc(1, sizeof(*gunzip));

	if (!gunzip)
		return NULL;
	if (inflateInit2(&gunzip->stream, GZIP_WINDOW) == Z_OK)
		return gunzip;
	free(gunzip);
	return NULL;
}

void gunzip__free(struct gunzip *gunzip)
{
	if (!gunzip)
		return;
	inflateEnd(&gunzip->stream);
	free(gunzip);
}

void gunzip__feed(struct gunzip *gunzip, const unsigned char *bytes, size_t count)
{
	gunzip->stream.next_in = (unsigned char *)(uintptr_t)bytes;
	gunzip->stream.avail_in = (unsigned int)count;
}

/* One call of inflate(). False: the data is broken. */
static bool inflate_some(struct gunzip *gunzip)
{
	z_stream *stream = &gunzip->stream;
	int code;

	gunzip->in_member = gunzip->in_member || stream->avail_in > 0;
	code = inflate(stream, Z_NO_FLUSH);
	if (code == Z_STREAM_END) {
		gunzip->in_member = false;
		code = inflateReset(stream);
	}
	return code == Z_OK || code == Z_BUF_ERROR;
}

/* inflate() may have output left after it has taken all input, so it is called until the room is
 * full or nothing comes any more. */
long gunzip__read(struct gunzip *gunzip, char *to, size_t room)
{
	z_stream *stream = &gunzip->stream;
	unsigned int before;

	stream->next_out = (unsigned char *)to;
	stream->avail_out = (unsigned int)room;
	do {
		before = stream->avail_out;
		if (!inflate_some(gunzip))
			return before < room ? (long)(room - before) : -1;
	} while (stream->avail_out > 0 && (stream->avail_in > 0 || stream->avail_out < before));
	return (long)(room - stream->avail_out);
}

bool gunzip__is_whole(const struct gunzip *gunzip)
{
	return !gunzip->in_member;
}
