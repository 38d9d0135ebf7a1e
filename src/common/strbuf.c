// SPDX-License-Identifier: BSD-2-Clause
#include "common/strbuf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

void strbuf__init(struct strbuf *buf, size_t limit)
{
	*buf = (struct strbuf){.limit = limit};
}

void strbuf__free(struct strbuf *buf)
{
	free(buf->text);
	strbuf__init(buf, buf->limit);
}

void strbuf__clear(struct strbuf *buf)
{
	buf->length = 0;
	buf->err = 0;
	if (buf->text)
		buf->text[0] = 0;
}

static bool has_room(const struct strbuf *buf, size_t more)
{
	return !buf->err && more < buf->room - buf->length && more <= buf->limit - buf->length;
}

static __attribute__((noinline)) int grow(struct strbuf *buf, size_t more)
{
	size_t room = buf->room ? buf->room : FIRST_ROOM;
	char *text;

	if (buf->err)
		return buf->err;
	if (more > buf->limit - buf->length || more > SIZE_MAX / 4 - buf->length)
		return buf->err = -E2BIG;
	while (room <= buf->length + more)
		room *= 2;
	if (room == buf->room)
		return 0;
	text = realloc(buf->text, room);
	if (!text)
		return buf->err = -ENOMEM;
	buf->text = text;
	buf->room = room;
	return 0;
}

/* Makes room for `more` bytes and the final NUL. */
static inline int make_room(struct strbuf *buf, size_t more)
{
	return has_room(buf, more) ? 0 : grow(buf, more);
}

int strbuf__bytes(struct strbuf *buf, const void *bytes, size_t length)
{
	int err = make_room(buf, length);

	if (err)
		return err;
	if (length)
		memcpy(buf->text + buf->length, bytes, length);
	buf->length += length;
	buf->text[buf->length] = 0;
	return 0;
}

int strbuf__text(struct strbuf *buf, const char *text)
{
	return strbuf__bytes(buf, text, strlen(text));
}

int strbuf__char(struct strbuf *buf, char c)
{
	return strbuf__bytes(buf, &c, 1);
}

int strbuf__repeat(struct strbuf *buf, const char *text, size_t times)
{
	size_t length = strlen(text);
	int err = buf->err;

	if (length == 0)
		return err;
	while (!err && times-- > 0)
		err = strbuf__bytes(buf, text, length);
	return err;
}

int strbuf__printf(struct strbuf *buf, const char *format, ...)
{
	va_list args;
	int length, err;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	err = length < 0 ? -EINVAL : make_room(buf, (size_t)length);
	if (err)
		return buf->err = err;
	va_start(args, format);
	vsnprintf(buf->text + buf->length, (size_t)length + 1, format, args);
	va_end(args);
	buf->length += (size_t)length;
	return 0;
}

char *strbuf__take(struct strbuf *buf)
{
	char *text = NULL;

	if (strbuf__bytes(buf, "", 0) == 0)
		text = buf->text;
	else
		free(buf->text);
	*buf = (struct strbuf){.limit = buf->limit, .err = buf->err};
	return text;
}
