// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/yaml_scalar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cJSON prints numbers with 15 digits, so larger integers would lose digits. */
static const double exact_max = 999999999999999.0;

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

static cJSON *integer_or_text(const char *text, double number)
{
	return fabs(number) <= exact_max ? cJSON_CreateNumber(number) : cJSON_CreateString(text);
}

static cJSON *based(const char *text, int base)
{
	char *end;
	unsigned long long number = strtoull(text + 2, &end, base);

	if (end == text + 2 || *end || text[2] == '-' || text[2] == '+')
		return cJSON_CreateString(text);
	return integer_or_text(text, (double)number);
}

cJSON *yaml_scalar__typed(const char *text)
{
	static const char *const nulls[] = {"null", "Null", "NULL"};
	static const char *const trues[] = {"true", "True", "TRUE"};
	static const char *const falses[] = {"false", "False", "FALSE"};

	if (!*text || !strcmp(text, "~") || is_word(text, nulls))
		return cJSON_CreateNull();
	if (is_word(text, trues) || is_word(text, falses))
		return cJSON_CreateBool(is_word(text, trues));
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o'))
		return based(text, text[1] == 'x' ? 16 : 8);
	if (is_digits(text + (*text == '-' || *text == '+')))
		return integer_or_text(text, strtod(text, NULL));
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
