// SPDX-License-Identifier: BSD-2-Clause
#include "common/option_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- bytes */

static int read_open_file(int fd, char *text, size_t *bytes, struct error *err)
{
	struct stat status;
	ssize_t count;

	if (fstat(fd, &status))
		return error__set(err, -errno, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode))
		return error__set(err, -EINVAL, "it is not a regular file");
	*bytes = 0;
	while ((count = read(fd, text + *bytes, OPTION_FILE_BYTES_MAX + 1 - *bytes)) > 0)
		*bytes += (size_t)count;
	if (count < 0)
		return error__set(err, -errno, "%s", strerror(errno));
	if (*bytes > OPTION_FILE_BYTES_MAX)
		return error__set(err, -E2BIG, "it has more than %d bytes", OPTION_FILE_BYTES_MAX);
	text[*bytes] = 0;
	return 0;
}

/* O_NONBLOCK: the open of a FIFO would wait for its writer. */
static int read_text(const char *path, char *text, size_t *bytes, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int code = fd < 0 ? error__set(err, -errno, "%s", strerror(errno))
			  : read_open_file(fd, text, bytes, err);

	if (fd >= 0)
		close(fd);
	return code ? error__prefix(err, code, "cannot read the options in '%s'", path) : 0;
}

static bool has_control_character(const char *line, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return true;
	return false;
}

/* ---- one line */

static char *skip_blanks(char *at)
{
	while (is_blank(*at))
		at++;
	return at;
}

static void trim_end(char *text)
{
	size_t bytes = strlen(text);

	while (bytes && is_blank(text[bytes - 1]))
		text[--bytes] = 0;
}

/* `text` begins behind the name, at the blanks before the value or a comment. */
static int take_plain_value(char *text, struct option_line *line)
{
	char *value = skip_blanks(text);

	for (char *at = value; *at; at++)
		if (*at == '#' && (at == value || is_blank(at[-1])))
			*at = 0;
	trim_end(value);
	line->value = *value ? value : NULL;
	return 0;
}

static int take_quoted_value(char *quote, struct option_line *line, struct error *err)
{
	char *end = strchr(quote + 1, '"'), *rest;

	if (!end)
		return error__set(err, -EINVAL, "the value has no closing \"");
	rest = skip_blanks(end + 1);
	if (*rest && (*rest != '#' || rest == end + 1))
		return error__set(err, -EINVAL,
				  "there is text after the closing \" (put the whole value in "
				  "quotes)");
	*end = 0;
	line->value = quote + 1;
	return 0;
}

/* People may write a line as on a command line, or as in other files of settings. */
static int check_name(const char *name, struct error *err)
{
	if (name[0] == '-')
		return error__set(err, -EINVAL, "write '%s' without dashes: output FILE", name);
	if (strchr(name, '='))
		return error__set(err, -EINVAL, "write a blank instead of '=' in '%s': output FILE",
				  name);
	return 0;
}

/* line->name stays NULL where the line has no option. */
static int parse_line(char *text, struct option_line *line, struct error *err)
{
	char *name = skip_blanks(text), *end = name, *value;
	int code;

	if (*name == '#' || !*name)
		return 0;
	while (*end && !is_blank(*end))
		end++;
	value = skip_blanks(end);
	code = *value == '"' ? take_quoted_value(value, line, err) : take_plain_value(end, line);
	if (code)
		return code;
	*end = 0;
	line->name = name;
	return check_name(name, err);
}

/* ---- all lines */

static int add_line(struct option_file *file, const struct option_line *line, struct error *err)
{
	if (!line->name)
		return 0;
	if (file->count == OPTION_FILE_LINES_MAX)
		return error__set(err, -E2BIG, "there are more than %d options",
				  OPTION_FILE_LINES_MAX);
	file->lines[file->count++] = *line;
	return 0;
}

static int parse_text(struct option_file *file, size_t bytes, struct error *err)
{
	struct option_line line = {0};

	for (char *at = file->text, *last = at + bytes, *end; at < last; at = end + 1) {
		int code = 0;

		line = (struct option_line){.number = line.number + 1};
		end = memchr(at, '\n', (size_t)(last - at));
		end = end ? end : last;
		*end = 0;
		if (has_control_character(at, (size_t)(end - at)))
			code = error__set(err, -EINVAL, "the line has a control character");
		if (!code)
			code = parse_line(at, &line, err);
		if (!code)
			code = add_line(file, &line, err);
		if (code)
			return error__prefix(err, code, "%s:%u", file->path, line.number);
	}
	return 0;
}

int option_file__read(struct option_file *file, const char *path, struct error *err)
{
	size_t bytes = 0;
	int code;

	*file = (struct option_file){
		.path = path,
		.text = malloc(OPTION_FILE_BYTES_MAX + 1),
		.lines = calloc(OPTION_FILE_LINES_MAX, sizeof(*file->lines)),
	};
	code = file->text && file->lines ? read_text(path, file->text, &bytes, err)
					 : error__set(err, -ENOMEM, "out of memory");
	if (!code)
		code = parse_text(file, bytes, err);
	if (code)
		option_file__free(file);
	return code;
}

void option_file__free(struct option_file *file)
{
	free(file->text);
	free(file->lines);
	*file = (struct option_file){0};
}
