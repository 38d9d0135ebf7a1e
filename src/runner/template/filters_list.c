// SPDX-License-Identifier: BSD-2-Clause
/* Filters for lists and maps. Some also work on texts; then an item is a character. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/filters.h"
#include "runner/value/value.h"

/* Returns the list as the result; frees it if `err` is set. */
static int give_list(const struct filter_call *call, int err, cJSON *list, cJSON **result)
{
	if (!err)
		return filter__give(call, list, result);
	cJSON_Delete(list);
	return err;
}

static int no_memory(const struct filter_call *call)
{
	return error__set(call->err, -ENOMEM, "out of memory");
}

int filter_list__length(const struct filter_call *call, cJSON **result)
{
	double length = (double)value__length(call->input);

	return filter__give(call, cJSON_CreateNumber(length), result);
}

/* ------------------------------------------------------------------ parts */

/* From `from` on, `count` items of a list, or code points of a text. */
struct part {
	size_t from, count;
};

/* A negative `start` counts from the end. A negative `count` leaves out that many at the end. */
static struct part part_of(size_t length, int start, int count)
{
	long from = start < 0 ? (long)length + start : start, to;

	if (from < 0)
		from = 0;
	to = count < 0 ? (long)length + count : from + count;
	return (struct part){(size_t)from, to > from ? (size_t)(to - from) : 0};
}

static int give_items(const struct filter_call *call, const cJSON *list, struct part part,
		      cJSON **result)
{
	cJSON *items = cJSON_CreateArray();
	const cJSON *item = list->child;
	int err = items ? 0 : no_memory(call);

	while (item && part.from-- > 0)
		item = item->next;
	for (; !err && item && part.count-- > 0; item = item->next)
		err = filter__add(call, items, value__copy(item));
	return give_list(call, err, items, result);
}

static int give_characters(const struct filter_call *call, int start, int count, cJSON **result)
{
	struct strbuf out;
	struct part part;
	char *text;
	size_t length, from;
	int err = filter__text(call, call->input, &text);

	if (err)
		return err;
	length = strlen(text);
	part = part_of(utf8__count(text, length), start, count);
	from = utf8__offset(text, length, part.from);
	strbuf__init(&out, FILTER_TEXT_BYTES);
	strbuf__bytes(&out, text + from, utf8__offset(text + from, length - from, part.count));
	free(text);
	return filter__give_text(call, &out, result);
}

/* A map that is not the result of a query is cut as text. */
static int give_part(const struct filter_call *call, int start, int count, cJSON **result)
{
	const cJSON *list = value__list(call->input);

	if (!list)
		return give_characters(call, start, count, result);
	return give_items(call, list, part_of((size_t)cJSON_GetArraySize(list), start, count),
			  result);
}

int filter_list__slice(const struct filter_call *call, cJSON **result)
{
	int start, count = 0, err = filter__integer(call, 0, 0, &start);

	if (!err)
		err = filter__integer(call, 1, 1000000000, &count);
	return err ? err : give_part(call, start, count, result);
}

/* Returns the first items; with a negative number the last ones. */
int filter_list__take(const struct filter_call *call, cJSON **result)
{
	int count, err = filter__integer(call, 0, 0, &count);

	if (err)
		return err;
	return give_part(call, count < 0 ? count : 0, count < 0 ? -count : count, result);
}

static int give_end(const struct filter_call *call, bool is_last, cJSON **result)
{
	const cJSON *list = value__list(call->input), *item;

	if (!list && cJSON_IsObject(call->input))
		list = call->input;
	if (!list)
		return give_part(call, is_last ? -1 : 0, 1, result);
	item = list->child && is_last ? list->child->prev : list->child;
	return filter__give(call, value__copy(item), result);
}

int filter_list__first(const struct filter_call *call, cJSON **result)
{
	return give_end(call, false, result);
}

int filter_list__last(const struct filter_call *call, cJSON **result)
{
	return give_end(call, true, result);
}

/* ------------------------------------------------------------------ merge */

static bool set_member(cJSON *map, const cJSON *member)
{
	cJSON *copy = value__copy(member);

	if (!copy)
		return false;
	if (cJSON_GetObjectItemCaseSensitive(map, member->string))
		return cJSON_ReplaceItemInObjectCaseSensitive(map, member->string, copy);
	if (cJSON_AddItemToObject(map, member->string, copy))
		return true;
	cJSON_Delete(copy);
	return false;
}

static int merge_into(const struct filter_call *call, cJSON *into, const cJSON *right)
{
	const cJSON *item;
	int err = 0;

	cJSON_ArrayForEach (item, right) {
		if (cJSON_IsArray(into))
			err = filter__add(call, into, value__copy(item));
		else if (!set_member(into, item))
			err = no_memory(call);
		if (err)
			break;
	}
	return err;
}

/* Merges two maps, or joins two lists. A value that is false (value.h) counts as empty. */
int filter_list__merge(const struct filter_call *call, cJSON **result)
{
	const cJSON *left = call->input, *right = call->arguments[0];
	const cJSON *base = value__is_true(left) ? left : right;
	cJSON *into;

	if (!value__is_true(base))
		return filter__give(
			call, cJSON_IsArray(left) ? cJSON_CreateArray() : cJSON_CreateObject(),
			result);
	if (!cJSON_IsObject(base) && !cJSON_IsArray(base))
		return error__set(call->err, -EINVAL, "only maps and lists can be merged");
	if (value__is_true(right) && (right->type & 0xff) != (base->type & 0xff))
		return error__set(call->err, -EINVAL, "merge needs two maps or two lists");
	into = value__copy(base);
	if (!into)
		return no_memory(call);
	return give_list(call, base == left ? merge_into(call, into, right) : 0, into, result);
}

/* ------------------------------------------------------------------ split and join */

static int add_text(const struct filter_call *call, cJSON *list, const char *text, size_t length,
		    int *count)
{
	char *copy = strndup(text, length);

	if (++*count > FILTER_ITEMS) {
		free(copy);
		return error__set(call->err, -E2BIG, "more than %d parts", FILTER_ITEMS);
	}
	return filter__add(call, list, value__from_text(copy));
}

/* The end of the part that starts at `text`. If the separator is empty, each character is a
 * part. */
static const char *part_end(const char *text, const char *separator)
{
	size_t length = strlen(text);
	const char *found;

	if (!*separator)
		return text + utf8__size(text, length < 4 ? length : 4);
	found = strstr(text, separator);
	return found ? found : text + length;
}

static int split(const struct filter_call *call, const char *text, const char *separator, int limit,
		 cJSON *list)
{
	size_t skip = strlen(separator);
	int count = 0, err = 0;

	while (!err && (limit <= 0 || count < limit - 1)) {
		const char *end = part_end(text, separator);

		if (!*end || (!skip && !end[0]))
			break;
		err = add_text(call, list, text, (size_t)(end - text), &count);
		text = end + skip;
	}
	return err ? err : add_text(call, list, text, strlen(text), &count);
}

/* With a limit, the last part holds the rest of the text. */
int filter_list__split(const struct filter_call *call, cJSON **result)
{
	cJSON *list = cJSON_CreateArray();
	char *text = NULL, *separator = NULL;
	int limit, err = list ? filter__integer(call, 1, 0, &limit) : no_memory(call);

	if (!err)
		err = filter__text(call, call->input, &text);
	if (!err)
		err = filter__text(call, call->arguments[0], &separator);
	if (!err)
		err = split(call, text, separator, limit, list);
	free(text);
	free(separator);
	return give_list(call, err, list, result);
}

/* The default separator is ", ". A value that is not a list or map is returned as text. */
int filter_list__join(const struct filter_call *call, cJSON **result)
{
	const cJSON *list = value__list(call->input), *item;
	struct strbuf out;

	if (!list && cJSON_IsObject(call->input))
		list = call->input;
	strbuf__init(&out, FILTER_TEXT_BYTES);
	if (!list)
		value__write_text(call->input, &out);
	cJSON_ArrayForEach (item, list) {
		if (item != list->child && call->argument_count)
			value__write_text(call->arguments[0], &out);
		else if (item != list->child)
			strbuf__text(&out, ", ");
		value__write_text(item, &out);
		if (out.err)
			break;
	}
	return filter__give_text(call, &out, result);
}
