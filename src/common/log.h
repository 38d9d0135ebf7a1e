/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages for the user, on stderr: one line each, with the name of the program in front.
 *
 *	steptrace: warning: cannot read '/proc/70/maps': Permission denied
 *
 * Data goes to stdout and does not use these functions. Every message is one line: a message that
 * quotes a file name with a newline, or with another control character, has it escaped (see
 * printable.h). A message has at most 2,047 bytes; a longer one is truncated. A message that cannot
 * be written is dropped; no function here reports an error. Call log__init and log__do_not_wait
 * before other threads start; the other functions may be called from any thread.
 */
#ifndef STEPTRACE_COMMON_LOG_H
#define STEPTRACE_COMMON_LOG_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Call this first in main. `program` is not copied: pass a string literal. If descriptor 0, 1 or 2
 * is closed, it is opened on /dev/null, so that no file that the program opens later gets one of
 * these numbers and receives messages or data.
 */
void log__init(const char *program);

/* From now on a message is dropped if writing it would block, for example because stderr is a pipe
 * that is full and is not read. Without this call a message waits. */
void log__do_not_wait(void);

/* True after log__do_not_wait while stderr cannot be written without blocking. */
bool log__is_stuck(void);

/*
 * While a screen is drawn on the terminal, a message would destroy it. From log__hold() on messages
 * are kept; log__release() prints them. The newest LOG_HELD_MAX of them are kept, the others are
 * counted. Where stderr is no terminal, messages are printed at once as well, and not again.
 */
enum { LOG_HELD_MAX = 100 };
void log__hold(void);
void log__release(void);

/* Copies the newest message since log__hold(), without the name of the program; "" if there is
 * none. Returns how many there were. */
unsigned long log__held(char *text, size_t bytes);

/* From now on, log__info() prints nothing: for a process that works for another one. That one says
 * what the user needs to know. */
void log__leave_out_infos(void);

/* error and info print "PROGRAM: TEXT", warn prints "PROGRAM: warning: TEXT". */
void log__error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log__info(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
