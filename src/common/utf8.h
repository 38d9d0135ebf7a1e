/* SPDX-License-Identifier: BSD-2-Clause */
/* What is well-formed UTF-8 (Unicode, table 3-7), for everything that writes foreign text. */
#ifndef STEPTRACE_COMMON_UTF8_H
#define STEPTRACE_COMMON_UTF8_H

#include <stdint.h>

/*
 * Bytes of the well-formed sequence of two to four bytes at `at`, which ends before `end`;
 * 0 where there is none: a stray or truncated byte, an overlong form, a surrogate, or beyond
 * U+10FFFF. For a first byte below 0x80 there is nothing to ask.
 */
int utf8__sequence_bytes(const uint8_t *at, const uint8_t *end);

#endif
