/* SPDX-License-Identifier: BSD-2-Clause */
/* Text in lines of at most 80 columns. */
#ifndef STEPTRACE_COMMON_WRAP_H
#define STEPTRACE_COMMON_WRAP_H

#include <stddef.h>
#include <stdio.h>

enum { WRAP_COLUMNS = 80 };

/*
 * Prints the words of `text` from the current `column` of `out` on, and a newline. A word that
 * would not fit in the line begins a new one, at column `from`. A word that is longer than a line
 * is not broken. Blanks and newlines separate words. Foreign text has to be printable
 * (printable.h).
 */
void wrap__print(FILE *out, const char *text, size_t column, size_t from);

#endif
