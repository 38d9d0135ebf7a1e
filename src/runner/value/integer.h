/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole numbers of 64 bits, exactly.
 *
 * cJSON holds numbers as a double, which is exact up to 2^53. A whole number beyond that also has
 * its digits, in `valuestring`: cJSON copies and deletes that text with the value. So only the
 * functions here make and read whole numbers that may be large, and value.h writes them.
 */
#ifndef STEPTRACE_RUNNER_INTEGER_H
#define STEPTRACE_RUNNER_INTEGER_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller deletes it; NULL: out of memory. */
cJSON *integer__new(int64_t number);

/* Adds the number to the object. False: out of memory. */
bool integer__add(cJSON *object, const char *name, int64_t number);

/* Whether the value is a whole number, such as 7 or 1e3. *integer is 0 if it is not. */
bool integer__of(const cJSON *value, int64_t *integer);

/* The same, or a text that is a whole number in decimal digits, with blanks around it. */
bool integer__of_any(const cJSON *value, int64_t *integer);

enum integer_text { INTEGER_NONE, INTEGER_READ, INTEGER_TOO_LARGE };

/* Digits with or without a sign; nothing may follow them. */
enum integer_text integer__read(const char *text, size_t length, int64_t *integer);

/* A number that lives on the stack, for a function that takes a value. It is valid as long as the
 * struct is, and is not deleted. */
struct integer_value {
	cJSON node;
	char digits[24];
};

const cJSON *integer__fill(struct integer_value *value, int64_t number);

/* The numbers of `value`, which cJSON parsed from the text between `text` and `end`, become exact.
 * 0, or -ERANGE: a whole number has more than 64 bits, or a number is too large for a double;
 * -ENOMEM. */
int integer__make_exact(cJSON *value, const char *text, const char *end);

#endif
