/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compiles the text of a pattern into the table that the BPF programs match with (see
 * include/steptrace/glob.h).
 *
 *	*	any characters		[a-z_]	one of these
 *	?	one character		[!0-9]	none of these
 *	\*	the character itself	a,b	one pattern or the other
 */
#ifndef STEPTRACE_GLOB_COMPILE_H
#define STEPTRACE_GLOB_COMPILE_H

#include "common/error.h"
#include "steptrace/glob.h"

/* Returns 0, or -EINVAL with a sentence: the pattern is empty, malformed or too long. */
int glob__compile(const char *text, struct glob *glob, struct error *err);

#endif
