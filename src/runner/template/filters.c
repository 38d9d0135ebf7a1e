// SPDX-License-Identifier: BSD-2-Clause
/* The table of all filters, and helpers for their functions. */
#include "runner/template/filters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/value.h"

static const struct filter filters[] = {
	{"append", 1, 1, 1, filter_text__append},
	{"capitalize", 0, 0, 1, filter_text__capitalize},
	{"date", 1, 1, 1, filter_time__date},
	{"default", 1, 1, 1, filter_text__default},
	{"first", 0, 0, 1, filter_list__first},
	{"float", 0, 0, 1, filter_text__float},
	{"from_json", 0, 0, 1, filter_text__from_json},
	{"int", 0, 0, 1, filter_text__int},
	{"join", 0, 1, 1, filter_list__join},
	{"json", 0, 0, 1, filter_text__json},
	{"json_encode", 0, 0, 1, filter_text__json},
	{"jsonpath", 1, 1, 1, filter_list__jsonpath},
	{"last", 0, 0, 1, filter_list__last},
	{"length", 0, 0, 1, filter_list__length},
	{"lower", 0, 0, 1, filter_text__lower},
	{"merge", 1, 1, 1, filter_list__merge},
	{"regex_extract", 1, 1, 200, filter_regex__extract},
	{"regex_find_all", 1, 1, 200, filter_regex__find_all},
	{"regex_replace", 2, 2, 200, filter_regex__replace},
	{"regex_test", 1, 1, 200, filter_regex__test},
	{"slice", 1, 2, 1, filter_list__slice},
	{"slug", 0, 0, 1, filter_text__slug},
	{"split", 1, 2, 1, filter_list__split},
	{"sprintf", 1, 1, 1, filter_text__sprintf},
	{"str_pad_left", 1, 2, 1, filter_text__pad_left},
	{"take", 1, 1, 1, filter_list__take},
	{"ternary", 2, 2, 1, filter_text__ternary},
	{"timeago", 0, 0, 1, filter_time__ago},
	{"trim", 0, 0, 1, filter_text__trim},
	{"truncate", 1, 1, 1, filter_text__truncate},
	{"upper", 0, 0, 1, filter_text__upper},
};

enum { FILTER_COUNT = sizeof(filters) / sizeof(*filters) };

_Static_assert(FILTER_COUNT == 31, "add a new filter to the tests and the documents too");

const struct filter *filter__at(size_t index)
{
	return index < FILTER_COUNT ? &filters[index] : NULL;
}

const struct filter *filter__find(const char *name, size_t length)
{
	for (size_t i = 0; i < FILTER_COUNT; i++)
		if (strlen(filters[i].name) == length && memcmp(filters[i].name, name, length) == 0)
			return &filters[i];
	return NULL;
}

bool filter__lengthens(const struct filter *filter, const struct filter_call *call)
{
	return filter->run == filter_text__append && cJSON_IsArray(call->input) && call->owned &&
	       *call->owned;
}

/* ------------------------------------------------------------------ shared */

cJSON *filter__take(const struct filter_call *call)
{
	cJSON *taken = call->owned ? *call->owned : NULL;

	if (!taken)
		return value__copy(call->input);
	*call->owned = NULL;
	return taken;
}

int filter__give(const struct filter_call *call, cJSON *value, cJSON **result)
{
	*result = value;
	return value ? 0 : error__set(call->err, -ENOMEM, "out of memory");
}

int filter__give_text(const struct filter_call *call, struct strbuf *text, cJSON **result)
{
	char *taken = strbuf__take(text);

	if (!taken && text->err == -E2BIG)
		return error__set(call->err, -E2BIG, "the text is longer than %d bytes",
				  FILTER_TEXT_BYTES);
	return filter__give(call, value__from_text(taken), result);
}

int filter__text(const struct filter_call *call, const cJSON *value, char **text)
{
	*text = value__text(value);
	return *text ? 0 : error__set(call->err, -ENOMEM, "out of memory");
}

int filter__integer(const struct filter_call *call, int index, int fallback, int *number)
{
	double value;

	*number = fallback;
	if (index >= call->argument_count || cJSON_IsNull(call->arguments[index]))
		return 0;
	if (!value__number(call->arguments[index], &value))
		return error__set(call->err, -EINVAL, "argument %d must be a number", index + 1);
	*number = value > 1e9 ? 1000000000 : value < -1e9 ? -1000000000 : (int)value;
	return 0;
}

int filter__add(const struct filter_call *call, cJSON *list, cJSON *item)
{
	if (item && cJSON_AddItemToArray(list, item))
		return 0;
	cJSON_Delete(item);
	return error__set(call->err, -ENOMEM, "out of memory");
}
