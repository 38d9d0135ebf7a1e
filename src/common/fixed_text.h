/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts in arrays of a fixed size, as records have them: a text that fills its array has no NUL. */
#ifndef STEPTRACE_COMMON_FIXED_TEXT_H
#define STEPTRACE_COMMON_FIXED_TEXT_H

#include <string.h>

/* Copies a text from one array to another, where it ends with NUL; it is cut where it does not
 * fit. */
#define FIXED_TEXT_COPY(to, from) fixed_text__copy(to, sizeof(to), from, sizeof(from))

static inline void fixed_text__copy(char *to, size_t to_bytes, const char *from, size_t from_bytes)
{
	size_t length = strnlen(from, from_bytes < to_bytes ? from_bytes : to_bytes - 1);

	memcpy(to, from, length);
	to[length] = 0;
}

#endif
