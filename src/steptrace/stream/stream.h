/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event path: records in, lines out.
 *
 *	record bytes -> decode -> open executions -> event -> line in the buffer
 *
 * Pure: no file, no kernel, no clock of its own. The caller feeds records, takes the lines out of
 * the buffer and writes them wherever it likes. Everything that arrives is either one event or one
 * counted loss, so at the end   hits = events + lost + filtered   holds for every kind. Beside those stand the
 * events that no boundary made: of commands that a process left open.
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
#include "steptrace/stream/lines.h"
#include "steptrace/stream/termination.h"

enum stream_format {
	FORMAT_JSON,
	FORMAT_COMPACT,
};

enum {
	EVENT_LINE_BYTES = 8192,         /* no line of a known shape is longer */
	STREAM_LINES_BYTES = 256 * 1024, /* room for lines, before it has to grow */
};

struct stream_options {
	enum stream_format format;
	bool seed_fields_only;
	struct fields fields; /* those that are written of JSON lines; none: all */
	/* Replaces what must not be seen, before anything looks. NULL: nothing is. */
	void (*pseudonymize)(void *context, struct decoded *decoded);
	void *pseudonymize_context;
	uint64_t events_limit;   /* --count; 0: none */
	size_t executions_limit; /* 0: 65,536 */
	struct clock_anchor clock;
	uint64_t min_duration_ns;  /* of what is aborted; 0: any */
	bool steps_left_out;       /* filtered, of executions that are not */
	bool step_starts_left_out; /* so which steps are open is not known */
	bool starts_left_out;      /* command.execution.started is known and not written */
	/* When the kernel lost a record of each probe last; it moves. NULL: it never does. */
	const uint64_t *last_lost_ns;
};

struct stream_counts {
	uint64_t events[EVENT_KINDS_COUNT];  /* of boundaries */
	uint64_t aborted[EVENT_KINDS_COUNT]; /* of what a process left open */
	uint64_t lost[EVENT_KINDS_COUNT][LOSS_REASONS_COUNT];
	uint64_t filtered[EVENT_KINDS_COUNT]; /* not wanted */
};

struct stream;

/* 0 or -ENOMEM. `options` is copied. */
int stream__new(const struct stream_options *options, struct stream **stream);
void stream__free(struct stream *stream);

/*
 * One record of the ring buffer; appends at most one line. 0, or -ENOMEM (the record is counted
 * as lost). After the limit of events was reached records are counted as not written.
 */
int stream__record(struct stream *stream, const void *bytes, size_t size_bytes);

void stream__add_filtered(struct stream *stream, enum event_kind kind, uint64_t count);

/* A command ended, and nobody wants to read that. */
void stream__command_closed(struct stream *stream, const struct command_closed *closed);

/* The process ended or replaced its program: says what it had open was aborted. */
void stream__abort_process(struct stream *stream, const struct termination *termination);

/* Calls `each` with the process of every open execution. */
void stream__each_open_pid(struct stream *stream, void (*each)(uint32_t pid, void *context),
			   void *context);

/* The lines so far. The caller takes them: lines__clear() forgets them, stream__take_lines() hands them over (0,
 * or -ENOMEM and nothing is changed). Who appends to the text marks the line. */
struct lines *stream__lines(struct stream *stream);
int stream__take_lines(struct stream *stream, struct lines *taken);

const struct stream_options *stream__options(const struct stream *stream);
struct clock_anchor *stream__clock(struct stream *stream);

const struct stream_counts *stream__counts(const struct stream *stream);
/* Losses that happened elsewhere: in the kernel, or behind us in the output. */
void stream__add_loss(struct stream *stream, enum event_kind kind, enum loss_reason reason,
		      uint64_t count);
/* Lines about runners, the aborted ones included; and those that came from boundaries alone. */
uint64_t stream__events_total(const struct stream *stream);
uint64_t stream__events_of_boundaries(const struct stream *stream);
bool stream__limit_reached(const struct stream *stream);
/* Executions that are known to be open. */
size_t stream__executions_count(const struct stream *stream);
/* Open executions that were forgotten because there were too many. */
uint64_t stream__forgotten(const struct stream *stream);

#endif
