// SPDX-License-Identifier: BSD-2-Clause
/*
 * value | jsonpath: '$.items[0].name'
 *
 *	.name  ['name']  [0]  [-1]	one step; if there is no such member or item: null
 *	.*  [*]				every item; then the result is a list
 *
 * The `$` may be left out. If the value is text, it is parsed as JSON first.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/filters.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

enum { STEP_BYTES = 256 };

struct walk {
	const struct filter_call *call;
	cJSON *found; /* the list of results */
	int visits;
};

static int broken(const struct walk *walk, const char *at)
{
	return error__set(walk->call->err, -EINVAL, "the path is not valid at '%.40s'", at);
}

static int copy_step(const struct walk *walk, const char *at, size_t length, char step[STEP_BYTES])
{
	if (length == 0 || length >= STEP_BYTES)
		return broken(walk, at);
	memcpy(step, at, length);
	step[length] = 0;
	return 0;
}

static int read_bracket(const struct walk *walk, const char **at, char step[STEP_BYTES])
{
	const char *start = *at + 1, *end;
	char quote = *start == '\'' || *start == '"' ? *start : 0;
	int err;

	start += quote != 0;
	end = strchr(start, quote ? quote : ']');
	if (!end || (quote && end[1] != ']'))
		return broken(walk, *at);
	err = copy_step(walk, start, (size_t)(end - start), step);
	*at = end + (quote ? 2 : 1);
	return err;
}

/* Copies the step at *at into `step` and moves *at after it. */
static int read_step(const struct walk *walk, const char **at, char step[STEP_BYTES])
{
	size_t length;
	int err;

	if (**at == '[')
		return read_bracket(walk, at, step);
	*at += **at == '.';
	length = strcspn(*at, ".[");
	err = copy_step(walk, *at, length, step);
	*at += length;
	return err;
}

static const cJSON *follow(const cJSON *value, const char *step)
{
	char index[24];
	long from_end = *step == '-' ? strtol(step, NULL, 10) : 0;
	const cJSON *list = from_end < 0 ? value__list(value) : NULL;
	size_t walked = 0; /* the call has paid for all of its input */

	if (!list)
		return value__step(value, step, &walked);
	snprintf(index, sizeof(index), "%ld", cJSON_GetArraySize(list) + from_end);
	return value__step(list, index, &walked);
}

/* Adds the values that `path` reaches from `value`. Calls itself for each item of a wildcard. */
static int walk_path(struct walk *walk, const cJSON *value, const char *path, int depth)
{
	char step[STEP_BYTES];
	const cJSON *item;
	int err = 0;

	if (++walk->visits > FILTER_ITEMS || depth > 64)
		return error__set(walk->call->err, -E2BIG, "the path visits too many values");
	if (!*path)
		return filter__add(walk->call, walk->found, value__copy(value));
	err = read_step(walk, &path, step);
	if (err)
		return err;
	if (strcmp(step, "*") != 0) {
		item = follow(value, step);
		return item ? walk_path(walk, item, path, depth + 1) : 0;
	}
	if (value__list(value))
		value = value__list(value);
	for (item = value->child; !err && item; item = item->next)
		err = walk_path(walk, item, path, depth + 1);
	return err;
}

static int give(struct walk *walk, bool is_list, cJSON **result)
{
	cJSON *first;

	if (is_list) {
		*result = walk->found;
		return 0;
	}
	first = cJSON_DetachItemFromArray(walk->found, 0);
	cJSON_Delete(walk->found);
	return filter__give(walk->call, first ? first : cJSON_CreateNull(), result);
}

static int find(const struct filter_call *call, const cJSON *value, const char *path,
		cJSON **result)
{
	struct walk walk = {.call = call, .found = cJSON_CreateArray()};
	bool is_list = strstr(path, ".*") || strstr(path, "[*]");
	int err;

	if (!walk.found)
		return error__set(call->err, -ENOMEM, "out of memory");
	err = walk_path(&walk, value, path + (*path == '$'), 0);
	if (!err)
		return give(&walk, is_list, result);
	cJSON_Delete(walk.found);
	return err;
}

int filter_list__jsonpath(const struct filter_call *call, cJSON **result)
{
	const char *text = cJSON_GetStringValue(call->input);
	cJSON *parsed = text ? foreign_json__whole(text) : NULL;
	char *path;
	int err = filter__text(call, call->arguments[0], &path);

	if (!err)
		err = find(call, parsed ? parsed : call->input, path, result);
	free(path);
	cJSON_Delete(parsed);
	return err;
}
