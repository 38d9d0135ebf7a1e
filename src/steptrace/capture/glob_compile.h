/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles the text of a pattern into the table that the BPF programs match with (see
 * include/steptrace/glob.h).
 *
 *	*	any characters		[a-z_]	one of these
 *	?	one character		[!0-9]	none of these
 *	\*	the character itself	a,b	one pattern or the other
 *	!a	not this pattern	a,!b	a but not b: the last pattern that matches decides
 *
 * A text that no pattern matches is not accepted, except where the first pattern excludes: "!a"
 * alone stands for "*,!a".
 */
#ifndef STEPTRACE_GLOB_COMPILE_H
#define STEPTRACE_GLOB_COMPILE_H

#include "common/error.h"
#include "steptrace/glob.h"

/* Adds patterns to those of `glob`, which is zeroed before the first call. Returns 0, or -EINVAL
 * with a sentence: a pattern is empty or malformed, or all of them are too long. */
int glob__add(const char *text, struct glob *glob, struct error *err);

#endif
