/* SPDX-License-Identifier: BSD-2-Clause */
/* `steptrace record --check`: whether a recording with these options could start, without starting
 * one. The options were parsed before; this looks at what they name. */
#ifndef STEPTRACE_RECORD_CHECK_H
#define STEPTRACE_RECORD_CHECK_H

#include "steptrace/record_options.h"

/* Prints every problem on standard error, or one line on standard output that there is none.
 * Returns the exit status. */
int record_check__run(const struct record_request *request);

#endif
