/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decides which messages about a peer that cannot be reached are logged. While the peer is away,
 * each reason is logged once: the first address of a host may refuse, and the second show a wrong
 * certificate. A reason is logged once in ten seconds, because a peer may accept and close every
 * moment. That the peer is back is logged only when a reason was.
 */
#ifndef STEPTRACE_AWAY_H
#define STEPTRACE_AWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

enum { AWAY_REASONS_MAX = 4 };

/* Why the peer could not be reached. */
struct away_reason {
	struct error text;
	uint64_t logged_ns; /* when it was logged last; 0: never */
};

/* Zeroed: the peer was never away. */
struct away {
	bool is_away;   /* the last attempt failed, or the connection broke */
	bool is_logged; /* that was logged */
	struct away_reason reasons[AWAY_REASONS_MAX];
};

/* The peer cannot be reached. True: the caller logs the reason. */
bool away__begin(struct away *away, const struct error *why);

/* The peer was reached. True: the caller logs that. */
bool away__end(struct away *away);

#endif
