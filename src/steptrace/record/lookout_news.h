/* SPDX-License-Identifier: BSD-2-Clause */
/* What the process that looks for open commands (inflight/lookout.h) could not see, on stderr. */
#ifndef STEPTRACE_LOOKOUT_NEWS_H
#define STEPTRACE_LOOKOUT_NEWS_H

#include "steptrace/inflight/lookout.h"

/* Says what is worse than in `told`, and updates that. `subject` is in the sentences:
 * "--overdue". `sees_events`: of a runner whose memory is not understood, the subject still sees
 * what events say. */
void lookout_news__say(struct lookout_state *told, const struct lookout_state *now,
		       const char *subject, bool sees_events);

#endif
