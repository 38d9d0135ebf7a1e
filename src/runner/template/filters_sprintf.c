// SPDX-License-Identifier: BSD-2-Clause
/*
 * '%05.1f' | sprintf: value. The format comes from a pack and is not trusted, so it is never passed
 * to printf. Each conversion is parsed here and written with a fixed format.
 *
 *	% [-+0 space]* [width] [.precision] (d i u s f e g x X o c %)
 *
 * If the argument is a list, each conversion takes the next item. A single value is used by the
 * first conversion only. A conversion without a value is an error.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/filters.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

enum { WIDTH_MAX = 1000, PRECISION_MAX = 40, NUMBER_BYTES = 512 };

struct conversion {
	bool left, plus, space, zero;
	int width, precision; /* -1: not given */
	char letter;
};

static const char *read_digits(const char *at, int *number)
{
	for (; *at >= '0' && *at <= '9'; at++)
		*number = *number < 100000 ? 10 * *number + (*at - '0') : *number;
	return at;
}

static const char *read_conversion(const char *at, struct conversion *conversion)
{
	*conversion = (struct conversion){.precision = -1};
	for (; *at && strchr("-+ 0", *at); at++) {
		conversion->left |= *at == '-';
		conversion->plus |= *at == '+';
		conversion->space |= *at == ' ';
		conversion->zero |= *at == '0';
	}
	at = read_digits(at, &conversion->width);
	if (*at == '.') {
		conversion->precision = 0;
		at = read_digits(at + 1, &conversion->precision);
	}
	conversion->letter = *at;
	return *at ? at + 1 : at;
}

/* Writes the digits without a sign; `number` is not negative. `whole` is the number without its
 * fraction. */
static void write_digits(char text[NUMBER_BYTES], const struct conversion *conversion,
			 double number, unsigned long long whole)
{
	int precision = conversion->precision < 0 ? 6 : conversion->precision;

	switch (conversion->letter) {
	case 'x': snprintf(text, NUMBER_BYTES, "%llx", whole); break;
	case 'X': snprintf(text, NUMBER_BYTES, "%llX", whole); break;
	case 'o': snprintf(text, NUMBER_BYTES, "%llo", whole); break;
	case 'f': snprintf(text, NUMBER_BYTES, "%.*f", precision, number); break;
	case 'e': snprintf(text, NUMBER_BYTES, "%.*e", precision, number); break;
	case 'g': snprintf(text, NUMBER_BYTES, "%.*g", precision, number); break;
	default:
		if (whole == ~0ULL) /* the number is larger */
			snprintf(text, NUMBER_BYTES, "%.0f", trunc(number));
		else
			snprintf(text, NUMBER_BYTES, "%llu", whole);
	}
}

/* Pads with blanks on the left or right, or with zeros between sign and digits. */
static void write_padded(struct strbuf *out, const struct conversion *conversion, const char *sign,
			 const char *text, size_t bytes)
{
	size_t used = strlen(sign) + utf8__count(text, bytes);
	size_t padding = (size_t)conversion->width > used ? (size_t)conversion->width - used : 0;
	bool zeros = conversion->zero && !conversion->left;

	if (!conversion->left && !zeros)
		strbuf__repeat(out, " ", padding);
	strbuf__text(out, sign);
	if (zeros)
		strbuf__repeat(out, "0", padding);
	strbuf__bytes(out, text, bytes);
	if (conversion->left)
		strbuf__repeat(out, " ", padding);
}

static void write_number(struct strbuf *out, const struct conversion *conversion,
			 const cJSON *value)
{
	double number = value__leading_number(value);
	bool is_whole = strchr("dixXou", conversion->letter) != NULL;
	bool negative = is_whole ? trunc(number) < 0 : number < 0;
	char text[NUMBER_BYTES];
	int64_t exact;
	unsigned long long whole =
		fabs(number) < 18446744073709549568.0 ? (unsigned long long)fabs(number) : ~0ULL;

	if (value__leading_integer(value, &exact))
		whole = exact < 0 ? -(unsigned long long)exact : (unsigned long long)exact;
	write_digits(text, conversion, fabs(number), whole);
	write_padded(out, conversion,
		     negative            ? "-"
		     : conversion->plus  ? "+"
		     : conversion->space ? " "
					 : "",
		     text, strlen(text));
}

static int write_text(const struct filter_call *call, struct strbuf *out,
		      const struct conversion *conversion, const cJSON *value)
{
	char *text;
	size_t bytes;
	int err = filter__text(call, value, &text);

	if (err)
		return err;
	bytes = strlen(text);
	if (conversion->precision >= 0)
		bytes = utf8__offset(text, bytes, (size_t)conversion->precision);
	write_padded(out, conversion, "", text, bytes);
	free(text);
	return 0;
}

static int check(const struct filter_call *call, const struct conversion *conversion,
		 const cJSON *value)
{
	if (!conversion->letter || !strchr("diusfegxXoc", conversion->letter))
		return error__set(call->err, -EINVAL, "the format has an unknown conversion '%%%c'",
				  conversion->letter ? conversion->letter : ' ');
	if (conversion->width > WIDTH_MAX ||
	    (conversion->precision > PRECISION_MAX && conversion->letter != 's'))
		return error__set(call->err, -E2BIG,
				  "a width is at most %d, a precision at most %d", WIDTH_MAX,
				  PRECISION_MAX);
	if (!value)
		return error__set(call->err, -EINVAL,
				  "the format has more conversions than values were given");
	return 0;
}

static int convert(const struct filter_call *call, struct strbuf *out,
		   const struct conversion *conversion, const cJSON *value)
{
	int err = check(call, conversion, value);

	if (err)
		return err;
	if (conversion->letter == 's' || conversion->letter == 'c')
		return write_text(call, out, conversion, value);
	write_number(out, conversion, value);
	return 0;
}

static int format(const struct filter_call *call, const char *at, struct strbuf *out)
{
	const cJSON *values = call->arguments[0];
	bool is_list = cJSON_IsArray(values);
	const cJSON *value = is_list ? values->child : values;
	struct conversion conversion;
	int err = 0;

	while (!err && *at) {
		size_t plain = strcspn(at, "%");

		strbuf__bytes(out, at, plain);
		at += plain;
		if (!*at)
			break;
		at = read_conversion(at + 1, &conversion);
		if (conversion.letter == '%') {
			strbuf__char(out, '%');
			continue;
		}
		err = convert(call, out, &conversion, value);
		value = is_list && value ? value->next : NULL;
	}
	return err;
}

int filter_text__sprintf(const struct filter_call *call, cJSON **result)
{
	struct strbuf out;
	char *text;
	int err = filter__text(call, call->input, &text);

	if (err)
		return err;
	strbuf__init(&out, FILTER_TEXT_BYTES);
	err = format(call, text, &out);
	free(text);
	if (!err)
		return filter__give_text(call, &out, result);
	strbuf__free(&out);
	return err;
}
