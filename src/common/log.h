/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words for the person at the terminal. Everything goes to stderr, one line each, with the
 * program's name in front; data goes to stdout and never through here.
 */
#ifndef STEPTRACE_COMMON_LOG_H
#define STEPTRACE_COMMON_LOG_H

#include <stdbool.h>

/*
 * First thing in main. `program` is not copied: pass a literal. Where standard input, output or error
 * are closed they are opened on /dev/null, so that no file we open later is taken for one of them.
 */
void log__init(const char *program);

/* From now on what would have to wait for a reader of stderr is not said. */
void log__do_not_wait(void);
/* Whether that is so now. */
bool log__is_stuck(void);

void log__error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
