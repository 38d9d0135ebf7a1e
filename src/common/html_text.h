/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Foreign text in an HTML page: the only function that writes such text, in elements and in
 * attributes between quotes.
 *
 *	& < > " '			&amp; &lt; &gt; &quot; &#39;
 *	what printable.h escapes	\n  \x1b  \u202e: control characters, characters that set
 *					the direction of writing, bytes that are not UTF-8
 *
 * So a text can neither begin an element nor end an attribute or a script, and it cannot change how
 * the text around it is shown.
 */
#ifndef STEPTRACE_COMMON_HTML_TEXT_H
#define STEPTRACE_COMMON_HTML_TEXT_H

#include <stdio.h>

/* Errors of `out` are the caller's to check. */
void html_text__write(FILE *out, const char *text);

#endif
