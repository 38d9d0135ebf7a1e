// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/export_otlp.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "steptrace/commands.h"
#include "steptrace/confine/caller_rights.h"
#include "steptrace/export_give_up.h"
#include "steptrace/export_interruption.h"
#include "steptrace/reading_progress.h"
#include "steptrace/recording/recording_reader.h"
#include "steptrace/recording_words.h"

/* A receiver that is gone is waited for so long. */
#define UNREACHABLE_NS 60000000000ull
#define TIMEOUT_NS     60000000000ull

struct sending {
	const struct export_request *request;
	struct recording_reader *reader;
	struct otlp_sender *sender;
	struct write_state state;
	bool has_begun; /* the place of --from was reached */
	bool is_over;   /* interrupted, or the receiver is gone */
	/* The first of the events that were not sent, when it is over; .part 0: there is none. */
	struct recording_from first_missed;
	uint64_t left_out; /* events without a timestamp or an execution */
};

/* ---- where to begin */

static struct recording_from place_of(const struct recorded_event *event)
{
	return (struct recording_from){event->place.file_index + 1, event->place.byte};
}

static bool is_before(struct recording_from one, struct recording_from other)
{
	return one.part != other.part ? one.part < other.part : one.byte < other.byte;
}

/* A line must begin at the place. */
static int check_place(struct sending *sending, struct recording_from place, struct error *err)
{
	const struct recording_from *from = &sending->request->from;

	if (is_before(place, *from))
		return 0;
	sending->has_begun = true;
	return place.part == from->part && place.byte == from->byte
		       ? 0
		       : error__set(err, -EINVAL,
				    "no line begins at byte %llu of part %llu: give the same files "
				    "and the --from that the export has printed",
				    (unsigned long long)from->byte, (unsigned long long)from->part);
}

/* ---- marks: where an event is */

static struct line_mark mark_of(const struct recorded_event *event)
{
	struct line_mark mark = {.kind = recorded_event__is_of_runner(event) ? EVENT_STEP_EXECUTED
									     : EVENT_NONE};

	mark.pid = (uint32_t)place_of(event).part;
	mark.known_ns = place_of(event).byte;
	return mark;
}

/* Refused events are counted by the sender. */
static void take_missed(struct sending *sending)
{
	struct line_mark mark;
	bool is_refused;

	while (otlp_sender__take_missed(sending->sender, &mark, &is_refused)) {
		const struct recording_from place = {mark.pid, mark.known_ns};

		if (!is_refused && !sending->is_over)
			sending->left_out++;
		if (is_refused || !sending->is_over)
			continue;
		if (!sending->first_missed.part || is_before(place, sending->first_missed))
			sending->first_missed = place;
	}
}

/* ---- sending */

/* -ECANCELED: it is over. */
static int send_event(struct sending *sending, const struct recorded_event *event,
		      struct error *err)
{
	const struct line_mark mark = mark_of(event);
	int code = sending->has_begun ? 0 : check_place(sending, place_of(event), err);

	if (!sending->has_begun)
		otlp_sender__learn(sending->sender, event);
	if (code || !sending->has_begun)
		return code;
	code = otlp_sender__put(sending->sender, event, &mark, err);
	sending->is_over = code != 0;
	take_missed(sending);
	return code;
}

/* The rest is sent after an error of the reader, too. */
static int send_all(struct sending *sending, struct error *err)
{
	struct error settling = {""};
	struct recorded_event event;
	int got, code = 0;

	while (!code && (got = recording_reader__next(sending->reader, &event, err)) != 0)
		code = got < 0 ? got : send_event(sending, &event, err);
	if (code && export_give_up__is_asked())
		code = error__set(err, -ECANCELED, "interrupted");
	if (otlp_sender__settle(sending->sender, &settling) && !code) {
		*err = settling;
		code = -ECANCELED;
	}
	sending->is_over = sending->is_over || code == -ECANCELED;
	take_missed(sending);
	return code;
}

static int convert(struct sending *sending, struct error *err)
{
	struct reading_progress progress;
	int code;

	reading_progress__begin(&progress, sending->reader);
	code = send_all(sending, err);
	reading_progress__end(&progress);
	return code;
}

/* ---- the end */

static void say_counts(const struct sending *sending)
{
	const struct otlp_counts *counts = otlp_sender__counts(sending->sender);

	recording_words__warn(recording_reader__counts(sending->reader));
	if (sending->left_out)
		log__warn("%llu event(s) have no timestamp or no execution and are left out "
			  "(record --fields left it out)",
			  (unsigned long long)sending->left_out);
	if (counts->refused)
		log__error("%llu event(s) were refused", (unsigned long long)counts->refused);
	log__info("%llu spans and %llu log records were accepted, %llu events were sent again",
		  (unsigned long long)counts->spans, (unsigned long long)counts->logs,
		  (unsigned long long)counts->sent_again);
}

static void say_place(const struct sending *sending)
{
	struct recording_from place =
		export_interruption__place(sending->first_missed, sending->request->from);

	log__info("to go on, give the same files and --from %llu:%llu",
		  (unsigned long long)place.part, (unsigned long long)place.byte);
}

static int conclude(struct sending *sending, int code, struct error *err)
{
	const struct otlp_counts *counts = otlp_sender__counts(sending->sender);

	say_counts(sending);
	if (sending->is_over)
		say_place(sending);
	if (!code && !sending->has_begun)
		code = error__set(err, -EINVAL, "the recording ends before --from %llu:%llu",
				  (unsigned long long)sending->request->from.part,
				  (unsigned long long)sending->request->from.byte);
	else if (!code && counts->spans + counts->logs + counts->refused == 0)
		code = error__set(err, -ENODATA, "the recording has nothing to export");
	else if (!code && counts->refused)
		code = error__set(err, -EPROTO, "not all events were accepted");
	return code ? STATUS_FAILED : STATUS_DONE;
}

/* ---- opening */

static int open_all(struct sending *sending, struct error *err)
{
	const struct export_request *request = sending->request;
	const struct otlp_sender_options options = {
		.where = request->where,
		.otlp = request->otlp.otlp,
		.timeout_ns = TIMEOUT_NS,
		.unreachable_ns = UNREACHABLE_NS,
		.state = &sending->state,
	};
	int code = caller_rights__leave_others(err);

	if (!code)
		code = recording_reader__open(&sending->reader, request->files,
					      request->files_count, err);
	sending->state.is_ending = true; /* the receiver is given up at some time */
	sending->has_begun = !request->from.part;
	if (code)
		return code;
	signal(SIGPIPE, SIG_IGN);
	sending->state.give_up_fd = code = export_give_up__catch(err);
	recording_reader__stop_when(sending->reader, export_give_up__flag());
	return code < 0 ? code : otlp_sender__open(&options, &sending->sender, err);
}

int export_otlp__run(const struct export_request *request, struct error *err)
{
	struct sending sending = {.request = request, .state.give_up_fd = -1};
	int status = STATUS_FAILED;

	if (open_all(&sending, err) == 0)
		status = conclude(&sending, convert(&sending, err), err);
	otlp_sender__close(sending.sender);
	recording_reader__close(sending.reader);
	return status;
}
