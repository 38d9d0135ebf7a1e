/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses numbers, durations and sizes from the command line.
 *
 * Each function parses the whole text: leading blanks, trailing letters and overflow are errors.
 * Each returns 0, -EINVAL (not a number, or an unknown unit) or -ERANGE (outside min to max, or too
 * large for the type). On an error the result is not written. Nothing is allocated.
 */
#ifndef STEPTRACE_COMMON_PARSE_H
#define STEPTRACE_COMMON_PARSE_H

#include <stdint.h>

/* A decimal number from `min` to `max`, both included. */
int parse__u64(const char *text, uint64_t min, uint64_t max, uint64_t *value);

/* "5", "2.5" or "5%", from `min` to `max`, both included. */
int parse__percent(const char *text, double min, double max, double *percent);

/* "500us", "20ms", "1.5s", "2m", "1h" or "7d"; also ns. A number without a unit means seconds. The
 * result is in nanoseconds. */
int parse__duration_ns(const char *text, uint64_t *ns);

/* "64K", "8M" or "1G" (powers of 1024), from `min` to `max` bytes, both included. A number without
 * a unit means bytes. */
int parse__size_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *bytes);

/* 32 hexadecimal digits. Hyphens between digits are skipped: a UUID, or the same without them. */
int parse__id128(const char *text, uint8_t id[16]);

#endif
