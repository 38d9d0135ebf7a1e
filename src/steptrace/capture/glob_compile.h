/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a pattern's text to what the kernel matches (see include/steptrace/glob.h).
 *
 *	*  any characters	?  one character	[a-z_]  one of these	[!0-9]  none of these
 *	\*  the character itself	a,b  one pattern or the other
 */
#ifndef STEPTRACE_GLOB_COMPILE_H
#define STEPTRACE_GLOB_COMPILE_H

#include "common/error.h"
#include "steptrace/glob.h"

/* 0, or -EINVAL with a sentence: it is empty, malformed or too long. */
int glob__compile(const char *text, struct glob *glob, struct error *err);

#endif
