/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What of the traced processes and of the kernel could not be read, as sentences without an end:
 *
 *	3 files could not be opened or read: their functions have no names
 */
#ifndef STEPTRACE_FLAME_UNREAD_TEXT_H
#define STEPTRACE_FLAME_UNREAD_TEXT_H

#include "steptrace/profile/folded.h"

/* Calls `say` for each kind that is not 0. */
void unread_text__each(const struct folded_facts *facts,
		       void (*say)(void *context, const char *sentence), void *context);

#endif
