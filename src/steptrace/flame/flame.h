/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a profile (folded.h) in a format that people or other programs look at.
 *
 *	folded		text, one line per stack, for flamegraph.pl, inferno, speedscope and grep
 *	speedscope	JSON for https://www.speedscope.app
 *	svg		one picture without scripts
 *	html		one page without network: zoom, search, filters, top functions
 *
 * All names in a profile are foreign. Control characters and characters that set the direction of
 * writing are escaped as in printable.h, in every format; each format then escapes what it has a
 * meaning for.
 */
#ifndef STEPTRACE_FLAME_H
#define STEPTRACE_FLAME_H

#include <stdio.h>

#include "steptrace/profile/folded.h"

enum flame_format {
	FLAME_FOLDED,
	FLAME_SPEEDSCOPE,
	FLAME_SVG,
	FLAME_HTML,
	FLAME_FORMATS_COUNT,
};

/* "folded", and one line about it for --help. */
const char *flame_format__name(enum flame_format format);
const char *flame_format__help(enum flame_format format);

/* The format with this name, or -EINVAL. */
int flame_format__parse(const char *name);

/* Writes the profile and flushes the file. 0 or negative errno: -ENOMEM, or what the file says. */
int flame__write(FILE *out, enum flame_format format, const struct folded *folded);

#endif
