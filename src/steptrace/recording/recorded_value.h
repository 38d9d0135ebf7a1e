/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads numbers and timestamps of a recording as integers, exactly: never through a double. */
#ifndef STEPTRACE_RECORDED_VALUE_H
#define STEPTRACE_RECORDED_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The end of the JSON number that begins at `at`; NULL: there is none before `end`. */
const char *recorded_number__end(const char *at, const char *end);

/*
 * A JSON number, from `at` to `end`, times 10 to the power of `shift`, rounded to an integer where
 * it has more decimals (jq writes 45.200000000000003). False: it is negative or too large, or
 * `shift` is 0 and it is no integer.
 */
bool recorded_number__u64(const char *at, const char *end, int shift, uint64_t *value);
bool recorded_number__i64(const char *at, const char *end, int64_t *value);

/* "2026-11-24T09:28:38.620678778Z" as nanoseconds since 1970; 0 to 9 decimals. False: it is none,
 * or before 1970, or after 2500. */
bool recorded_time__read(const char *text, size_t bytes, uint64_t *ns);

#endif
