/* SPDX-License-Identifier: BSD-2-Clause */
/* Text in an SVG file. */
#ifndef STEPTRACE_FLAME_SVG_TEXT_H
#define STEPTRACE_FLAME_SVG_TEXT_H

#include <stddef.h>
#include <stdio.h>

/*
 * Escapes what XML has a meaning for, and replaces what XML does not allow. At most `columns`
 * columns are written; a longer text ends in "…". The text is valid UTF-8.
 */
void svg_text__put(FILE *out, const char *text, size_t columns);

#endif
