// SPDX-License-Identifier: BSD-2-Clause
/*
 * Filters for regular expressions, with PCRE2. Patterns are written without delimiters. Pattern and
 * text are UTF-8; invalid bytes in the text match nothing. If a pattern reaches the match limit, or
 * a filter takes more than one second, the filter fails.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <errno.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "runner/template/filters.h"
#include "runner/value/value.h"

enum { PATTERN_BYTES = 16384, MATCH_LIMIT = 1000000, HEAP_KIB = 65536 };

/* A search for one pattern in one text. */
struct search {
	const struct filter_call *call;
	char *pattern, *text;
	size_t length; /* of the text, in bytes */
	size_t at;     /* offset where the next search starts */
	uint32_t options;
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
	const PCRE2_SIZE *ends; /* last match: start and end offset of each group */
	int groups;             /* last match: number of groups; group 0 is the whole match */
	struct timespec deadline;
};

/* ------------------------------------------------------------------ set-up */

static int compile(struct search *search)
{
	const struct filter_call *call = search->call;
	PCRE2_UCHAR message[128];
	PCRE2_SIZE offset;
	int code;

	if (strlen(search->pattern) > PATTERN_BYTES)
		return error__set(call->err, -E2BIG, "the pattern is longer than %d bytes",
				  PATTERN_BYTES);
	search->code = pcre2_compile((PCRE2_SPTR)search->pattern, PCRE2_ZERO_TERMINATED,
				     PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
				     &code, &offset, NULL);
	if (search->code)
		return 0;
	pcre2_get_error_message(code, message, sizeof(message));
	return error__set(call->err, -EINVAL, "pattern '%.80s': %s, at character %zu",
			  search->pattern, (const char *)message,
			  utf8__count(search->pattern, offset) + 1);
}

static int allocate(struct search *search)
{
	search->match = pcre2_match_data_create_from_pattern(search->code, NULL);
	search->context = pcre2_match_context_create(NULL);
	if (!search->match || !search->context)
		return error__set(search->call->err, -ENOMEM, "out of memory");
	pcre2_set_match_limit(search->context, MATCH_LIMIT);
	pcre2_set_heap_limit(search->context, HEAP_KIB);
	clock_gettime(CLOCK_MONOTONIC, &search->deadline);
	search->deadline.tv_sec++;
	return 0;
}

static void search__close(struct search *search)
{
	pcre2_match_context_free(search->context);
	pcre2_match_data_free(search->match);
	pcre2_code_free(search->code);
	free(search->pattern);
	free(search->text);
}

static int search__open(struct search *search, const struct filter_call *call)
{
	int err;

	*search = (struct search){.call = call};
	err = filter__text(call, call->input, &search->text);
	if (!err)
		err = filter__text(call, call->arguments[0], &search->pattern);
	if (!err)
		err = compile(search);
	if (!err)
		err = allocate(search);
	if (err)
		search__close(search);
	else
		search->length = strlen(search->text);
	return err;
}

/* ------------------------------------------------------------------ searching */

static bool is_late(const struct search *search)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > search->deadline.tv_sec ||
	       (now.tv_sec == search->deadline.tv_sec && now.tv_nsec > search->deadline.tv_nsec);
}

static int errno_of(int code)
{
	switch (code) {
	case PCRE2_ERROR_NOMEMORY: return -ENOMEM;
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT: return -E2BIG;
	default: return -EINVAL;
	}
}

static int fail(const struct search *search, int code)
{
	PCRE2_UCHAR message[128];

	pcre2_get_error_message(code, message, sizeof(message));
	return error__set(search->call->err, errno_of(code), "pattern '%.80s': %s", search->pattern,
			  (const char *)message);
}

/* Prepares the next search. After an empty match, the next match at the same place must not be
 * empty; otherwise the search would never end. */
static void advance(struct search *search)
{
	bool empty = search->ends[0] == search->ends[1];

	search->at = search->ends[1];
	search->options = empty ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0;
}

/* Returns 1: found, 0: no further match, or a negative errno. */
static int search__next(struct search *search)
{
	while (search->at <= search->length) {
		int code = deadline__check(search->call->deadline, search->call->err);

		if (code)
			return code;
		if (is_late(search))
			return error__set(search->call->err, -E2BIG,
					  "pattern '%.80s' takes longer than one second",
					  search->pattern);
		code = pcre2_match(search->code, (PCRE2_SPTR)search->text, search->length,
				   search->at, search->options, search->match, search->context);
		if (code > 0) {
			search->groups = code;
			search->ends = pcre2_get_ovector_pointer(search->match);
			if (search->ends[0] > search->ends[1] || search->ends[0] < search->at)
				return error__set(search->call->err, -EINVAL,
						  "pattern '%.80s' matches backwards",
						  search->pattern);
			return 1;
		}
		if (code != PCRE2_ERROR_NOMATCH)
			return fail(search, code);
		if (!search->options)
			return 0;
		search->options = 0;
		if (search->at == search->length)
			return 0;
		search->at += utf8__size(search->text + search->at, search->length - search->at);
	}
	return 0;
}

/* The text of a group; empty if the group did not take part in the match. */
static cJSON *group(const struct search *search, int index)
{
	PCRE2_SIZE from = search->ends[2 * index], to = search->ends[2 * index + 1];

	if (from == PCRE2_UNSET || to < from)
		return cJSON_CreateString("");
	return value__from_text(strndup(search->text + from, to - from));
}

/* Lists the groups of the match from `first` on. Groups at the end that did not take part in the
 * match are left out. */
static int list_groups(const struct search *search, int first, cJSON **list)
{
	int err = filter__give(search->call, cJSON_CreateArray(), list);

	for (int i = first; !err && i < search->groups; i++)
		err = filter__add(search->call, *list, group(search, i));
	if (err) {
		cJSON_Delete(*list);
		*list = NULL;
	}
	return err;
}

/* ------------------------------------------------------------------ filters */

int filter_regex__test(const struct filter_call *call, cJSON **result)
{
	struct search search;
	int found, err = search__open(&search, call);

	if (err)
		return err;
	found = search__next(&search);
	search__close(&search);
	return found < 0 ? found : filter__give(call, cJSON_CreateBool(found), result);
}

/* Lists the groups of the first match. Without a match the result is null, so that the filter
 * `default` can follow. */
int filter_regex__extract(const struct filter_call *call, cJSON **result)
{
	struct search search;
	int found, err = search__open(&search, call);

	if (err)
		return err;
	found = search__next(&search);
	if (found > 0)
		err = list_groups(&search, 1, result);
	search__close(&search);
	if (found > 0 || found < 0)
		return found < 0 ? found : err;
	return filter__give(call, cJSON_CreateNull(), result);
}

static int collect(struct search *search, cJSON *matches)
{
	int found, values = 0, err = 0;

	while (!err && (found = search__next(search)) != 0) {
		cJSON *groups;

		if (found < 0)
			return found;
		values += search->groups;
		if (values > FILTER_ITEMS)
			return error__set(search->call->err, -E2BIG, "more than %d matches",
					  FILTER_ITEMS);
		err = list_groups(search, 0, &groups);
		if (!err)
			err = filter__add(search->call, matches, groups);
		advance(search);
	}
	return err;
}

/* Returns a list for each match: the whole match at index 0, then its groups. */
int filter_regex__find_all(const struct filter_call *call, cJSON **result)
{
	struct search search;
	cJSON *matches;
	int err = search__open(&search, call);

	if (err)
		return err;
	matches = cJSON_CreateArray();
	err = matches ? collect(&search, matches) : -ENOMEM;
	search__close(&search);
	if (!err)
		return filter__give(call, matches, result);
	cJSON_Delete(matches);
	return err;
}

/* ------------------------------------------------------------------ replacing */

/* Reads a reference to a group: "$1", "${1}" or "\1". Returns the group's number and moves *at
 * after the reference; -1: the text is not a reference. */
static int read_reference(const char **at)
{
	const char *c = *at;
	bool braces;
	int number = 0, digits = 0;

	if (*c != '$' && *c != '\\')
		return -1;
	braces = c[0] == '$' && c[1] == '{';
	for (c += braces ? 2 : 1; *c >= '0' && *c <= '9' && digits < 2; c++, digits++)
		number = 10 * number + (*c - '0');
	if (!digits || (braces && *c != '}'))
		return -1;
	*at = c + braces;
	return number;
}

static void write_group(const struct search *search, int index, struct strbuf *out)
{
	PCRE2_SIZE from, to;

	if (index >= search->groups)
		return;
	from = search->ends[2 * index];
	to = search->ends[2 * index + 1];
	if (from != PCRE2_UNSET && from <= to)
		strbuf__bytes(out, search->text + from, to - from);
}

static void write_replacement(const struct search *search, const char *at, struct strbuf *out)
{
	while (*at && !out->err) {
		int index = read_reference(&at);

		if (index >= 0)
			write_group(search, index, out);
		else
			strbuf__char(out, *at++);
	}
}

static int replace(struct search *search, const char *replacement, struct strbuf *out)
{
	size_t copied = 0;
	int found;

	while ((found = search__next(search)) > 0 && !out->err) {
		strbuf__bytes(out, search->text + copied, search->ends[0] - copied);
		write_replacement(search, replacement, out);
		copied = search->ends[1];
		advance(search);
	}
	strbuf__bytes(out, search->text + copied, search->length - copied);
	return found < 0 ? found : 0;
}

/* Replaces every match. "$1" or "\1" in the replacement is replaced by the text of group 1. */
int filter_regex__replace(const struct filter_call *call, cJSON **result)
{
	struct search search;
	struct strbuf out;
	char *replacement;
	int err = filter__text(call, call->arguments[1], &replacement);

	if (err)
		return err;
	err = search__open(&search, call);
	strbuf__init(&out, FILTER_TEXT_BYTES);
	if (!err) {
		err = replace(&search, replacement, &out);
		search__close(&search);
	}
	free(replacement);
	if (!err)
		return filter__give_text(call, &out, result);
	strbuf__free(&out);
	return err;
}
