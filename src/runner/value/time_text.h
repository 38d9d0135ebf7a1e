/* SPDX-License-Identifier: BSD-2-Clause */
/* Moments as text in UTC, as templates and the database have them. */
#ifndef STEPTRACE_RUNNER_TIME_TEXT_H
#define STEPTRACE_RUNNER_TIME_TEXT_H

#include <stdint.h>

enum { TIME_TEXT_BYTES = 28 };

/* The first and the last moment of the years 0 to 9999, in microseconds since 1970. */
#define TIME_TEXT_FIRST_US (-62167219200000000)
#define TIME_TEXT_LAST_US  253402300799999999

/* "2025-03-01T08:30:00.000000Z"; `us` is in microseconds since 1970. A moment before or after the
 * years that the text can show is written as the first or the last one. */
void time_text__write(int64_t us, char text[TIME_TEXT_BYTES]);

/* "2025-03-01T08:30:00Z", with up to six decimals of a second. Returns 0 or -EINVAL. */
int time_text__read(const char *text, int64_t *us);

#endif
