// SPDX-License-Identifier: BSD-2-Clause
#include "runner/value/integer.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MAX 9007199254740992 /* 2^53 */

static bool is_whole(double number)
{
	return number == trunc(number) && fabs(number) <= EXACT_MAX;
}

/* ---- making */

const cJSON *integer__fill(struct integer_value *value, int64_t number)
{
	value->node = (cJSON){.type = cJSON_Number, .valuedouble = (double)number};
	if (number < -EXACT_MAX || number > EXACT_MAX) {
		snprintf(value->digits, sizeof(value->digits), "%" PRId64, number);
		value->node.valuestring = value->digits;
	}
	return &value->node;
}

static int set(cJSON *value, int64_t number)
{
	struct integer_value filled;

	integer__fill(&filled, number);
	cJSON_SetNumberValue(value, filled.node.valuedouble);
	if (!filled.node.valuestring)
		return 0;
	value->valuestring = strdup(filled.digits);
	return value->valuestring ? 0 : -ENOMEM;
}

cJSON *integer__new(int64_t number)
{
	cJSON *value = cJSON_CreateNumber(0);

	if (value && set(value, number)) {
		cJSON_Delete(value);
		return NULL;
	}
	return value;
}

bool integer__add(cJSON *object, const char *name, int64_t number)
{
	cJSON *value = integer__new(number);

	if (value && cJSON_AddItemToObject(object, name, value))
		return true;
	cJSON_Delete(value);
	return false;
}

/* ---- reading */

enum integer_text integer__read(const char *text, size_t length, int64_t *integer)
{
	const char *end = text + length;
	bool is_negative = length > 0 && *text == '-';
	int64_t number = 0;
	bool is_too_large = false;

	text += length > 0 && (*text == '-' || *text == '+');
	if (text == end)
		return INTEGER_NONE;
	for (; text < end; text++) {
		int digit = *text - '0';

		if (digit < 0 || digit > 9)
			return INTEGER_NONE;
		is_too_large |= __builtin_mul_overflow(number, 10, &number);
		is_too_large |=
			__builtin_add_overflow(number, is_negative ? -digit : digit, &number);
	}
	*integer = is_too_large ? 0 : number;
	return is_too_large ? INTEGER_TOO_LARGE : INTEGER_READ;
}

bool integer__of(const cJSON *value, int64_t *integer)
{
	*integer = 0;
	if (!cJSON_IsNumber(value))
		return false;
	if (value->valuestring)
		return integer__read(value->valuestring, strlen(value->valuestring), integer) ==
		       INTEGER_READ;
	if (!is_whole(value->valuedouble))
		return false;
	*integer = (int64_t)value->valuedouble;
	return true;
}

bool integer__of_any(const cJSON *value, int64_t *integer)
{
	static const char blanks[] = " \t\r\n";
	const char *text;
	size_t length;

	if (!cJSON_IsString(value))
		return integer__of(value, integer);
	*integer = 0;
	text = value->valuestring + strspn(value->valuestring, blanks);
	length = strlen(text);
	while (length > 0 && strchr(blanks, text[length - 1]))
		length--;
	return integer__read(text, length, integer) == INTEGER_READ;
}

/* ---- numbers of JSON. In the text they come in the order in which a walk through the tree meets
 * them. */

struct numbers {
	const char *at, *end;
};

/* The next number of the text; false: there are no more. */
static bool next_number(struct numbers *numbers, const char **number, size_t *length)
{
	bool is_in_text = false;

	for (; numbers->at < numbers->end; numbers->at++) {
		char c = *numbers->at;

		if (is_in_text && c == '\\' && numbers->at + 1 < numbers->end)
			numbers->at++;
		else if (c == '"')
			is_in_text = !is_in_text;
		else if (!is_in_text && (c == '-' || (c >= '0' && c <= '9')))
			break;
	}
	*number = numbers->at;
	while (numbers->at < numbers->end && *numbers->at &&
	       strchr("+-.0123456789eE", *numbers->at))
		numbers->at++;
	*length = (size_t)(numbers->at - *number);
	return *length > 0;
}

/* Most trees have none: then there is no need to look through the text. */
static bool has_number(const cJSON *value)
{
	if (cJSON_IsNumber(value))
		return true;
	for (const cJSON *item = value->child; item; item = item->next)
		if (has_number(item))
			return true;
	return false;
}

/* A number with fewer digits, and without an exponent, is exact and finite. */
static bool has_large_numbers(struct numbers numbers)
{
	const char *number;
	size_t length;

	while (next_number(&numbers, &number, &length))
		if (length > 15 || memchr(number, 'e', length) || memchr(number, 'E', length))
			return true;
	return false;
}

static int make_exact(cJSON *value, struct numbers *numbers)
{
	const char *number;
	size_t length;
	int64_t integer;
	int code = 0;

	for (cJSON *item = value->child; item && !code; item = item->next)
		code = make_exact(item, numbers);
	if (code || !cJSON_IsNumber(value) || !next_number(numbers, &number, &length))
		return code;
	switch (integer__read(number, length, &integer)) {
	case INTEGER_READ: return integer ? set(value, integer) : 0;
	case INTEGER_TOO_LARGE: return -ERANGE;
	default: return isfinite(value->valuedouble) ? 0 : -ERANGE;
	}
}

int integer__make_exact(cJSON *value, const char *text, const char *end)
{
	struct numbers numbers = {text, end};

	return has_number(value) && has_large_numbers(numbers) ? make_exact(value, &numbers) : 0;
}
