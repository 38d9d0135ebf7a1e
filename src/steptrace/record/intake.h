/* SPDX-License-Identifier: BSD-2-Clause */
/* From records to lines, and from lines to the outputs. */
#ifndef STEPTRACE_INTAKE_H
#define STEPTRACE_INTAKE_H

#include <stdbool.h>

struct session;

/* Unread records, so many that signals and timers get their turn; whether there may be more. While an output
 * that others wait for has no room the records had better stay where they are. */
bool intake__drain(struct session *session);

/* Gives the outputs the lines that there are. */
void intake__flush(struct session *session);

/* Enters what the kernel counted; with `report` what was lost is said, too. */
void intake__settle(struct session *session, bool report);

/* The recording has to end, for that reason or for the one that was given first. */
void intake__stop(struct session *session, const char *reason);

/* Where the kernel had no room to report the ends of some processes, those with open commands are looked
 * for; where it has none to remember them, each `second`. */
void intake__look_for_gone(struct session *session, bool second);

/* Says once that there are processes for which there is no room. */
void intake__say_untraced(struct session *session);

#endif
