// SPDX-License-Identifier: BSD-2-Clause
#include "runner/value/value.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/integer.h"

/* ------------------------------------------------------------------ as text */

/* At most 2^53. */
static void write_whole(int64_t number, struct strbuf *out)
{
	char text[24], *at = text + sizeof(text);
	int64_t rest = number < 0 ? -number : number;

	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		*--at = '-';
	strbuf__bytes(out, at, (size_t)(text + sizeof(text) - at));
}

void value__write_number(double number, struct strbuf *out)
{
	char text[64];

	if (!isfinite(number)) {
		strbuf__char(out, '0');
		return;
	}
	if (number == floor(number) && fabs(number) <= 9007199254740992.0) {
		write_whole((int64_t)number, out);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	strbuf__text(out, text);
}

static void write_json_char(const char *text, size_t size, struct strbuf *out)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
	unsigned char c = (unsigned char)*text;
	const char *found = strchr(plain, c);

	if (size > 1)
		strbuf__bytes(out, text, size);
	else if (found)
		strbuf__printf(out, "\\%c", letters[found - plain]);
	else if (c < 0x20)
		strbuf__printf(out, "\\u%04x", c);
	else if (c >= 0x80)
		strbuf__text(out, "\xef\xbf\xbd");
	else
		strbuf__char(out, (char)c);
}

/* How many characters are written as they are. */
static size_t plain_length(const char *text)
{
	size_t length = 0;

	while ((unsigned char)text[length] >= 0x20 && (unsigned char)text[length] < 0x80 &&
	       text[length] != '"' && text[length] != '\\')
		length++;
	return length;
}

static void write_json_text(const char *text, struct strbuf *out)
{
	const char *end = text + strlen(text);

	strbuf__char(out, '"');
	while (text < end && !out->err) {
		size_t size = plain_length(text);

		strbuf__bytes(out, text, size);
		text += size;
		size = utf8__size(text, (size_t)(end - text));
		if (size)
			write_json_char(text, size, out);
		text += size;
	}
	strbuf__char(out, '"');
}

static void write_json_items(const cJSON *value, struct strbuf *out)
{
	const cJSON *item;

	for (item = value->child; item && !out->err; item = item->next) {
		if (item != value->child)
			strbuf__char(out, ',');
		if (cJSON_IsObject(value)) {
			write_json_text(item->string ? item->string : "", out);
			strbuf__char(out, ':');
		}
		value__write_json(item, out);
	}
}

int value__write_json(const cJSON *value, struct strbuf *out)
{
	bool is_list = cJSON_IsArray(value);

	if (cJSON_IsNumber(value) && value->valuestring) /* integer.h */
		strbuf__text(out, value->valuestring);
	else if (cJSON_IsNumber(value))
		value__write_number(value->valuedouble, out);
	else if (cJSON_IsString(value))
		write_json_text(value->valuestring, out);
	else if (is_list || cJSON_IsObject(value)) {
		strbuf__char(out, is_list ? '[' : '{');
		write_json_items(value, out);
		strbuf__char(out, is_list ? ']' : '}');
	} else
		strbuf__text(out, cJSON_IsTrue(value)    ? "true"
				  : cJSON_IsFalse(value) ? "false"
							 : "null");
	return out->err;
}

int value__write_text(const cJSON *value, struct strbuf *out)
{
	if (cJSON_IsString(value))
		return strbuf__text(out, value->valuestring);
	if (cJSON_IsTrue(value))
		return strbuf__char(out, '1');
	if (!value || cJSON_IsFalse(value) || cJSON_IsNull(value))
		return out->err;
	return value__write_json(value, out);
}

char *value__text(const cJSON *value)
{
	struct strbuf out;

	strbuf__init(&out, SIZE_MAX);
	value__write_text(value, &out);
	return strbuf__take(&out);
}

char *value__json(const cJSON *value)
{
	struct strbuf out;

	strbuf__init(&out, SIZE_MAX);
	value__write_json(value, &out);
	return strbuf__take(&out);
}

cJSON *value__from_text(char *text)
{
	cJSON *value = text ? cJSON_CreateNull() : NULL;

	if (!value) {
		free(text);
		return NULL;
	}
	value->type = cJSON_String;
	value->valuestring = text;
	return value;
}

/* ------------------------------------------------------------------ truth and numbers */

const char *value__trimmed(const char *text, size_t *length)
{
	static const char blanks[] = " \t\r\n\f\v";

	text += strspn(text, blanks);
	*length = strlen(text);
	while (*length > 0 && strchr(blanks, text[*length - 1]))
		--*length;
	return text;
}

bool value__is_true(const cJSON *value)
{
	if (cJSON_IsString(value))
		return *value->valuestring && strcmp(value->valuestring, "0") != 0;
	if (cJSON_IsNumber(value))
		return value->valuedouble != 0;
	if (cJSON_IsArray(value) || cJSON_IsObject(value))
		return value->child != NULL;
	return cJSON_IsTrue(value);
}

/* Accepts decimal numbers only; strtod alone would also accept "inf", "nan" and "0x10". */
static bool read_number(const char *text, double *number, const char **end)
{
	const char *digits;
	char *stop;

	text += strspn(text, " \t\r\n");
	digits = text + (*text == '-' || *text == '+');
	if (*digits == '.')
		digits++;
	if (*digits < '0' || *digits > '9' || (*digits == '0' && (digits[1] | 0x20) == 'x'))
		return false;
	*number = strtod(text, &stop);
	*end = stop;
	return isfinite(*number);
}

bool value__number(const cJSON *value, double *number)
{
	const char *end;

	if (cJSON_IsNumber(value))
		*number = value->valuedouble;
	else if (cJSON_IsBool(value))
		*number = cJSON_IsTrue(value);
	else if (!cJSON_IsString(value) || !read_number(value->valuestring, number, &end))
		return false;
	else
		return end[strspn(end, " \t\r\n")] == 0;
	return isfinite(*number);
}

double value__leading_number(const cJSON *value)
{
	const char *end;
	double number;

	if (value__number(value, &number))
		return number;
	if (cJSON_IsString(value) && read_number(value->valuestring, &number, &end))
		return number;
	return cJSON_IsArray(value) || cJSON_IsObject(value) ? value->child != NULL : 0;
}

/* Whether an exponent follows the digits behind the point. */
static bool has_exponent(const char *point)
{
	return (point[1 + strspn(point + 1, "0123456789")] | 0x20) == 'e';
}

bool value__leading_integer(const cJSON *value, int64_t *integer)
{
	const char *text;
	size_t length;

	if (!cJSON_IsString(value))
		return integer__of(value, integer);
	text = value->valuestring + strspn(value->valuestring, " \t\r\n");
	length = *text == '-' || *text == '+';
	length += strspn(text + length, "0123456789");
	if ((text[length] | 0x20) == 'e' || (text[length] == '.' && has_exponent(text + length)))
		return false;
	return integer__read(text, length, integer) == INTEGER_READ;
}

/* ------------------------------------------------------------------ comparing */

/* Compares the values as text, with strcmp. If there is no memory, they count as different. */
static int compare_texts(const cJSON *a, const cJSON *b)
{
	char *left, *right;
	int order = -1;

	if (cJSON_IsString(a) && cJSON_IsString(b))
		return strcmp(a->valuestring, b->valuestring);
	left = value__text(a);
	right = value__text(b);
	if (left && right)
		order = strcmp(left, right);
	free(left);
	free(right);
	return order;
}

static bool equal_items(const cJSON *a, const cJSON *b)
{
	const cJSON *x = a->child, *y = b->child;

	for (; x && y; x = x->next, y = y->next)
		if (!value__equal(x, y))
			return false;
	return !x && !y;
}

/* Looks first at the next member of `b`, so that members in the same order need no search. */
static bool equal_members(const cJSON *a, const cJSON *b)
{
	const cJSON *next = b->child;

	if (cJSON_GetArraySize(a) != cJSON_GetArraySize(b))
		return false;
	for (const cJSON *x = a->child; x; x = x->next) {
		const cJSON *y = next && strcmp(x->string, next->string) == 0
					 ? next
					 : cJSON_GetObjectItemCaseSensitive(b, x->string);

		if (!y || !value__equal(x, y))
			return false;
		next = y->next;
	}
	return true;
}

bool value__equal(const cJSON *a, const cJSON *b)
{
	int64_t m, n;
	double x, y;

	if (cJSON_IsArray(a) && cJSON_IsArray(b))
		return equal_items(a, b);
	if (cJSON_IsObject(a) && cJSON_IsObject(b))
		return equal_members(a, b);
	if ((cJSON_IsNumber(a) || cJSON_IsNumber(b)) && integer__of_any(a, &m) &&
	    integer__of_any(b, &n))
		return m == n;
	if ((cJSON_IsNumber(a) || cJSON_IsNumber(b)) && value__number(a, &x) &&
	    value__number(b, &y))
		return x == y;
	return compare_texts(a, b) == 0;
}

int value__compare(const cJSON *a, const cJSON *b)
{
	int64_t m, n;
	double x, y;

	if (integer__of_any(a, &m) && integer__of_any(b, &n))
		return (m > n) - (m < n);
	if (value__number(a, &x) && value__number(b, &y))
		return (x > y) - (x < y);
	return compare_texts(a, b);
}

static bool text_contains(const char *text, const cJSON *item)
{
	char *part;
	bool found;

	if (!item || cJSON_IsNull(item))
		return false;
	part = value__text(item);
	found = part && strstr(text, part);
	free(part);
	return found;
}

bool value__contains(const cJSON *value, const cJSON *item)
{
	const cJSON *list = value__list(value), *each;

	if (cJSON_IsString(value))
		return text_contains(value->valuestring, item);
	if (!list)
		return cJSON_IsObject(value) && cJSON_IsString(item) &&
		       cJSON_GetObjectItemCaseSensitive(value, item->valuestring);
	cJSON_ArrayForEach (each, list) {
		if (value__equal(each, item))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------ parts */

const cJSON *value__list(const cJSON *value)
{
	const cJSON *results = value;

	if (cJSON_IsObject(value))
		results = cJSON_GetObjectItemCaseSensitive(value, "results");
	return cJSON_IsArray(results) ? results : NULL;
}

static const cJSON *member(const cJSON *object, const char *name, size_t *walked)
{
	const cJSON *each = object->child;

	for (; each; each = each->next, ++*walked)
		if (each->string[0] == name[0] && strcmp(each->string, name) == 0)
			break;
	return each;
}

static const cJSON *list_item(const cJSON *list, const char *name, size_t *walked)
{
	const cJSON *item;
	char *end;
	unsigned long index;

	if (!list || *name < '0' || *name > '9')
		return NULL;
	errno = 0;
	index = strtoul(name, &end, 10);
	if (errno || *end || index > INT32_MAX)
		return NULL;
	for (item = list->child; item && index > 0; item = item->next, index--)
		++*walked;
	return item;
}

const cJSON *value__step(const cJSON *value, const char *name, size_t *walked)
{
	const cJSON *found = cJSON_IsObject(value) ? member(value, name, walked) : NULL;

	return found ? found : list_item(value__list(value), name, walked);
}

size_t value__length(const cJSON *value)
{
	const cJSON *list = value__list(value);
	char *text;
	size_t length;

	if (list || cJSON_IsObject(value))
		return (size_t)cJSON_GetArraySize(list ? list : value);
	if (cJSON_IsString(value))
		return utf8__count(value->valuestring, strlen(value->valuestring));
	text = value__text(value);
	length = text ? strlen(text) : 0;
	free(text);
	return length;
}

/* ------------------------------------------------------------------ copies */

static bool weigh(const cJSON *value, int depth, size_t *weight)
{
	if (depth > VALUE_DEPTH_LIMIT)
		return false;
	*weight += 1 + (cJSON_IsString(value) ? strlen(value->valuestring) / 64 : 0);
	if (!cJSON_IsArray(value) && !cJSON_IsObject(value))
		return true;
	for (const cJSON *item = value->child; item; item = item->next) {
		*weight += item->string ? strlen(item->string) / 64 : 0;
		if (!weigh(item, depth + 1, weight))
			return false;
	}
	return true;
}

size_t value__weight(const cJSON *value)
{
	size_t weight = 0;

	return value && !weigh(value, 0, &weight) ? 0 : weight ? weight : 1;
}

cJSON *value__copy(const cJSON *value)
{
	if (!value)
		return cJSON_CreateNull();
	return value__weight(value) ? cJSON_Duplicate(value, 1) : NULL;
}
