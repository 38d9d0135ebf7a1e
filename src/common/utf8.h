/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checks UTF-8 (the Unicode Standard, table 3-7 "Well-Formed UTF-8 Byte Sequences"). Used by all
 * code that writes text which came from another process or from a file.
 */
#ifndef STEPTRACE_COMMON_UTF8_H
#define STEPTRACE_COMMON_UTF8_H

#include <stdint.h>

/*
 * Returns the length in bytes (2 to 4) of the well-formed sequence that starts at `at` and ends
 * before `end`. Returns 0 when there is none: a stray or missing continuation byte, an overlong
 * form, a surrogate, or a value above U+10FFFF. `at` must be before `end`. A byte below 0x80 is
 * ASCII: the caller handles it itself, because this function returns 0 for it.
 */
int utf8__sequence_bytes(const uint8_t *at, const uint8_t *end);

#endif
