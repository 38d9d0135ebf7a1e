/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of templates: {{ input | name: argument, argument }}.
 *
 * One table, in filters.c, of names, numbers of arguments and functions; the functions live in
 * filters_text.c, filters_list.c, filters_time.c and filters_regex.c. A filter gets borrowed
 * values and makes a fresh one. It returns 0, or a negative errno with a sentence in call->err.
 * Texts that it makes stay below FILTER_TEXT_BYTES, lists below FILTER_ITEMS.
 */
#ifndef STEPTRACE_RUNNER_FILTERS_H
#define STEPTRACE_RUNNER_FILTERS_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/error.h"
#include "common/strbuf.h"

enum { FILTER_ARGUMENTS = 2, FILTER_TEXT_BYTES = 1 << 20, FILTER_ITEMS = 100000 };

struct filter_call {
	const cJSON *input; /* never NULL, as the arguments that are given */
	const cJSON *arguments[FILTER_ARGUMENTS];
	int argument_count;
	const cJSON *now; /* the context's time as text, or NULL */
	struct error *err;
};

struct filter {
	const char *name;
	int min_arguments, max_arguments;
	int cost; /* in steps of evaluation, beside what its values weigh */
	int (*run)(const struct filter_call *call, cJSON **result);
};

/* NULL: there is none of that name. */
const struct filter *filter__find(const char *name, size_t length);
/* The table, for those who walk it; NULL behind its end. */
const struct filter *filter__at(size_t index);

/* ---- for the functions themselves */

/* 0 with the result, or the -ENOMEM that a NULL result means. */
int filter__give(const struct filter_call *call, cJSON *value, cJSON **result);
/* The text that was written, taken out of the buffer; its failure as a sentence. */
int filter__give_text(const struct filter_call *call, struct strbuf *text, cJSON **result);
/* The text of a value, to be freed. */
int filter__text(const struct filter_call *call, const cJSON *value, char **text);
/* An argument that must be a number, cut to +-1e9; `fallback` where it is not given. */
int filter__integer(const struct filter_call *call, int index, int fallback, int *number);
/* Appends to a list; takes `item` also on failure; a NULL item is out of memory. */
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
