/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers and durations as people type them. Every parser takes the whole text or nothing:
 * no leading blanks, no trailing letters, no silent overflow.
 * All return 0, -EINVAL (not a number) or -ERANGE (outside min..max).
 */
#ifndef STEPTRACE_COMMON_PARSE_H
#define STEPTRACE_COMMON_PARSE_H

#include <stdint.h>

/* Decimal, `min` and `max` included. */
int parse__u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* "5", "2.5", "5%"; `min` and `max` included. */
int parse__percent(const char *text, double min, double max, double *percent);

/* "500us", "20ms", "1.5s", "2m", "1h", "7d"; a bare number is seconds. Result in nanoseconds. */
int parse__duration_ns(const char *text, uint64_t *ns);

/* "64K", "8M", "1G" (powers of 1024); a bare number is bytes. */
int parse__size_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *bytes);

#endif
