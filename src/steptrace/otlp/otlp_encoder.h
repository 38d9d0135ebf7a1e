/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From events to requests of OTLP. Ends of commands, steps and tool calls become spans, all other
 * events log records. A start becomes a part of the span of its command, a changed fragment one of
 * its step (see open_commands.h).
 *
 *	otlp_encoder__put ... otlp_encoder__put, until a request is large or full
 *	otlp_request__write -> send it -> otlp_request__clear
 *	at the end: otlp_encoder__let_go ... otlp_encoder__let_go -> send
 *
 * Pure: no clock, no file, no socket.
 */
#ifndef STEPTRACE_OTLP_ENCODER_H
#define STEPTRACE_OTLP_ENCODER_H

#include "steptrace/otlp/otlp_request.h"

struct otlp_encoder;

/* `service`: see otlp_resources.h; borrowed. NULL: no memory. */
struct otlp_encoder *otlp_encoder__new(const char *service);
/* Accepts NULL. */
void otlp_encoder__free(struct otlp_encoder *encoder);

struct otlp_request *otlp_encoder__request(struct otlp_encoder *encoder, enum otlp_signal signal);

/*
 * Adds the event to a request, or holds it for a later span. 0; -ENODATA: it has no timestamp or no
 * execution, and no span can be made of it; -ENOMEM. After an error the event is in no request: the
 * caller counts it as lost. Other events may be lost with it (otlp_encoder__take_dropped).
 */
int otlp_encoder__put(struct otlp_encoder *encoder, const struct recorded_event *event,
		      const struct line_mark *mark);

/* For an event that is not put: what it says about later ones. 0 or -ENOMEM. */
int otlp_encoder__learn(struct otlp_encoder *encoder, const struct recorded_event *event);

/* When no more events will follow: makes log records of what is held of one command. False: nothing
 * is held any more. */
bool otlp_encoder__let_go(struct otlp_encoder *encoder);

/* The bytes of what is held. */
size_t otlp_encoder__held_bytes(const struct otlp_encoder *encoder);

/* Takes the mark of an event that was held and was lost for want of memory. False: none is left. */
bool otlp_encoder__take_dropped(struct otlp_encoder *encoder, struct line_mark *mark);

#endif
