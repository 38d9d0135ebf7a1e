// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/otlp_headers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* steptrace sets these itself. */
static const char *const own[] = {
	"Content-Type", "Content-Encoding", "Content-Length",  "Host",    "Transfer-Encoding",
	"Connection",   "Expect",           "Accept-Encoding", "Upgrade", "Proxy-Connection"};

static int check_file(int fd, const char *path, struct error *err)
{
	struct stat status;

	if (fstat(fd, &status))
		return error__set(err, -errno, "cannot read the headers '%s': %s", path,
				  strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error__set(err, -EINVAL, "the headers '%s' are not a regular file", path);
	if (status.st_mode & 007)
		return error__set(
			err, -EPERM,
			"all users may access the headers '%s', which may contain secrets "
			"(chmod o= %s)",
			path, path);
	if (status.st_size > OTLP_HEADERS_BYTES)
		return error__set(err, -E2BIG, "the headers '%s' have more than %d bytes", path,
				  OTLP_HEADERS_BYTES);
	return 0;
}

static int read_text(const char *path, char *text, size_t *bytes, struct error *err)
{
	/* O_NONBLOCK: the open of a FIFO would wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code;
	ssize_t got = 0;

	if (fd < 0)
		return error__set(err, -errno, "cannot read the headers '%s': %s", path,
				  strerror(errno));
	code = check_file(fd, path, err);
	if (!code)
		got = read(fd, text, OTLP_HEADERS_BYTES);
	if (got < 0)
		code = error__set(err, -errno, "cannot read the headers '%s': %s", path,
				  strerror(errno));
	close(fd);
	*bytes = got > 0 ? (size_t)got : 0;
	return code;
}

/* The bytes of the name in front of the colon; 0: there is none. */
static size_t name_bytes(const char *line)
{
	size_t bytes = strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.!#$%&'*+^`|~");

	return line[bytes] == ':' ? bytes : 0;
}

static bool has_control_character(const char *line)
{
	for (; *line; line++)
		if ((unsigned char)*line < ' ' && *line != '\t')
			return true;
	return false;
}

/* NULL: the line is a header. */
static const char *wrong_with(const char *line)
{
	size_t bytes = name_bytes(line);

	if (bytes == 0)
		return "it is not NAME: VALUE";
	if (has_control_character(line))
		return "it has a control character";
	if (!line[bytes + 1 + strspn(line + bytes + 1, " \t")])
		return "it has no value";
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strlen(own[i]) == bytes && strncasecmp(own[i], line, bytes) == 0)
			return "steptrace sets this header itself";
	return NULL;
}

static int add_line(struct otlp_headers *headers, const char *line, const char *path, size_t number,
		    struct error *err)
{
	const char *wrong;

	if (line[0] == 0 || line[0] == '#')
		return 0;
	wrong = headers->count == OTLP_HEADERS_MAX ? "there are more than 32 headers"
						   : wrong_with(line);
	if (wrong)
		return error__set(err, -EINVAL, "line %zu of the headers '%s': %s", number, path,
				  wrong);
	headers->lines[headers->count++] = line;
	return 0;
}

int otlp_headers__read(const char *path, struct otlp_headers *headers, struct error *err)
{
	size_t bytes = 0, number = 0;
	int code = read_text(path, headers->text, &bytes, err);
	char *line = headers->text, *end = headers->text + bytes;

	if (!code && memchr(headers->text, 0, bytes))
		code = error__set(err, -EINVAL, "the headers '%s' are not text", path);
	while (!code && line < end) {
		char *next = line + strcspn(line, "\n");

		number++;
		if (next > line && next[-1] == '\r')
			next[-1] = 0;
		*next = 0;
		code = add_line(headers, line, path, number, err);
		line = next + 1;
	}
	if (!code && headers->count == 0)
		code = error__set(err, -EINVAL, "the file '%s' contains no header", path);
	return code;
}

void otlp_headers__wipe(struct otlp_headers *headers)
{
	explicit_bzero(headers, sizeof(*headers));
}
