/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes text safe to print to a terminal.
 *
 * A file name or the name of a process may contain control characters. A terminal executes them:
 * they can change its title, its colours or lines that were printed before.
 */
#ifndef STEPTRACE_COMMON_PRINTABLE_H
#define STEPTRACE_COMMON_PRINTABLE_H

/*
 * Replaces every byte of a control character (U+0000 to U+001F, U+007F, U+0080 to U+009F) and every
 * byte that is not part of valid UTF-8 by '?'. Changes `text` in place and keeps its length. Cannot
 * fail.
 */
void printable__text(char *text);

#endif
