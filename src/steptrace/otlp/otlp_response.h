/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a receiver answers, and what follows from it. Pure.
 *
 *	200 {"partialSuccess":{"rejectedSpans":"2","errorMessage":"…"}}	two spans are refused
 *	429, 502, 503, 504						try again later
 *	any other status						all of it is refused
 */
#ifndef STEPTRACE_OTLP_RESPONSE_H
#define STEPTRACE_OTLP_RESPONSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum otlp_verdict { OTLP_ACCEPTED, OTLP_REFUSED, OTLP_RETRY };

enum otlp_verdict otlp_response__verdict(long status);

enum { OTLP_MESSAGE_BYTES = 200 };

struct otlp_partial {
	uint32_t rejected;                /* items, at most as many as were sent */
	char message[OTLP_MESSAGE_BYTES]; /* of the receiver; foreign text; "": none */
};

/* Reads the body of a success, which the receiver made. What makes no sense rejects nothing. */
void otlp_response__read(const char *body, size_t bytes, uint32_t items_count,
			 struct otlp_partial *partial);

/* ---- when to try again */

#define OTLP_FIRST_PAUSE_NS   100000000ull
#define OTLP_LONGEST_PAUSE_NS 10000000000ull
#define OTLP_LONGEST_ASKED_NS 300000000000ull /* of Retry-After */

/*
 * The pause before the next attempt. `attempts` failed so far, one at least: the first pause is
 * OTLP_FIRST_PAUSE_NS, each further one twice as long. `random` spreads them between a half and the
 * whole, so that many tracers do not come back at the same moment. `asked_s` is the Retry-After of
 * the receiver, which is kept as far as it is not longer than OTLP_LONGEST_ASKED_NS; 0: none.
 */
uint64_t otlp_retry__pause_ns(unsigned int attempts, uint64_t asked_s, uint32_t random);

#endif
