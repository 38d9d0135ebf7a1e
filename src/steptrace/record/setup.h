/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A recording's parts, and how they are put together and taken apart. session.c runs it.
 *
 *	child, outputs, wakeups -> capture (watches processes) -> stream -> follower (attaches)
 */
#ifndef STEPTRACE_SETUP_H
#define STEPTRACE_SETUP_H

#include "steptrace/attach/attachments.h"
#include "steptrace/attach/follower.h"
#include "steptrace/capture/capture.h"
#include "steptrace/output/outputs.h"
#include "steptrace/record/accounting.h"
#include "steptrace/record/governor.h"
#include "steptrace/record/self_stats.h"
#include "steptrace/record/session.h"
#include "steptrace/record/wakeups.h"
#include "steptrace/stream/pseudonym.h"
#include "steptrace/watch/traced_command.h"

struct session {
	const struct session_options *options;
	struct traced_command child;
	struct capture *capture;
	struct attachments attachments;
	struct follower follower;
	struct pseudonyms *pseudonyms; /* NULL: nothing is replaced */
	struct stream *stream;
	struct outputs outputs;
	struct accounting accounting;
	struct self_stats pulse;
	struct governor governor;
	uint64_t records; /* that were read */
	struct wakeups wakeups;
	uint64_t started_ns;    /* 0: it is about to */
	int64_t clock_ahead_ns; /* of the wall clock, as it was last said */
	uint64_t process_records_lost;
	const char *reason;   /* why it stops; NULL: it goes on */
	uint64_t stopped_ns;  /* when that was */
	uint64_t patience_ns; /* at the end; 0: without a limit */
	bool said_waiting;    /* for outputs, at the end */
	bool said_untraced;
	uint64_t disarmed_ns; /* when probes began to go */
	bool is_ending; /* probes go one by one: what ends now may have ended its commands unseen */
	bool failed;
	bool shows_progress;
	struct error *err;
};

/* Everything from the options to attached probes; 0 or negative errno with a sentence. What was
 * opened is closed by setup__close(), also after a failure. */
int setup__open(struct session *session, const struct session_options *options, struct error *err);
void setup__close(struct session *session);

#endif
