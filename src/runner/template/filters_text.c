// SPDX-License-Identifier: BSD-2-Clause
/* Filters for single values: texts, numbers, JSON. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/filters.h"
#include "runner/value/foreign_text.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

static const char blanks[] = " \t\r\n\v\f";

/* ------------------------------------------------------------------ choosing */

int filter_text__default(const struct filter_call *call, cJSON **result)
{
	const cJSON *value = value__is_true(call->input) ? call->input : call->arguments[0];

	return filter__give(call, value__copy(value), result);
}

int filter_text__ternary(const struct filter_call *call, cJSON **result)
{
	const cJSON *value = call->arguments[!value__is_true(call->input)];

	return filter__give(call, value__copy(value), result);
}

/* ------------------------------------------------------------------ JSON and numbers */

/* Text that is not JSON becomes null, so that the filter `default` can follow. A value that is not
 * text is returned unchanged. */
int filter_text__from_json(const struct filter_call *call, cJSON **result)
{
	cJSON *value;

	if (!cJSON_IsString(call->input))
		return filter__give(call, value__copy(call->input), result);
	value = foreign_json__whole(call->input->valuestring);
	return filter__give(call, value ? value : cJSON_CreateNull(), result);
}

int filter_text__json(const struct filter_call *call, cJSON **result)
{
	struct strbuf text;

	strbuf__init(&text, FILTER_TEXT_BYTES);
	value__write_json(call->input, &text);
	return filter__give_text(call, &text, result);
}

int filter_text__int(const struct filter_call *call, cJSON **result)
{
	int64_t whole;
	double number;

	if (value__leading_integer(call->input, &whole))
		return filter__give(call, integer__new(whole), result);
	number = trunc(value__leading_number(call->input));
	if (!(fabs(number) < 9223372036854775808.0))
		return error__set(call->err, -EINVAL,
				  "the number is too large: it has more than 64 bits");
	return filter__give(call, cJSON_CreateNumber(number == 0 ? 0 : number), result);
}

int filter_text__float(const struct filter_call *call, cJSON **result)
{
	double number = value__leading_number(call->input);

	return filter__give(call, cJSON_CreateNumber(number), result);
}

/* ------------------------------------------------------------------ ends of a text */

/* Appends text to text, or an item to a list. */
int filter_text__append(const struct filter_call *call, cJSON **result)
{
	struct strbuf text;

	if (cJSON_IsArray(call->input)) {
		int err = filter__give(call, filter__take(call), result);

		if (!err)
			err = filter__add(call, *result, value__copy(call->arguments[0]));
		if (err)
			cJSON_Delete(*result);
		return err;
	}
	strbuf__init(&text, FILTER_TEXT_BYTES);
	value__write_text(call->input, &text);
	value__write_text(call->arguments[0], &text);
	return filter__give_text(call, &text, result);
}

int filter_text__trim(const struct filter_call *call, cJSON **result)
{
	char *text, *start;
	size_t length;
	int err = filter__text(call, call->input, &text);

	if (err)
		return err;
	start = text + strspn(text, blanks);
	length = strlen(start);
	while (length > 0 && strchr(blanks, start[length - 1]))
		length--;
	start[length] = 0;
	err = filter__give(call, cJSON_CreateString(start), result);
	free(text);
	return err;
}

/* `truncate: 5` turns "abcdefg" into "abcde...". */
int filter_text__truncate(const struct filter_call *call, cJSON **result)
{
	struct strbuf out;
	char *text;
	size_t length, cut;
	int limit, err = filter__integer(call, 0, 0, &limit);

	if (!err)
		err = filter__text(call, call->input, &text);
	if (err)
		return err;
	length = strlen(text);
	cut = utf8__offset(text, length, limit > 0 ? (size_t)limit : 0);
	strbuf__init(&out, FILTER_TEXT_BYTES);
	strbuf__bytes(&out, text, cut);
	strbuf__text(&out, cut < length ? "..." : "");
	free(text);
	return filter__give_text(call, &out, result);
}

/* Repeats the padding from its start; the last copy is truncated. */
static void write_padding(struct strbuf *out, const char *padding, size_t characters)
{
	size_t bytes = strlen(padding), count = utf8__count(padding, bytes);

	if (count == 0)
		return;
	strbuf__repeat(out, padding, characters / count);
	strbuf__bytes(out, padding, utf8__offset(padding, bytes, characters % count));
}

int filter_text__pad_left(const struct filter_call *call, cJSON **result)
{
	struct strbuf out;
	char *text, *padding = NULL;
	size_t length;
	int width, err = filter__integer(call, 0, 0, &width);

	if (!err)
		err = filter__text(call, call->input, &text);
	if (err)
		return err;
	if (call->argument_count > 1)
		padding = value__text(call->arguments[1]);
	length = utf8__count(text, strlen(text));
	strbuf__init(&out, FILTER_TEXT_BYTES);
	if (width > 0 && (size_t)width > length)
		write_padding(&out, padding ? padding : " ", (size_t)width - length);
	strbuf__text(&out, text);
	free(text);
	free(padding);
	return filter__give_text(call, &out, result);
}

/* ------------------------------------------------------------------ slugs */

static bool is_ascii_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* "Ça va, Bob?" becomes "a-va-bob": bytes that are not ASCII letters or digits separate words. */
int filter_text__slug(const struct filter_call *call, cJSON **result)
{
	struct strbuf out;
	bool gap = false;
	char *text;
	int err = filter__text(call, call->input, &text);

	if (err)
		return err;
	strbuf__init(&out, FILTER_TEXT_BYTES);
	for (const char *at = text; *at; at++) {
		char c = *at >= 'A' && *at <= 'Z' ? (char)(*at + 32) : *at;

		if (!is_ascii_word(c)) {
			gap = out.length > 0;
			continue;
		}
		if (gap)
			strbuf__char(&out, '-');
		strbuf__char(&out, c);
		gap = false;
	}
	free(text);
	return filter__give_text(call, &out, result);
}
