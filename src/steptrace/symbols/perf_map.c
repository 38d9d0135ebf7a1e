// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/symbols/perf_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Without signs, blanks and prefixes, which strtoull() would accept. NULL: there is no number. */
static const char *parse_hex(const char *at, uint64_t *number)
{
	const char *begin = at;

	for (*number = 0; at - begin < 16; at++) {
		if (*at >= '0' && *at <= '9')
			*number = *number << 4 | (uint64_t)(*at - '0');
		else if (*at >= 'a' && *at <= 'f')
			*number = *number << 4 | (uint64_t)(*at - 'a' + 10);
		else if (*at >= 'A' && *at <= 'F')
			*number = *number << 4 | (uint64_t)(*at - 'A' + 10);
		else
			break;
	}
	return at == begin ? NULL : at;
}

/* Some compilers write 0x in front. */
static const char *parse_number(const char *at, uint64_t *number)
{
	if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X'))
		at += 2;
	at = parse_hex(at, number);
	return at && *at == ' ' ? at + 1 : NULL;
}

/* The line ends with a NUL. */
static bool parse_line(const char *line, struct function *function)
{
	uint64_t bytes;
	const char *at = parse_number(line, &function->start);

	if (at)
		at = parse_number(at, &bytes);
	if (!at || !*at || bytes == 0 || function->start + bytes < function->start)
		return false;
	function->end = function->start + bytes;
	function->name = at;
	return true;
}

static int parse_lines(struct perf_map *map, size_t bytes)
{
	char *at = map->text, *end = map->text + bytes, *newline;
	struct function function;

	for (uint32_t i = 0; i < PERF_MAP_LINES_MAX; i++, at = newline + 1) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			break;
		*newline = 0;
		function.rank = i;
		if (parse_line(at, &function) && function_table__add(&map->functions, &function))
			return -ENOMEM;
	}
	function_table__sort(&map->functions);
	return 0;
}

int perf_map__parse(struct perf_map *map, char *text, size_t bytes)
{
	map->text = text;
	return memchr(text, 0, bytes) ? -EINVAL : parse_lines(map, bytes);
}

/* The file may change its size meanwhile. */
static int read_text(int fd, char *text, size_t room, size_t *bytes)
{
	ssize_t count = 1;

	for (*bytes = 0; *bytes < room && count > 0; *bytes += (size_t)count) {
		count = pread(fd, text + *bytes, room - *bytes, (off_t)*bytes);
		if (count < 0)
			return -errno;
	}
	return 0;
}

int perf_map__read(struct perf_map *map, int fd)
{
	struct stat status;
	size_t bytes;
	char *text;
	int code;

	if (fstat(fd, &status))
		return -errno;
	if (status.st_size > PERF_MAP_BYTES_MAX)
		return -EFBIG;
	text = malloc((size_t)status.st_size + 1);
	if (!text)
		return -ENOMEM;
	code = read_text(fd, text, (size_t)status.st_size, &bytes);
	if (!code)
		return perf_map__parse(map, text, bytes);
	free(text);
	return code;
}

void perf_map__free(struct perf_map *map)
{
	function_table__free(&map->functions);
	free(map->text);
	*map = (struct perf_map){0};
}
