// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/recording/recording_reader.h"

#include <errno.h>
#include <stdlib.h>

#include "steptrace/recording/recorded_input.h"
#include "steptrace/recording/recorded_line.h"
#include "steptrace/recording/recording_files.h"
#include "steptrace/recording/repeats.h"

const char *const recording_skip_names[RECORDING_SKIPS_COUNT] = {
	[RECORDING_EMPTY] = "empty",         [RECORDING_NOT_JSON] = "not_json",
	[RECORDING_NOT_EVENT] = "not_event", [RECORDING_BINARY] = "binary",
	[RECORDING_TORN] = "torn",           [RECORDING_TOO_LONG] = "too_long",
	[RECORDING_REPEATED] = "repeated",
};

const char *const recording_skip_words[RECORDING_SKIPS_COUNT] = {
	[RECORDING_EMPTY] = "are empty",
	[RECORDING_NOT_JSON] = "are no JSON object",
	[RECORDING_NOT_EVENT] = "are no event",
	[RECORDING_BINARY] = "contain a NUL byte",
	[RECORDING_TORN] = "are torn (a file ends in the middle of its last line)",
	[RECORDING_TOO_LONG] = "are longer than 1 MiB",
	[RECORDING_REPEATED] = "repeat an earlier line",
};

struct recording_reader {
	struct recording_files files;
	struct recorded_input *input; /* owned, as all pointers here */
	struct repeats *repeats;
	struct recorded_line line;
	struct recording_counts counts;
	size_t next_file;
	bool in_file;
	struct recorded_place place; /* of the line that was read last */
	uint64_t last_ns;            /* the timestamp of the event before it in the file, or 0 */
	uint64_t disk_bytes;         /* of the files that were read to their end */
	struct recording_from from;
	bool is_at_from; /* the place was reached */
};

static int open_parts(struct recording_reader *reader, const char *const *paths, size_t count,
		      struct error *err)
{
	reader->input = recorded_input__new();
	reader->repeats = repeats__new(RECORDING_WINDOW_LINES);
	if (!reader->input || !reader->repeats)
		return error__set(err, -ENOMEM, "out of memory");
	return recording_files__sort(&reader->files, paths, count, reader->input, err);
}

int recording_reader__open(struct recording_reader **reader, const char *const *paths, size_t count,
			   struct error *err)
{
	int code;

	*reader = calloc(1, sizeof(**reader));
	if (!*reader)
		return error__set(err, -ENOMEM, "out of memory");
	(*reader)->is_at_from = true;
	code = open_parts(*reader, paths, count, err);
	if (!code)
		return 0;
	recording_reader__close(*reader);
	*reader = NULL;
	return code;
}

void recording_reader__close(struct recording_reader *reader)
{
	if (!reader)
		return;
	recording_files__free(&reader->files);
	recorded_input__free(reader->input);
	repeats__free(reader->repeats);
	recorded_line__free(&reader->line);
	free(reader);
}

/* ---- files */

static const char *shown(const struct recording_reader *reader)
{
	return recording_file__shown(reader->place.file);
}

static int fail_reading(const struct recording_reader *reader, int code, struct error *err)
{
	return error__set(err, code, "cannot read '%s': %s", shown(reader), strerror(-code));
}

/* ---- the place from which on events are yielded */

int recording_reader__start_at(struct recording_reader *reader, struct recording_from from,
			       struct error *err)
{
	if (from.part > reader->files.count)
		return error__set(err, -EINVAL,
				  "there is no part %llu: the recording has %zu file(s)",
				  (unsigned long long)from.part, reader->files.count);
	reader->from = from;
	reader->is_at_from = from.part == 0;
	return 0;
}

static bool is_in_part(const struct recording_reader *reader)
{
	return !reader->is_at_from && reader->place.file_index + 1 == reader->from.part;
}

static int look_for_place(struct recording_reader *reader, uint64_t byte, struct error *err)
{
	if (!is_in_part(reader) || byte < reader->from.byte)
		return 0;
	if (byte > reader->from.byte)
		return error__set(err, -EINVAL,
				  "no line of '%s' begins at byte %llu: give the files that were "
				  "given when the place was printed",
				  shown(reader), (unsigned long long)reader->from.byte);
	reader->is_at_from = true;
	return 0;
}

/* The place may be the end of a file. */
static int end_part(struct recording_reader *reader, uint64_t end, struct error *err)
{
	if (is_in_part(reader) && end < reader->from.byte)
		end = UINT64_MAX;
	return look_for_place(reader, end, err);
}

static int begin_file(struct recording_reader *reader, struct error *err)
{
	const struct recording_file *file = &reader->files.files[reader->next_file];
	int fd, code;

	reader->place =
		(struct recorded_place){.file = file->path, .file_index = reader->next_file};
	reader->next_file++;
	if (file->is_copy) {
		if (!reader->counts.files_copied++)
			reader->counts.first_copied = reader->place;
		reader->disk_bytes += file->disk_bytes;
		return look_for_place(reader, UINT64_MAX, err); /* a place is in no copy */
	}
	fd = recording_file__open(file->path, err);
	if (fd < 0)
		return fd;
	code = recorded_input__begin(reader->input, fd);
	reader->in_file = true;
	reader->last_ns = 0;
	reader->counts.files++;
	return code ? fail_reading(reader, code, err) : 0;
}

static void end_file(struct recording_reader *reader)
{
	struct recording_counts *counts = &reader->counts;

	reader->in_file = false;
	reader->disk_bytes += recorded_input__disk_bytes(reader->input);
	if (!reader->place.line)
		counts->files_empty++;
	if (recorded_input__is_damaged(reader->input) && !counts->files_damaged++)
		counts->first_damaged = reader->place;
}

/* ---- lines */

static int skip(struct recording_reader *reader, enum recording_skip reason)
{
	if (!reader->counts.skipped[reason]++)
		reader->counts.first_skipped[reason] = reader->place;
	return 0;
}

static bool is_empty(const struct recorded_input_line *line)
{
	for (size_t i = 0; i < line->bytes; i++)
		if (line->text[i] != ' ' && line->text[i] != '\t' && line->text[i] != '\r')
			return false;
	return true;
}

/* Why a line that the scanner did not accept is no event. */
static enum recording_skip reason_of(const struct recorded_input_line *line)
{
	if (memchr(line->text, 0, line->bytes))
		return RECORDING_BINARY;
	return line->has_end ? RECORDING_NOT_JSON : RECORDING_TORN;
}

static void look_at_time(struct recording_reader *reader, const struct recorded_event *event)
{
	struct recording_counts *counts = &reader->counts;
	uint64_t last_ns = reader->last_ns;

	if (!RECORDED_HAS(event, timestamp_ns))
		return;
	reader->last_ns = event->timestamp_ns;
	if (event->timestamp_ns >= last_ns)
		return;
	if (!counts->backwards++)
		counts->first_backwards = reader->place;
	if (last_ns - event->timestamp_ns > counts->backwards_ns)
		counts->backwards_ns = last_ns - event->timestamp_ns;
}

static void count_event(struct recording_reader *reader, const struct recorded_event *event)
{
	struct recording_counts *counts = &reader->counts;

	counts->events++;
	counts->events_other += event->kind == RECORDED_OTHER;
	counts->slow_lines += reader->line.is_slow;
	if (reader->line.is_odd && !counts->odd_lines++)
		counts->first_odd = reader->place;
	look_at_time(reader, event);
}

/* 1: an event; 0: the line was skipped; or -ENOMEM. */
static int read_event(struct recording_reader *reader, struct recorded_event *event,
		      const struct recorded_input_line *line)
{
	uint64_t hash = repeats__hash(reader->repeats, line->text, line->bytes);
	int code = recorded_line__read(&reader->line, event, line->text, line->bytes);

	if (code == -ENOMEM)
		return code;
	if (code == -ENOENT)
		return skip(reader, RECORDING_NOT_EVENT);
	if (code)
		return skip(reader, reason_of(line));
	if (RECORDED_HAS(event, timestamp_ns) && repeats__see_hash(reader->repeats, hash))
		return skip(reader, RECORDING_REPEATED);
	event->place = reader->place;
	count_event(reader, event);
	return 1;
}

static void note_line(struct recording_reader *reader, const struct recorded_input_line *line)
{
	reader->place.line++;
	reader->place.byte = line->at;
	reader->place.line_bytes = line->bytes_read - line->has_end;
	reader->counts.lines++;
	reader->counts.bytes += line->bytes_read;
}

static int use_line(struct recording_reader *reader, struct recorded_event *event,
		    const struct recorded_input_line *line, struct error *err)
{
	int code = look_for_place(reader, line->at, err);

	if (code)
		return code;
	note_line(reader, line);
	if (line->is_too_long)
		return skip(reader, RECORDING_TOO_LONG);
	if (is_empty(line))
		return skip(reader, RECORDING_EMPTY);
	if (reader->place.line == 1) {
		code = recording_file__refuse_compact(reader->place.file, line->text, line->bytes,
						      err);
		if (code)
			return code;
	}
	code = read_event(reader, event, line);
	if (code > 0 && !reader->is_at_from)
		return event->kind == RECORDED_TRACE_STARTED;
	return code < 0 ? error__set(err, code, "out of memory") : code;
}

static int next_in_file(struct recording_reader *reader, struct recorded_event *event,
			struct error *err)
{
	struct recorded_input_line line;
	int code = recorded_input__next(reader->input, &line);

	if (code > 0)
		return use_line(reader, event, &line, err);
	if (code < 0)
		return fail_reading(reader, code, err);
	end_file(reader);
	return end_part(reader, line.at, err);
}

int recording_reader__next(struct recording_reader *reader, struct recorded_event *event,
			   struct error *err)
{
	int code = 0;

	while (!code && (reader->in_file || reader->next_file < reader->files.count))
		code = reader->in_file ? next_in_file(reader, event, err) : begin_file(reader, err);
	return code;
}

/* ---- what was read */

const struct recording_counts *recording_reader__counts(const struct recording_reader *reader)
{
	return &reader->counts;
}

void recording_reader__progress(const struct recording_reader *reader, uint64_t *done,
				uint64_t *total)
{
	*done = reader->disk_bytes +
		(reader->in_file ? recorded_input__disk_bytes(reader->input) : 0);
	*total = reader->files.disk_bytes;
}

void recording_reader__stop_when(struct recording_reader *reader,
				 const volatile sig_atomic_t *is_asked)
{
	recorded_input__stop_when(reader->input, is_asked);
}

void recording_reader__on_read(struct recording_reader *reader, void (*hook)(void *context),
			       void *context)
{
	recorded_input__on_read(reader->input, hook, context);
}
