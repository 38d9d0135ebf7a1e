/* SPDX-License-Identifier: BSD-2-Clause */
/* A duration for people, in the unit that fits, with three digits: "468 us", "1.46 s". */
#ifndef STEPTRACE_DURATION_TEXT_H
#define STEPTRACE_DURATION_TEXT_H

#include <stdint.h>

enum { DURATION_TEXT_BYTES = 24 };

void duration_text__write(uint64_t ns, char text[DURATION_TEXT_BYTES]);

/* The same for times that may be long: "4m 02s", "3h 12m", "2d 04h". */
void duration_text__age(uint64_t ns, char text[DURATION_TEXT_BYTES]);

#endif
