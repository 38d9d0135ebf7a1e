/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event path: records of the ring buffer go in, lines come out.
 *
 *	record bytes -> decode -> open executions -> event -> line in the buffer
 *
 * The stream is pure: it reads no file, no clock, and makes no call into the kernel (see
 * tests/check-stream). The caller passes records, takes the lines, and writes them to its outputs.
 *
 * The stream counts what becomes of every hit of a probe. For each kind of event
 *
 *	hits = events + lost + filtered
 *
 * holds at the end. Before the end, hits whose lines are held (`whole`) are none of these: they are
 * counted in stream__held(). Aborted events are counted apart, because no probe was hit for them:
 * they are about commands and steps that were open when their process ended.
 *
 * All times are nanoseconds of CLOCK_MONOTONIC. One thread uses a stream at a time.
 */
#ifndef STEPTRACE_STREAM_H
#define STEPTRACE_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "steptrace/stream/clock_anchor.h"
#include "steptrace/stream/decode.h"
#include "steptrace/stream/event.h"
#include "steptrace/stream/fields.h"
#include "steptrace/stream/held_lines.h"
#include "steptrace/stream/labels.h"
#include "steptrace/stream/lines.h"
#include "steptrace/stream/termination.h"
#include "steptrace/stream/text_line.h"
#include "steptrace/stream/whole.h"

enum stream_format {
	FORMAT_JSON,    /* event_json.h */
	FORMAT_COMPACT, /* event_text.h */
	FORMAT_REPORT,  /* no lines but those that the caller appends */
};

enum {
	EVENT_LINE_BYTES = 8192,         /* the longest line without lists and paths */
	STREAM_LINES_BYTES = 256 * 1024, /* the buffer begins with this size and grows */
	EXECUTIONS_LIMIT = 65536,        /* that may be open */
};

struct stream_options {
	enum stream_format format;
	bool seed_fields_only;
	bool safe_integers;     /* of JSON lines: see json.h */
	struct text_style text; /* of compact lines */
	struct labels labels;   /* of JSON lines */
	/* The path of the cgroup, valid until the next call; `pid` was in it. NULL: not known.
	 * The pointer itself may be NULL. */
	const char *(*cgroup_path)(void *context, uint64_t cgroup_id, uint32_t pid);
	void *cgroup_path_context;
	struct fields fields; /* which members of a JSON line are written; empty: all */
	/* Called for each record that was decoded, before its text is used: replaces text by
	 * pseudonyms. NULL: no text is replaced. */
	void (*pseudonymize)(void *context, struct decoded *decoded);
	void *pseudonymize_context;
	/* Called for each event when it happens, also for the events that `whole` leaves out; the
	 * event is valid during the call. NULL: it is not called. */
	void (*on_event)(void *context, const struct event *event);
	void *on_event_context;
	bool has_breakdown;      /* events of steps and commands say where their time went */
	bool leaves_out_lines;   /* no line is written for an event */
	struct whole whole;      /* not with leaves_out_lines */
	uint64_t events_limit;   /* --count; 0: no limit */
	size_t executions_limit; /* 0: EXECUTIONS_LIMIT */
	struct clock_anchor clock;
	uint64_t min_duration_ns;  /* shorter aborted events are not written; 0: all are */
	bool steps_left_out;       /* a filter drops steps of executions that it keeps */
	bool step_starts_left_out; /* step__start is not recorded: open steps are not known */
	bool starts_left_out;      /* command.execution.started is counted as filtered */
	/* For each probe: when the kernel last lost a record of it. The BPF programs change
	 * the values at any time. NULL: the kernel loses no records. */
	const uint64_t *last_lost_ns;
};

struct stream_counts {
	uint64_t events[EVENT_KINDS_COUNT];  /* lines written for a hit of a probe */
	uint64_t aborted[EVENT_KINDS_COUNT]; /* lines written because a process ended */
	uint64_t lost[EVENT_KINDS_COUNT][LOSS_REASONS_COUNT];
	/* Hits that a filter dropped, that `whole` left out, or after the limit. */
	uint64_t filtered[EVENT_KINDS_COUNT];
};

struct stream;

/* 0 or -ENOMEM. `options` is copied. */
int stream__new(const struct stream_options *options, struct stream **stream);
void stream__free(struct stream *stream);

/*
 * Handles one record of the ring buffer and appends at most one line; with `whole`, any number of
 * lines. 0, or -ENOMEM: the record is counted as lost. When events_limit is reached, further
 * records are counted as filtered; with `whole`, the last execution that is written may exceed the
 * limit. A record that makes no sense is counted as lost, and is no error.
 */
int stream__record(struct stream *stream, const void *bytes, size_t size_bytes);

/* A BPF program dropped the end of this command because of a filter: forgets its execution. */
void stream__command_closed(struct stream *stream, const struct command_closed *closed);

/*
 * The process ended or replaced its program. Appends an aborted event for each step that it had
 * open, and for each command of which it was the last process. Without memory for a line the event
 * is left out.
 *
 * A process that exits may leave its commands to children that it forked: these are waited for
 * before such a command is reported as aborted.
 */
void stream__abort_process(struct stream *stream, const struct termination *termination);

/*
 * No more records follow. With `whole`: executions that have been open for the time of `slower` are
 * written, the others are left out. After that no line is held.
 */
void stream__end(struct stream *stream, uint64_t now_ns);

/* Calls `each` once for every process with open executions. 0 or -ENOMEM: nothing was called. */
int stream__each_open_pid(struct stream *stream, void (*each)(uint32_t pid, void *context),
			  void *context);

struct begun_step;

/*
 * Visits each open execution, then the steps that it has open, the newest first. What was rejected,
 * and what may have ended because events were lost, is left out.
 */
struct open_visitor {
	void (*execution)(void *context, const struct execution *execution);
	void (*step)(void *context, const struct execution *execution,
		     const struct begun_step *step);
	void *context;
};

void stream__each_open(const struct stream *stream, const struct open_visitor *visitor);

/*
 * The lines that were not taken yet; the stream owns them. lines__clear() drops them. A caller that
 * appends a line of its own to the text also adds its mark (lines__mark).
 */
struct lines *stream__lines(struct stream *stream);

/* Moves the lines into `taken`, which the caller frees; the stream goes on with an empty buffer.
 * 0, or -ENOMEM: nothing has changed. */
int stream__take_lines(struct stream *stream, struct lines *taken);

/* Applies --fields and --labels-everywhere to the last line of JSON, which begins there. */
void stream__finish_json(const struct stream_options *options, struct json *text,
			 size_t from_bytes);

const struct stream_options *stream__options(const struct stream *stream);
/* The terminal has another width now. */
void stream__set_columns(struct stream *stream, unsigned int columns);
struct clock_anchor *stream__clock(struct stream *stream);

const struct stream_counts *stream__counts(const struct stream *stream);
/* Hits that never reached stream__record: the kernel lost or filtered them, or an output did not
 * write their lines. */
void stream__add_loss(struct stream *stream, enum event_kind kind, enum loss_reason reason,
		      uint64_t count);
void stream__add_filtered(struct stream *stream, enum event_kind kind, uint64_t count);

/* Lines about runners: with the aborted ones, and without them. */
uint64_t stream__events_total(const struct stream *stream);
uint64_t stream__events_of_boundaries(const struct stream *stream);
/* events_total has reached events_limit. */
bool stream__limit_reached(const struct stream *stream);
/* What `whole` decided, and what it holds now. */
const struct whole_counts *stream__whole_counts(const struct stream *stream);
const struct held_store *stream__held(const struct stream *stream);
/* Executions were decided early because hold_bytes were in use. */
bool stream__hold_was_full(const struct stream *stream);
/* How many processes are waited for although they reported no boundary of the command. */
size_t stream__heirs_count(const struct stream *stream);
/* How many executions are open now, and since when the oldest is, at the latest; 0: none is. */
size_t stream__executions_count(const struct stream *stream);
uint64_t stream__oldest_execution_ns(const struct stream *stream);
/* How many open executions were dropped because of executions_limit. If their process ends, no
 * aborted event is written for them. */
uint64_t stream__forgotten(const struct stream *stream);

#endif
