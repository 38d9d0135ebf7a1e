/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an OTLP output says on stderr about its receiver. A receiver that fails every moment does
 * not fill the log: the same reason, and each kind of message, is logged once in ten seconds.
 */
#ifndef STEPTRACE_OTLP_WORDS_H
#define STEPTRACE_OTLP_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "steptrace/otlp/otlp_request.h"
#include "steptrace/otlp/otlp_response.h"

struct otlp_words {
	const char *name; /* borrowed: the text of -o */
	bool has_secrets; /* what the receiver says may repeat them: it is not shown */
	uint64_t logged_away_ns, logged_partial_ns, logged_torn_ns;
	uint64_t logged_refusal_ns[OTLP_SIGNALS_COUNT];
	struct error away;    /* why the last attempt failed; "": it did not */
	bool logged_away;     /* that was logged, so the next success is, too */
	struct error refusal; /* of the last log records; "": accepted, or it takes none at all */
	bool has_accepted;
	struct error nothing; /* why nothing was accepted so far; "": nothing was refused either */
};

/* The receiver cannot be reached, or asks to come back later: a whole sentence. */
void otlp_words__away(struct otlp_words *words, const struct error *why);

/* A request was accepted, and of its items so many. */
void otlp_words__accepted(struct otlp_words *words, enum otlp_signal signal, uint32_t items);

/* So many items of a request count as accepted, although its answers broke off. */
void otlp_words__torn(struct otlp_words *words, enum otlp_signal signal, uint32_t items);

/* A request was refused for good. */
void otlp_words__refused(struct otlp_words *words, enum otlp_signal signal, uint32_t items,
			 long status);

/* Why the output failed in the end: the last log records were refused by a receiver that takes log
 * records in general, or nothing was accepted at all. NULL: it did not fail. */
const char *otlp_words__failure(const struct otlp_words *words);

/* A part of a request with so many items was refused; or none, then nothing is said. */
void otlp_words__partial(struct otlp_words *words, enum otlp_signal signal, uint32_t items,
			 const struct otlp_partial *partial);

#endif
