// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export_send.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/export/resume.h"
#include "steptrace/export_give_up.h"
#include "steptrace/export_interruption.h"
#include "steptrace/output/sink.h"
#include "steptrace/reading_progress.h"
#include "steptrace/recording_words.h"

enum { QUEUE_BYTES = 32 << 20, GATHERED_BYTES = 128 << 10 };

struct sending {
	struct sink *sink;
	char *lines; /* gathered */
	size_t bytes;
	struct line_mark *marks; /* of the lines: where to go on if the line is not delivered */
	size_t count, room;
	struct resume *resume;
	struct recording_from undelivered; /* where to go on; only if there is one */
	bool has_undelivered;
	uint64_t taken, lost; /* events: by the sink; of these, not delivered after all */
};

/* ---- where an export goes on: the mark of a line is a place, and the sink gives it back */

_Static_assert(sizeof(struct recording_from) == sizeof(((struct line_mark *)0)->execution_id),
	       "a mark holds a place");

static bool is_earlier(struct recording_from one, struct recording_from other)
{
	return one.part != other.part ? one.part < other.part : one.byte < other.byte;
}

static void note_undelivered(struct sending *sending, const struct line_mark *mark)
{
	struct recording_from place;

	memcpy(&place, mark->execution_id, sizeof(place));
	if (!sending->has_undelivered || is_earlier(place, sending->undelivered))
		sending->undelivered = place;
	sending->has_undelivered = true;
}

static int add_mark(struct sending *sending)
{
	const struct recording_from place = resume__now(sending->resume);
	struct line_mark *marks = sending->marks;

	if (sending->count == sending->room) {
		sending->room = sending->room ? 2 * sending->room : 256;
		marks = reallocarray(marks, sending->room, sizeof(*marks));
		if (!marks)
			return -ENOMEM;
		sending->marks = marks;
	}
	marks[sending->count] = (struct line_mark){.kind = 0};
	memcpy(marks[sending->count++].execution_id, &place, sizeof(place));
	return 0;
}

static void say_place(const struct sending *sending, struct recording_from began)
{
	struct recording_from place = export_interruption__place(
		sending->has_undelivered ? sending->undelivered : resume__now(sending->resume),
		began);

	log__info("to go on, give the same files and --from %llu:%llu",
		  (unsigned long long)place.part, (unsigned long long)place.byte);
}

/* ---- lines */

static void count_lost(void *context, const struct line_mark *mark, bool is_refused)
{
	(void)is_refused;
	note_undelivered(context, mark);
	((struct sending *)context)->lost++;
}

static uint64_t count_lines(const char *text, size_t bytes)
{
	const char *end = text + bytes;
	uint64_t count = 0;

	for (; (text = memchr(text, '\n', (size_t)(end - text))); text++)
		count++;
	return count;
}

static int flush(struct sending *sending, struct error *err)
{
	size_t written = 0, lines;
	int code = 0;

	if (export_give_up__is_asked())
		code = error__set(err, -ECANCELED, "interrupted");
	sending->sink->marks = sending->marks;
	if (!code && sending->bytes)
		code = sink__write(sending->sink, sending->lines, sending->bytes, &written, err);
	sending->sink->marks = NULL;
	lines = count_lines(sending->lines, written);
	if (lines < sending->count)
		note_undelivered(sending, &sending->marks[lines]);
	sending->taken += lines;
	sending->bytes = sending->count = 0;
	return code;
}

static int put(struct sending *sending, const struct recorded_event *event, struct error *err)
{
	const struct recorded_text *line = &event->line;

	if (add_mark(sending) || resume__event(sending->resume, event))
		return error__set(err, -ENOMEM, "out of memory");
	memcpy(sending->lines + sending->bytes, line->text, line->bytes);
	sending->bytes += line->bytes;
	sending->lines[sending->bytes++] = '\n';
	return sending->bytes >= GATHERED_BYTES ? flush(sending, err) : 0;
}

static int send_events(struct sending *sending, struct recording_reader *reader, struct error *err)
{
	struct recorded_event event;
	int code = 0, got = 1;

	while (!code && (got = recording_reader__next(reader, &event, err)) > 0)
		code = put(sending, &event, err);
	if (got < 0 && !export_give_up__is_asked() && sending->count)
		note_undelivered(sending, &sending->marks[0]);
	if (got < 0 && !export_give_up__is_asked())
		code = got;
	return code ? code : flush(sending, err);
}

/* What was sent before an error is waited for, too. */
static int send_all(struct sending *sending, struct recording_reader *reader, struct error *err)
{
	struct reading_progress progress = {.is_shown = false};
	struct error later;
	int code, settled;

	reading_progress__begin(&progress, reader);
	code = send_events(sending, reader, err);
	reading_progress__end(&progress);
	if (!code && recording_reader__counts(reader)->events == 0)
		code = error__set(err, -ENODATA, "the recording has nothing to export");
	settled = sink__settle(sending->sink, code ? &later : err);
	return code ? code : settled;
}

/* ---- the command */

static int open_sink(struct sending *sending, const struct export_request *request, int give_up_fd,
		     struct error *err)
{
	const struct sink_options options = {.where = request->where,
					     .kafka_settings = request->kafka_settings,
					     .queue_bytes = QUEUE_BYTES,
					     .drops = true};
	int code = sink__open(&options, &sending->sink, err);

	if (code)
		return code;
	sending->sink->lose = count_lost;
	sending->sink->lose_context = sending;
	sending->sink->write_state.give_up_fd = give_up_fd;
	sending->lines = malloc(GATHERED_BYTES + RECORDING_LINE_BYTES_MAX + 1);
	sending->resume = resume__new();
	return sending->lines && sending->resume ? 0 : error__set(err, -ENOMEM, "out of memory");
}

static int say(const struct sending *sending, const struct recording_reader *reader,
	       struct recording_from began, int code)
{
	uint64_t events = recording_reader__counts(reader)->events;

	recording_words__warn(recording_reader__counts(reader));
	log__info("%llu of %llu events were delivered to %s",
		  (unsigned long long)(sending->taken - sending->lost), (unsigned long long)events,
		  sending->sink->name);
	if (sending->lost || (code && code != -EINVAL && events)) /* -EINVAL: of --from */
		say_place(sending, began);
	return code || sending->lost ? STATUS_FAILED : STATUS_DONE;
}

int export_send__run(const struct export_request *request, struct error *err)
{
	struct sending sending = {.sink = NULL};
	struct recording_reader *reader = NULL;
	int status = STATUS_FAILED, give_up_fd = -1;

	if (caller_rights__leave_others(err) == 0 &&
	    (give_up_fd = export_give_up__catch(err)) >= 0 &&
	    recording_reader__open(&reader, request->files, request->files_count, err) == 0 &&
	    recording_reader__start_at(reader, request->from, err) == 0 &&
	    open_sink(&sending, request, give_up_fd, err) == 0) {
		recording_reader__stop_when(reader, export_give_up__flag());
		status = say(&sending, reader, request->from, send_all(&sending, reader, err));
	}
	sink__close(sending.sink);
	free(sending.lines);
	free(sending.marks);
	resume__free(sending.resume);
	recording_reader__close(reader);
	return status;
}
