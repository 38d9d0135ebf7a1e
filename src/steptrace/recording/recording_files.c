// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recording_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "steptrace/recording/recorded_input.h"
#include "steptrace/recording/recorded_line.h"
#include "steptrace/stream/text_hash.h"

static bool is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

const char *recording_file__shown(const char *path)
{
	return is_stdin(path) ? "standard input" : path;
}

int recording_file__open(const char *path, struct error *err)
{
	int fd = is_stdin(path) ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	return error__set(err, -errno, "cannot open '%s': %s", recording_file__shown(path),
			  strerror(errno));
}

/* ---- the compact format */

static bool begins_with(const char *line, size_t bytes, const char *word)
{
	return bytes >= strlen(word) && memcmp(line, word, strlen(word)) == 0;
}

/* "20:15:31.482  4711  9f0c2ab1  mail.get  started": a part of a recording without its header. */
static bool begins_with_time_of_day(const char *line, size_t bytes)
{
	static const char form[] = "00:00:00.000";

	for (size_t i = 0; form[i]; i++)
		if (i >= bytes ||
		    (form[i] == '0' ? !isdigit((unsigned char)line[i]) : line[i] != form[i]))
			return false;
	return true;
}

int recording_file__refuse_compact(const char *path, const char *line, size_t bytes,
				   struct error *err)
{
	if (!begins_with(line, bytes, "TIME (UTC)") && !begins_with_time_of_day(line, bytes))
		return 0;
	return error__set(err, -EINVAL,
			  "'%s' is a recording in the compact format, which is text for people: "
			  "record again with --format json",
			  recording_file__shown(path));
}

/* ---- the order */

static void date(struct recording_file *file, const struct text_hash *hash,
		 const struct recorded_event *event)
{
	file->is_dated = true;
	file->realtime_ns = RECORDED_HAS(event, clock_realtime_ns) ? event->clock_realtime_ns
								   : event->timestamp_ns;
	file->monotonic_ns = event->monotonic_ns;
	file->part = event->part;
	file->first_line = text_hash__of(hash, event->line.text, event->line.bytes);
}

static int look_at_line(struct recording_file *file, const struct text_hash *hash,
			const struct recorded_input_line *line, struct error *err)
{
	struct recorded_line reader = {0};
	struct recorded_event event;
	int code = recording_file__refuse_compact(file->path, line->text, line->bytes, err);

	if (code)
		return code;
	code = recorded_line__read(&reader, &event, line->text, line->bytes);
	if (!code && event.kind == RECORDED_TRACE_STARTED)
		date(file, hash, &event);
	recorded_line__free(&reader);
	return code == -ENOMEM ? error__set(err, code, "out of memory") : 0;
}

static int look_into(struct recording_file *file, const struct text_hash *hash,
		     struct recorded_input *input, struct error *err)
{
	struct recorded_input_line line;
	int fd = recording_file__open(file->path, err), code;

	if (fd < 0)
		return fd;
	code = recorded_input__begin(input, fd);
	if (!code)
		code = recorded_input__next(input, &line);
	if (code < 0)
		return error__set(err, code, "cannot read '%s': %s", file->path, strerror(-code));
	return code ? look_at_line(file, hash, &line, err) : 0;
}

/* Pipes cannot be read twice. Errors of open() are told when the file is opened. */
static int look_at(struct recording_file *file, const struct text_hash *hash,
		   struct recorded_input *input, struct error *err)
{
	struct stat status;

	if (is_stdin(file->path))
		return 0;
	if (stat(file->path, &status))
		return error__set(err, -errno, "cannot open '%s': %s", file->path, strerror(errno));
	if (S_ISDIR(status.st_mode))
		return error__set(err, -EISDIR, "'%s' is a directory: name the files in it",
				  file->path);
	if (!S_ISREG(status.st_mode))
		return 0;
	file->disk_bytes = (uint64_t)status.st_size;
	return look_into(file, hash, input, err);
}

static int order(uint64_t one, uint64_t other)
{
	return one < other ? -1 : one > other;
}

static int compare(const void *left, const void *right)
{
	const struct recording_file *one = left, *other = right;
	int result = order(other->is_dated, one->is_dated);

	if (!result)
		result = order(one->realtime_ns, other->realtime_ns);
	if (!result)
		result = order(one->monotonic_ns, other->monotonic_ns);
	if (!result)
		result = order(one->part, other->part);
	if (!result)
		result = order(one->first_line, other->first_line);
	return result ? result : order(one->index, other->index);
}

static void mark_copies(struct recording_files *files)
{
	for (size_t i = 1; i < files->count; i++)
		files->files[i].is_copy =
			files->files[i].is_dated && files->files[i - 1].is_dated &&
			files->files[i].first_line == files->files[i - 1].first_line;
}

static int look_at_all(struct recording_files *files, const char *const *paths,
		       struct recorded_input *input, struct error *err)
{
	struct text_hash hash;
	bool are_regular = true;
	int code = 0;

	text_hash__init(&hash);
	for (size_t i = 0; i < files->count && !code; i++) {
		struct recording_file *file = &files->files[i];

		*file = (struct recording_file){.path = paths[i], .index = i};
		code = look_at(file, &hash, input, err);
		are_regular = are_regular && file->disk_bytes;
		files->disk_bytes += file->disk_bytes;
	}
	if (!are_regular)
		files->disk_bytes = 0;
	return code;
}

int recording_files__sort(struct recording_files *files, const char *const *paths, size_t count,
			  struct recorded_input *input, struct error *err)
{
	static const char *const standard_input[] = {"-"};
	int code;

	if (count == 0)
		paths = standard_input;
	files->count = count ? count : 1;
	files->disk_bytes = 0;
	files->files = calloc(files->count, sizeof(*files->files));
	if (!files->files)
		return error__set(err, -ENOMEM, "out of memory");
	code = look_at_all(files, paths, input, err);
	if (code)
		return code;
	qsort(files->files, files->count, sizeof(*files->files), compare);
	mark_copies(files);
	return 0;
}

void recording_files__free(struct recording_files *files)
{
	free(files->files);
	files->files = NULL;
}
