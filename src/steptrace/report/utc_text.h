/* SPDX-License-Identifier: BSD-2-Clause */
/* A time for people, in UTC: "2026-11-24 09:28:38". */
#ifndef STEPTRACE_REPORT_UTC_TEXT_H
#define STEPTRACE_REPORT_UTC_TEXT_H

#include <stdint.h>

enum { UTC_TEXT_BYTES = 24 };

/* Nanoseconds since 1970; 0, a time that is not known, is "-". */
void utc_text__write(char text[UTC_TEXT_BYTES], uint64_t ns);

#endif
