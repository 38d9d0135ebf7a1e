// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/yaml_scalar.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/integer.h"

static bool is_digits(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

static bool is_float(const char *text)
{
	size_t whole, part = 0;

	text += *text == '-' || *text == '+';
	whole = strspn(text, "0123456789");
	text += whole;
	if (*text == '.') {
		part = strspn(text + 1, "0123456789");
		text += 1 + part;
	}
	if (whole + part == 0)
		return false;
	if (*text == 'e' || *text == 'E') {
		text += 1 + (text[1] == '-' || text[1] == '+');
		return is_digits(text);
	}
	return *text == 0;
}

static bool is_word(const char *text, const char *const words[3])
{
	return !strcmp(text, words[0]) || !strcmp(text, words[1]) || !strcmp(text, words[2]);
}

static bool has_base(const char *text)
{
	return text[0] == '0' && (text[1] == 'x' || text[1] == 'o');
}

/* Hexadecimal or octal digits behind 0x or 0o. */
static enum integer_text read_based(const char *text, int64_t *number)
{
	unsigned long long read;
	char *end;

	errno = 0;
	read = strtoull(text + 2, &end, text[1] == 'x' ? 16 : 8);
	if (end == text + 2 || *end || strchr("-+ ", text[2]))
		return INTEGER_NONE;
	if (errno || read > INT64_MAX)
		return INTEGER_TOO_LARGE;
	*number = (int64_t)read;
	return INTEGER_READ;
}

static enum integer_text read_whole(const char *text, int64_t *number)
{
	return has_base(text) ? read_based(text, number)
			      : integer__read(text, strlen(text), number);
}

bool yaml_scalar__is_too_large(const char *text)
{
	int64_t number;

	return read_whole(text, &number) == INTEGER_TOO_LARGE;
}

cJSON *yaml_scalar__typed(const char *text)
{
	static const char *const nulls[] = {"null", "Null", "NULL"};
	static const char *const trues[] = {"true", "True", "TRUE"};
	static const char *const falses[] = {"false", "False", "FALSE"};
	int64_t number;

	if (!*text || !strcmp(text, "~") || is_word(text, nulls))
		return cJSON_CreateNull();
	if (is_word(text, trues) || is_word(text, falses))
		return cJSON_CreateBool(is_word(text, trues));
	if (read_whole(text, &number) == INTEGER_READ)
		return integer__new(number);
	if (is_float(text) && isfinite(strtod(text, NULL)))
		return cJSON_CreateNumber(strtod(text, NULL));
	return cJSON_CreateString(text);
}

bool yaml_scalar__is_not_finite(const char *text)
{
	static const char *const infinite[] = {".inf", ".Inf", ".INF"};
	static const char *const not_numbers[] = {".nan", ".NaN", ".NAN"};

	return is_word(text + (*text == '-' || *text == '+'), infinite) ||
	       is_word(text, not_numbers);
}
