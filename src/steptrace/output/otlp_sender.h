/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends events to an OTLP receiver: encodes them (otlp/otlp_encoder.h), gathers them into requests,
 * and sends a request when it is large or old. It waits for the answer, and sends again as long as
 * the receiver cannot be reached or asks to come back later.
 *
 *	otlp_sender__put ... otlp_sender__put -> otlp_sender__settle
 *	after each call: otlp_sender__take_missed, until there is none
 *
 * Every event that was put is accepted, or it is one of the missed: refused by the receiver, or
 * lost. A receiver may get an event several times: the ids of spans are the same each time.
 */
#ifndef STEPTRACE_OTLP_SENDER_H
#define STEPTRACE_OTLP_SENDER_H

#include "steptrace/output/http_client.h"
#include "steptrace/recording/recorded_event.h"
#include "steptrace/stream/lines.h"

struct otlp_options {
	const char *headers;     /* a file; NULL: none */
	const char *authorities; /* PEM; NULL: those of the system */
	const char *service;     /* service.name; NULL: the name of the program */
	bool is_plain;           /* requests are not compressed */
};

struct otlp_sender_options {
	const char *where; /* "otlp:http://collector:4318"; borrowed, as all texts */
	struct otlp_options otlp;
	uint64_t timeout_ns;       /* see http_client.h */
	uint64_t unreachable_ns;   /* then the receiver is given up; 0: after five seconds */
	struct write_state *state; /* give_up_fd, is_ending; borrowed */
};

struct otlp_sender;

/* 0, or negative errno with a sentence in `err`. */
int otlp_sender__open(const struct otlp_sender_options *options, struct otlp_sender **sender,
		      struct error *err);
/* Accepts NULL. What was not sent is dropped. */
void otlp_sender__close(struct otlp_sender *sender);

/*
 * Takes a line or an event. May send, and wait. 0; or -ECANCELED with a sentence: the output was
 * given up, or nobody answered after the recording had ended. After that nothing is sent any more.
 * In any case the event is taken.
 */
int otlp_sender__put_line(struct otlp_sender *sender, const char *line, size_t bytes,
			  const struct line_mark *mark, struct error *err);
int otlp_sender__put(struct otlp_sender *sender, const struct recorded_event *event,
		     const struct line_mark *mark, struct error *err);

/* For an event that is not sent: what it says about those that follow. */
void otlp_sender__learn(struct otlp_sender *sender, const struct recorded_event *event);

/* Sends what is gathered. The same results. */
int otlp_sender__flush(struct otlp_sender *sender, struct error *err);

/* Sends all, also what is held for later spans. The same results. */
int otlp_sender__settle(struct otlp_sender *sender, struct error *err);

/* In how many ns otlp_sender__flush() is due; UINT64_MAX: nothing is gathered. */
uint64_t otlp_sender__due_ns(const struct otlp_sender *sender);

/* Takes one missed event. False: there is none. */
bool otlp_sender__take_missed(struct otlp_sender *sender, struct line_mark *mark, bool *is_refused);

struct otlp_counts {
	uint64_t requests;   /* that were answered for good */
	uint64_t spans;      /* accepted */
	uint64_t logs;       /* accepted log records */
	uint64_t refused;    /* events */
	uint64_t sent_again; /* events, as often as they were */
};

const struct otlp_counts *otlp_sender__counts(const struct otlp_sender *sender);

/* See otlp_words__failure(). */
const char *otlp_sender__failure(const struct otlp_sender *sender);

#endif
