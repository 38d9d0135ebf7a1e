/* SPDX-License-Identifier: BSD-2-Clause */
/* Foreign text on its way to a terminal. */
#ifndef STEPTRACE_COMMON_PRINTABLE_H
#define STEPTRACE_COMMON_PRINTABLE_H

/* Replaces by '?' control characters, those of UTF-8's U+0080 to U+009F included, and what is not
 * UTF-8: a terminal never executes what a file name or a process says. */
void printable__text(char *text);

#endif
