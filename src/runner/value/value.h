/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The meaning of values in templates and conditions: what is true, equal, a number, a text. Values
 * are cJSON trees; a NULL pointer counts as null. The functions do not change their arguments and
 * keep no pointers to them.
 *
 *	truth	false: null, false, 0, "0", "", [] and {}; everything else is true
 *	text	true is "1", false and null are "", whole numbers are plain up to 64 bits
 *		(integer.h), other numbers are the shortest digits that read back the same, lists
 *		and objects are compact JSON
 *	number	numbers, "12", " 1.5e3 " and, where a number is wanted, true and false
 *	equal	a number and a number, a numeric text or a boolean: as numbers, whole numbers
 *		exactly; lists and objects
 *		by their content; the rest by text, so null == "" and "007" != "7"
 *	order	two numbers, numeric texts or booleans as numbers ("10" > "9"), the rest by text, in
 *		bytes
 *
 * The result of a query, {"results": [...], "fragments": [...], "count": 2}, is an object that can
 * also be used as a list: .count is 2, .0 is the first row, its length is the number of rows.
 */
#ifndef STEPTRACE_RUNNER_VALUE_H
#define STEPTRACE_RUNNER_VALUE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/strbuf.h"

/* Values that are nested deeper are not copied. */
enum { VALUE_DEPTH_LIMIT = 1024 };

bool value__is_true(const cJSON *value);

/* The text without blanks and line breaks around it: where it begins, and its *length in bytes. */
const char *value__trimmed(const char *text, size_t *length);

/* The value as text, which the caller frees; NULL: out of memory. */
char *value__text(const cJSON *value);
/* The same as JSON. */
char *value__json(const cJSON *value);
/* These append to `out` and return its error (strbuf.h). In JSON, bytes that are not valid UTF-8
 * become U+FFFD. */
int value__write_text(const cJSON *value, struct strbuf *out);
int value__write_json(const cJSON *value, struct strbuf *out);
void value__write_number(double number, struct strbuf *out);

/* Returns false if the value is not a finite number. */
bool value__number(const cJSON *value, double *number);
/* The number at the start of a text, as in "12 days"; 0: there is none. */
double value__leading_number(const cJSON *value);
/* The same without what follows the digits, exactly: "12.5 days" is 12. False: there are no digits,
 * or the number has more than 64 bits or an exponent. */
bool value__leading_integer(const cJSON *value, int64_t *integer);

bool value__equal(const cJSON *a, const cJSON *b);
/* Below 0: a before b; 0: equal; above 0: a after b. */
int value__compare(const cJSON *a, const cJSON *b);

/* Number of code points of a text, or of items of a list or object. */
size_t value__length(const cJSON *value);
/* True if `item` is part of a text, an item of a list, or a key of an object. */
bool value__contains(const cJSON *value, const cJSON *item);

/* The member with that name, or the item with that index ("0"). Borrowed; NULL: there is none. Adds
 * to *walked how many members or items were passed: objects and lists are linked. */
const cJSON *value__step(const cJSON *value, const char *name, size_t *walked);
/* `value` if it is a list, or its `results` if it is the result of a query; otherwise NULL. */
const cJSON *value__list(const cJSON *value);

/* A deep copy, which the caller deletes; NULL: out of memory, or nested too deep. */
cJSON *value__copy(const cJSON *value);
/* The cost of a copy: 1 for each value in the tree and 1 for every 64 bytes of text. 0: nested too
 * deep. */
size_t value__weight(const cJSON *value);
/* A text value that owns `text`, which is freed on failure. NULL: out of memory, or `text` is
 * NULL. */
cJSON *value__from_text(char *text);

/* ---- UTF-8. A byte that is not part of a valid sequence counts as one code point. Lengths and
 * offsets are in bytes. */

/* Bytes of the first code point; 0 if `length` is 0. */
size_t utf8__size(const char *text, size_t length);
/* Number of code points. */
size_t utf8__count(const char *text, size_t length);
/* Offset of code point `index`; `length` if the text has fewer code points. */
size_t utf8__offset(const char *text, size_t length, size_t index);

#endif
