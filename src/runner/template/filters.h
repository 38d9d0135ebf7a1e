/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of templates: {{ input | name: argument, argument }}.
 *
 * One table in filters.c holds the name, the number of arguments and the function of each filter.
 * The functions are in the other filters_*.c files. A filter reads borrowed values and returns a
 * new value, which the caller owns. It returns 0, or a negative errno with a sentence in call->err.
 * A text that a filter makes has at most FILTER_TEXT_BYTES bytes, a list at most FILTER_ITEMS
 * items; a longer one is the error -E2BIG.
 */
#ifndef STEPTRACE_RUNNER_FILTERS_H
#define STEPTRACE_RUNNER_FILTERS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/deadline.h"
#include "common/error.h"
#include "common/strbuf.h"

enum { FILTER_ARGUMENTS = 2, FILTER_TEXT_BYTES = 1 << 20, FILTER_ITEMS = 100000 };

struct filter_call {
	const cJSON *input; /* never NULL */
	cJSON **owned;      /* the input as a tree that the filter may take (filter__take) */
	const cJSON *arguments[FILTER_ARGUMENTS]; /* the first `argument_count` are never NULL */
	int argument_count;
	const cJSON *now;                /* the time of the execution as text, or NULL */
	const struct deadline *deadline; /* or NULL */
	struct error *err;
};

struct filter {
	const char *name;
	int min_arguments, max_arguments;
	int cost; /* in evaluation steps (template.h), in addition to the weight of its values */
	int (*run)(const struct filter_call *call, cJSON **result);
};

/* The filter with that name; NULL: unknown. `name` has `length` bytes and no NUL. */
const struct filter *filter__find(const char *name, size_t length);
/* The filter at an index of the table, to walk the whole table; NULL after the last one. */
const struct filter *filter__at(size_t index);

/* Whether the filter makes its input longer without a copy of it. */
bool filter__lengthens(const struct filter *filter, const struct filter_call *call);

/* ---- helpers for the filter functions; each returns 0 or a negative errno */

/* Returns `value` as the result. If `value` is NULL: -ENOMEM. */
int filter__give(const struct filter_call *call, cJSON *value, cJSON **result);
/* Returns the text of the buffer as the result, or the buffer's error. Empties the buffer. */
int filter__give_text(const struct filter_call *call, struct strbuf *text, cJSON **result);
/* The input as a tree that the caller owns: the tree itself, or a copy. NULL: out of memory. */
cJSON *filter__take(const struct filter_call *call);
/* The text of a value (value.h). The caller frees *text. */
int filter__text(const struct filter_call *call, const cJSON *value, char **text);
/* The argument at `index`, which must be a number. It is limited to the range -1e9 to 1e9. If the
 * argument is not given, *number is `fallback`. */
int filter__integer(const struct filter_call *call, int index, int fallback, int *number);
/* Appends `item` to `list` and takes ownership of it, also on failure. If `item` is NULL:
 * -ENOMEM. */
int filter__add(const struct filter_call *call, cJSON *list, cJSON *item);

typedef int filter_function(const struct filter_call *call, cJSON **result);

filter_function filter_text__append, filter_text__capitalize, filter_text__default,
	filter_text__float, filter_text__from_json, filter_text__int, filter_text__json,
	filter_text__lower, filter_text__pad_left, filter_text__slug, filter_text__sprintf,
	filter_text__ternary, filter_text__trim, filter_text__truncate, filter_text__upper;
filter_function filter_list__first, filter_list__join, filter_list__jsonpath, filter_list__last,
	filter_list__length, filter_list__merge, filter_list__slice, filter_list__split,
	filter_list__take;
filter_function filter_time__ago, filter_time__date;
filter_function filter_regex__extract, filter_regex__find_all, filter_regex__replace,
	filter_regex__test;

#endif
