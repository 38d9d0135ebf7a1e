/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SIGINT and SIGTERM for programs with several threads: the first one asks the program to end, a
 * second one has its usual effect.
 */
#ifndef STEPTRACE_RUNNER_STOP_SIGNALS_H
#define STEPTRACE_RUNNER_STOP_SIGNALS_H

#include <stdbool.h>

/* Blocks both. Call it before the first thread is started: threads inherit it. */
void stop_signals__block(void);
/* Waits for one of them, in the thread that called stop_signals__block(), or until `is_over`, which
 * is asked five times a second, returns true. From then on, a second signal ends the process.
 * Returns its name, such as "SIGTERM" or "Ctrl-C"; NULL: there was none. `is_over` may be NULL. */
const char *stop_signals__wait(bool (*is_over)(void *context), void *context);

#endif
