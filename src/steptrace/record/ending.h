/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a recording ends: detached, drained, counted, said. Outputs are waited for as long as they get on;
 * who sends another signal does not wait.
 */
#ifndef STEPTRACE_ENDING_H
#define STEPTRACE_ENDING_H

struct session;

/* For an ending that somebody asked for who is not at the terminal: who stops services kills those that take
 * longer. */
#define ENDING_SERVICE_NS 30000000000ull

void ending__run(struct session *session);

#endif
