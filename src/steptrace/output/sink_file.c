// SPDX-License-Identifier: BSD-2-Clause
/* Writes lines to a regular file, plain or as gzip members. rotated_file.c decides which file that
 * is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "steptrace/output/descriptor.h"
#include "steptrace/output/gzip.h"
#include "steptrace/output/rotated_file.h"
#include "steptrace/output/sink.h"

#define GATHER_NS 1000000000ull /* lines become one member, which compresses better */

struct sink_file {
	struct sink sink; /* its name is the path */
	struct rotated_file file;
	struct gzip *gzip; /* NULL: plain */
};

static struct sink_file *file_of(struct sink *sink)
{
	return (struct sink_file *)sink;
}

/* Appends. After a failure everything behind the last whole line is removed again; a member is
 * removed as a whole. *written: the bytes that stay. */
static int append(struct sink_file *sink, const char *bytes, size_t count, bool in_lines,
		  size_t *written)
{
	size_t out;
	int code = descriptor__write(sink->file.fd, bytes, count, &sink->sink.write_state, &out);

	*written = code == 0 ? out : in_lines ? descriptor__whole_lines(bytes, out) : 0;
	descriptor__take_back(sink->file.fd, out - *written);
	sink->file.bytes += *written;
	return code;
}

static int put_header(struct sink *sink, const char *header, size_t count)
{
	struct sink_file *file = file_of(sink);
	size_t written;

	if (file->gzip)
		count = gzip__member(file->gzip, header, count, &header);
	return count ? append(file, header, count, !file->gzip, &written) : -ENOMEM;
}

static int put_header_if_new(struct sink_file *sink)
{
	int code = sink->file.is_new ? sink__put_header(&sink->sink, put_header) : 0;

	if (code == 0)
		sink->file.is_new = false;
	return code;
}

/* Rotates where so many bytes do not fit. */
static int make_room(struct sink_file *sink, size_t bytes, uint64_t now_ns)
{
	rotated_file__make_room(&sink->file, bytes, now_ns);
	return put_header_if_new(sink);
}

/* ---- plain */

static size_t first_line(const char *lines, size_t bytes)
{
	const char *end = memchr(lines, '\n', bytes);

	return end ? (size_t)(end - lines) + 1 : bytes;
}

/* The size of those lines that still fit into the file; at least one line. */
static size_t fitting(const struct sink_file *sink, const char *lines, size_t bytes)
{
	size_t room = rotated_file__room(&sink->file);
	size_t fits = room < bytes ? descriptor__whole_lines(lines, room) : bytes;

	return fits ? fits : first_line(lines, bytes);
}

static int put_plain(struct sink_file *sink, const char *lines, size_t bytes, uint64_t now_ns,
		     size_t *written)
{
	int code;

	do {
		const char *rest = lines + *written;
		size_t left = bytes - *written, out = 0;

		code = make_room(sink, left ? first_line(rest, left) : 0, now_ns);
		if (code || !left)
			break;
		code = append(sink, rest, fitting(sink, rest, left), true, &out);
		if (out)
			rotated_file__took_lines(&sink->file, now_ns);
		*written += out;
	} while (!code && *written < bytes);
	return code;
}

/* ---- gzip members */

static size_t half_of(const char *lines, size_t bytes)
{
	size_t half = descriptor__whole_lines(lines, bytes / 2);

	return half ? half : first_line(lines, bytes);
}

/* Writes one member of as many of the lines as fit into a file, at least of one. The size of a
 * member is known when it is made. A header is a member, too, made in the same memory: then the
 * other one has to be made again. */
static int put_member(struct sink_file *sink, const char *lines, size_t bytes, uint64_t now_ns,
		      size_t *written)
{
	const char *member;
	size_t size, half, out;
	int code;

	for (;;) {
		size = gzip__member(sink->gzip, lines, bytes, &member);
		rotated_file__make_room(&sink->file, size, now_ns);
		half = half_of(lines, bytes);
		if (sink->file.is_new) {
			code = put_header_if_new(sink);
			if (code)
				return code;
		} else if (size <= rotated_file__room(&sink->file) || half == bytes) {
			break;
		} else {
			bytes = half;
		}
	}
	code = size ? append(sink, member, size, false, &out) : -ENOMEM;
	if (code == 0) {
		rotated_file__took_lines(&sink->file, now_ns);
		*written = bytes;
	}
	return code;
}

static int put_members(struct sink_file *sink, const char *lines, size_t bytes, uint64_t now_ns,
		       size_t *written)
{
	int code = bytes ? 0 : put_header_if_new(sink);

	while (!code && *written < bytes) {
		size_t out = 0;

		code = put_member(sink, lines + *written, bytes - *written, now_ns, &out);
		*written += out;
	}
	return code;
}

/* ---- the sink */

static int file_write(struct sink *sink, const char *lines, size_t bytes, size_t *written,
		      struct error *err)
{
	struct sink_file *file = file_of(sink);
	uint64_t now_ns = clock__now_ns();
	int code = rotated_file__check(&file->file, now_ns, err);

	if (code)
		return code;
	code = file->gzip ? put_members(file, lines, bytes, now_ns, written)
			  : put_plain(file, lines, bytes, now_ns, written);
	return code ? error__set(err, code, "cannot write to %s: %s", sink->name, strerror(-code))
		    : 0;
}

static gid_t file_group(const struct sink *sink)
{
	return ((const struct sink_file *)sink)->file.group;
}

static uint64_t file_timer_ns(const struct sink *sink)
{
	return rotated_file__old_in_ns(&((const struct sink_file *)sink)->file, clock__now_ns());
}

static void file_on_timer(struct sink *sink)
{
	struct sink_file *file = file_of(sink);

	rotated_file__rotate_if_old(&file->file, clock__now_ns());
	put_header_if_new(file);
}

static void file_reopen(struct sink *sink)
{
	rotated_file__reopen(&file_of(sink)->file);
}

static void file_close(struct sink *sink)
{
	struct sink_file *file = file_of(sink);

	rotated_file__close(&file->file);
	gzip__free(file->gzip);
}

static const struct sink_ops file_ops = {
	.write = file_write,
	.timer_ns = file_timer_ns,
	.on_timer = file_on_timer,
	.reopen = file_reopen,
	.group = file_group,
	.close = file_close,
};

static int open_gzip(struct sink_file *sink, struct error *err)
{
	sink->sink.gather_ns = GATHER_NS;
	sink->gzip = gzip__new();
	return sink->gzip ? 0 : error__set(err, -ENOMEM, "out of memory");
}

int sink_file__open(const struct sink_options *options, struct sink **sink, struct error *err)
{
	struct sink_file *file = calloc(1, sizeof(*file));
	int code = 0;

	if (!file)
		return error__set(err, -ENOMEM, "out of memory");
	sink__init(&file->sink, &file_ops, options->where);
	file->file.fd = -1;
	if (gzip__is_named(options->where))
		code = open_gzip(file, err);
	if (!code)
		code = rotated_file__open(&file->file, options, err);
	if (code) {
		file_close(&file->sink);
		free(file);
		return code;
	}
	*sink = &file->sink;
	return 0;
}
