/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the values of templates and conditions mean. Values are cJSON; NULL counts as null
 * everywhere, and nothing here changes or keeps what it is given.
 *
 *	truth	false: null, false, 0, "0", "", [] and {}; everything else is true
 *	text	true is "1", false and null are "", numbers are plain (7, 0.5; no exponent up to
 *		2^53, else the shortest digits that read back the same), lists and objects are
 *		compact JSON
 *	number	numbers, "12", " 1.5e3 " and, where a number is wanted, true and false
 *	equal	a number and a number, a numeric text or a boolean: as numbers; lists and objects
 *		by their content; the rest by text, so null == "" and "007" != "7"
 *	order	two numbers or numeric texts as numbers ("10" > "9"), the rest by text, in bytes
 *
 * A query's answer, {"results": [...], "fragments": [...], "count": 2}, is an object and a list
 * in one: .count is 2, .0 the first row, its length the number of rows.
 */
#ifndef STEPTRACE_RUNNER_VALUE_H
#define STEPTRACE_RUNNER_VALUE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/strbuf.h"

/* Deeper values are neither copied nor measured. */
enum { VALUE_DEPTH_LIMIT = 1024 };

bool value__is_true(const cJSON *value);

/* To be freed; NULL: out of memory. */
char *value__text(const cJSON *value);
/* Appends; errors are the buffer's. In JSON invalid UTF-8 becomes U+FFFD. */
int value__write_text(const cJSON *value, struct strbuf *out);
int value__write_json(const cJSON *value, struct strbuf *out);
void value__write_number(double number, struct strbuf *out);

/* False where the value is no finite number. */
bool value__number(const cJSON *value, double *number);
/* The number a text begins with, as in "12 days"; 0 where there is none. */
double value__leading_number(const cJSON *value);

bool value__equal(const cJSON *a, const cJSON *b);
/* Below, at or above 0. */
int value__compare(const cJSON *a, const cJSON *b);

/* Code points of a text, items of a list or object. */
size_t value__length(const cJSON *value);
/* Part of a text, item of a list, key of an object. */
bool value__contains(const cJSON *value, const cJSON *item);

/* The member or item ("0") of that name, borrowed; NULL where there is none. */
const cJSON *value__step(const cJSON *value, const char *name);
/* The value itself when it is a list, a query's results; NULL otherwise. */
const cJSON *value__list(const cJSON *value);

/* A deep copy; NULL: out of memory, or too deep. */
cJSON *value__copy(const cJSON *value);
/* What a copy costs: one for each value in it and for every 64 bytes of text. 0: too deep. */
size_t value__weight(const cJSON *value);
/* A text value that takes `text` over (also on failure); NULL where `text` is. */
cJSON *value__from_text(char *text);

/* ---- UTF-8. A byte that is no part of a valid sequence counts as one code point. */

/* Bytes of the first code point; 0 at the end. */
size_t utf8__size(const char *text, size_t length);
size_t utf8__count(const char *text, size_t length);
/* Where code point `index` starts; `length` where the text has fewer. */
size_t utf8__offset(const char *text, size_t length, size_t index);

#endif
