/* SPDX-License-Identifier: BSD-2-Clause */
/* What `steptrace inflight` says beside its rows, on stderr, and its exit status. */
#ifndef STEPTRACE_INFLIGHT_NOTES_H
#define STEPTRACE_INFLIGHT_NOTES_H

#include "steptrace/inflight/inflight.h"

/* What to do where processes cannot be looked at. Call it while the process still has the rights
 * that it was started with. */
void inflight_notes__choose_advice(void);

void inflight_notes__say_if_stacks_are_hidden(void);

/* What the look did not see, or that nothing is open. */
void inflight_notes__say(const struct inflight *inflight, const struct inflight_search *search);

/* Says the errors of the look. */
int inflight_notes__status(const struct inflight *inflight, const struct inflight_search *search);

#endif
