/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A clock for rehearsals and tests, which several processes share through a file:
 *
 *	2025-03-30T00:59:00Z 60
 *
 * The clock showed this time when the file was last written, and it runs 60 times as fast as the
 * system's clock; 0: it stands still. To set the clock, replace the file by rename(2). The file is
 * read each time that the time is asked for.
 */
#ifndef STEPTRACE_RUNNER_CLOCK_FILE_H
#define STEPTRACE_RUNNER_CLOCK_FILE_H

#include <stdint.h>

#include "common/error.h"

enum { CLOCK_FILE_RATE_MAX = 86400 };

/* *now_us: microseconds since 1970. Returns 0 or a negative errno; -ERANGE: the clock shows a time
 * before 1970 or after 9999. */
int clock_file__now(const char *path, int64_t *now_us, struct error *err);
/* What the last call in this process that returned 0 has read; 0: none has. */
int64_t clock_file__last_us(void);

#endif
