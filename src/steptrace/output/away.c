// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/output/away.h"

#include <string.h>

#include "common/clock.h"

#define LOG_NS 10000000000ull /* between two messages with the same reason */

/* The place of the reason, or the one that was logged longest ago. */
static struct away_reason *place_of(struct away *away, const struct error *why)
{
	struct away_reason *oldest = &away->reasons[0];

	for (int i = 0; i < AWAY_REASONS_MAX; i++) {
		struct away_reason *reason = &away->reasons[i];

		if (reason->logged_ns && strcmp(reason->text.text, why->text) == 0)
			return reason;
		if (reason->logged_ns < oldest->logged_ns)
			oldest = reason;
	}
	return oldest;
}

bool away__begin(struct away *away, const struct error *why)
{
	struct away_reason *reason = place_of(away, why);
	bool is_known = reason->logged_ns && strcmp(reason->text.text, why->text) == 0;
	uint64_t now = clock__now_ns();
	bool is_due = (!is_known || !away->is_away) && now - reason->logged_ns >= LOG_NS;

	if (is_due)
		*reason = (struct away_reason){*why, now};
	away->is_logged = away->is_logged || is_due;
	away->is_away = true;
	return is_due;
}

bool away__end(struct away *away)
{
	bool is_logged = away->is_away && away->is_logged;

	away->is_away = away->is_logged = false;
	return is_logged;
}
