/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text and JSON from outside, which are checked where they enter: text is valid UTF-8 and contains
 * no NUL. In JSON, a NUL can also be written as \u0000; a value cannot hold it: it would end there.
 * A number of JSON is exact, or an error (integer.h).
 */
#ifndef STEPTRACE_RUNNER_FOREIGN_TEXT_H
#define STEPTRACE_RUNNER_FOREIGN_TEXT_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* `what` is the subject of the sentence, such as "--context". 0 or -EINVAL. */
int foreign_text__check(const char *text, size_t bytes, const char *what, struct error *err);

/* Whether the text is valid UTF-8 without a NUL. */
bool foreign_text__is_valid(const char *text, size_t bytes);

/* A copy in which U+FFFD stands for each NUL and for each byte that is no valid UTF-8. The caller
 * frees it; NULL: out of memory. */
char *foreign_text__repaired(const char *text, size_t bytes);

/* Parses a whole text; blanks may follow the value. The caller deletes *value. 0, or -EINVAL: it is
 * not JSON, or not such a text. */
int foreign_json__parse(const char *text, size_t bytes, const char *what, cJSON **value,
			struct error *err);

/* The JSON value at the start of the text, which the caller deletes; NULL: there is none, or it
 * contains a NUL or a number that is too large. *end is behind it, or where the parser stopped. */
cJSON *foreign_json__first(const char *text, const char **end);

/* The value of the text, as above; nothing may follow it. NULL: it is no such value. */
cJSON *foreign_json__whole(const char *text);

#endif
