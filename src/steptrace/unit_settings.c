// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/unit_settings.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	void (*on_setting)(void *context, const char *key, const char *value);
	void *context;
	bool in_service; /* the section */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *trim(char *text)
{
	size_t bytes;

	text += strspn(text, " \t");
	bytes = strlen(text);
	while (bytes && strchr(" \t\r\n", text[bytes - 1]))
		text[--bytes] = 0;
	return text;
}

static void take_line(struct reading *reading, char *line)
{
	char *key = trim(line), *equals;

	if (*key == '[')
		reading->in_service = strcmp(key, "[Service]") == 0;
	equals = strchr(key, '=');
	if (!equals || !reading->in_service || *key == '#' || *key == ';')
		return;
	*equals = 0;
	reading->on_setting(reading->context, trim(key), trim(equals + 1));
}

/* A line that ends with a backslash goes on in the next line. */
static bool joins_next(char *line)
{
	size_t bytes = strcspn(line, "\n");

	if (bytes == 0 || line[bytes - 1] != '\\' || line[bytes] != '\n')
		return false;
	line[bytes - 1] = ' ';
	line[bytes] = 0;
	return true;
}

enum { LINE_BYTES_MAX = 8192 };

static int read_file(struct reading *reading, const char *path, struct error *err)
{
	char line[LINE_BYTES_MAX];
	FILE *file = fopen(path, "re");
	size_t at = 0;

	if (!file)
		return error__set(err, -errno, "cannot read '%s': %s", path, strerror(errno));
	reading->in_service = false;
	while (at < sizeof(line) - 1 && fgets(line + at, (int)(sizeof(line) - at), file)) {
		if (joins_next(line + at)) {
			at += strlen(line + at);
			continue;
		}
		take_line(reading, line);
		at = 0;
	}
	fclose(file);
	return 0;
}

/* ---- drop-ins */

static int by_name(const void *a, const void *b)
{
	return strcmp(base_name(*(char *const *)a), base_name(*(char *const *)b));
}

static bool is_shadowed(char *const *paths, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(base_name(paths[i]), base_name(paths[index])) == 0)
			return true;
	return false;
}

/* Folders in the order of their rank. glob() keeps that order, and sorts within a folder. */
static void find(const char *unit_path, glob_t *found)
{
	static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system"};
	char pattern[PATH_MAX];

	*found = (glob_t){0};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s.d/*.conf", folders[i],
			 base_name(unit_path));
		glob(pattern, i ? GLOB_APPEND : 0, NULL, found);
	}
	snprintf(pattern, sizeof(pattern), "%s.d/*.conf", unit_path);
	glob(pattern, GLOB_APPEND, NULL, found);
}

/* Removes what is shadowed, and sorts the rest. Returns how many are left. */
static size_t order(char **paths, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		char *path = paths[i];

		if (is_shadowed(paths, i)) /* the kept ones are among those before */
			continue;
		paths[i] = paths[kept];
		paths[kept++] = path;
	}
	if (kept)
		qsort(paths, kept, sizeof(*paths), by_name);
	return kept;
}

int unit_settings__read(const char *path,
			void (*on_setting)(void *context, const char *key, const char *value),
			void *context, struct error *err)
{
	struct reading reading = {on_setting, context, false};
	int code = read_file(&reading, path, err);
	size_t count;
	glob_t found;

	if (code)
		return code;
	find(path, &found);
	count = order(found.gl_pathv, found.gl_pathc);
	for (size_t i = 0; i < count && !code; i++)
		code = read_file(&reading, found.gl_pathv[i], err);
	globfree(&found);
	return code;
}
