/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One recording: its options, its parts and its state.
 *
 * recording.c owns the only struct session and runs it. setup.c opens the parts and closes them,
 * intake.c moves records to lines, ending.c finishes the outputs. All of them take a pointer to
 * the session; no part of it knows the session.
 */
#ifndef STEPTRACE_SESSION_H
#define STEPTRACE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/latency/duration_metrics.h"
#include "steptrace/output/outputs.h"
#include "steptrace/record/accounting.h"
#include "steptrace/record/cgroups.h"
#include "steptrace/record/governor.h"
#include "steptrace/record/open_looks.h"
#include "steptrace/record/overdue_events.h"
#include "steptrace/record/self_stats.h"
#include "steptrace/record/vanished.h"
#include "steptrace/record/wakeups.h"
#include "steptrace/stream/pseudonym.h"
#include "steptrace/stream/stream.h"
#include "steptrace/watch/traced_command.h"
#include "steptrace/watch/watch.h"

/* Samples that a reader takes beside the events (steptrace profile). */
struct reader_sampler {
	/* Called when the probes are attached and no privileges are dropped yet. Returns a
	 * descriptor that is readable when there is much to read, or negative errno with a
	 * sentence. The watch lives until the recording has ended. */
	int (*open)(void *context, struct watch *watch, struct error *err);
	/* Called when the events that waited were read. True: there is more to read. */
	bool (*read)(void *context);
	/* After open(): a child process of the reader, which it may end by a signal; 0: none. */
	pid_t (*child)(const void *context);
};

/* What a command does with events instead of writing them. */
struct event_reader {
	void (*on_event)(void *context, const struct event *event); /* valid during the call */
	/* Called now and then, and once when all events were read: may append lines to the stream.
	 * The time is one of CLOCK_MONOTONIC. */
	void (*on_time)(void *context, struct stream *stream, uint64_t now_ns, bool is_end);
	void *context;

	/* Called once when the recording ends, before the probes are detached. NULL: it is not. */
	void (*on_stop)(void *context, struct stream *stream, uint64_t now_ns);
	const struct reader_input *input;     /* NULL: none */
	const struct reader_sampler *sampler; /* NULL: none */
	const struct open_items_reader *open; /* NULL: it does not want to know what is open */
};

/* Where a reader takes questions from: the terminal on which it draws, or a socket. The context is
 * that of the reader, which closes it in on_stop(), or when the setup fails after open(). */
enum { INPUT_TURNS_MAX = 256 };

struct reader_input {
	bool is_terminal;
	/* Called when the probes are attached and no privileges are dropped yet. Returns a
	 * descriptor that is readable when on_input() has something to do, or negative errno with a
	 * sentence. */
	int (*open)(void *context, struct error *err);
	/* Called when the records that waited were read; under a load that never ends, after
	 * INPUT_TURNS_MAX turns, and for a terminal at once. False: it ends the recording. */
	bool (*on_input)(void *context, struct stream *stream, uint64_t now_ns);
};

struct session_options {
	struct watch_options watch; /* targets, filters, ring buffers, site */
	struct output_options outputs[OUTPUTS_MAX];
	size_t outputs_count; /* 0: a reader takes the events, and nothing is written */
	bool takes_stdout;    /* the caller writes a result to standard output */

	enum stream_format format;
	bool format_is_given;   /* --format */
	struct text_style text; /* of compact lines */
	struct labels labels;
	bool seed_fields_only;
	bool safe_integers;             /* of JSON lines: integers beyond 2^53 are strings */
	struct fields fields;           /* of JSON lines; none: all fields */
	unsigned int pseudonyms_mask;   /* see pseudonym.h */
	const char *pseudonym_key_path; /* NULL: a random key */

	struct whole whole;           /* --whole */
	struct overdue_times overdue; /* --overdue */

	/* It works for another process of steptrace, which ends it: signals are for that one. */
	bool is_helper;

	uint64_t events_limit; /* 0: none */
	uint64_t duration_ns;  /* 0: no limit */
	uint64_t flush_ns;     /* how long a record may wait before its line is written */

	/* Reads the events, and no lines are written for them. NULL: lines are written. */
	const struct event_reader *reader;

	double max_cpu_percent;      /* of one processor; 0: no limit */
	bool shows_stats;            /* once a second, on stderr */
	const char *metrics_address; /* NULL: no HTTP server */
	struct duration_bounds metrics_bounds;
};

struct session {
	const struct session_options *options; /* borrowed */
	struct error *err;                     /* borrowed */

	struct traced_command command; /* pid 0: no `-- PROGRAM` */
	struct watch watch;
	struct pseudonyms *pseudonyms; /* NULL: nothing is replaced */
	struct cgroups *cgroups;
	struct stream *stream;
	struct outputs outputs;
	struct wakeups wakeups;
	struct accounting accounting;
	struct governor governor;
	struct self_stats self_stats;
	struct vanished vanished;
	struct overdue_events overdue;
	struct open_looks looks; /* for the reader */

	uint64_t started_ns;      /* 0: not yet */
	uint64_t trimmed_ns;      /* when unused memory was given back */
	uint64_t records_count;   /* read from the ring buffers */
	uint64_t forgotten;       /* open executions that the stream had dropped so far */
	bool said_hold_full;      /* --hold was too small */
	int64_t clock_ahead_ns;   /* the last trace.clock: wall clock minus timestamps */
	bool shows_progress;      /* a progress line on stderr */
	unsigned int input_turns; /* for which the input of the reader has waited */
	bool failed;              /* the exit status is 1 */

	/* How it ends (ending.c). */
	const char *stop_reason; /* as in trace.stopped; NULL: it goes on */
	bool is_hurried;      /* another signal came: nothing is waited for that can be left out */
	uint64_t stopped_ns;  /* when the loop was left */
	uint64_t disarmed_ns; /* when the tracer began to detach */
	bool is_detaching;    /* from then on; ends of processes may hide ends of commands */
	uint64_t give_up_ns;  /* after stopped_ns outputs are abandoned; 0: no limit */
	bool said_waiting;    /* for an output */
};

/* The loop ends after the current round. Only the first reason counts. */
void session__stop(struct session *session, const char *reason);

/* Lets the reader, if there is one, append its lines, when it is known what is open. */
void session__tell_reader(struct session *session, bool is_end);

/* Tells the reader, if there is one, that the recording ends. */
void session__stop_reader(struct session *session);

/* Reads what is counted for trace.stopped. */
void session__totals(const struct session *session, struct trace_totals *totals);

/* Reads the tracer's own numbers. */
void session__vitals(struct session *session, struct vitals *vitals);

#endif
