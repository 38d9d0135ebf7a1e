// SPDX-License-Identifier: BSD-2-Clause
#include "runner/request/unique_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, equal names are neighbours: a client may send a hundred thousand of them. */
static int check_object(const cJSON *object)
{
	size_t count = (size_t)cJSON_GetArraySize(object), at = 0;
	const char **names = calloc(count, sizeof(*names));
	const cJSON *member;
	int code = 0;

	if (!names)
		return -ENOMEM;
	cJSON_ArrayForEach (member, object)
		names[at++] = member->string;
	qsort(names, count, sizeof(*names), compare);
	for (at = 1; !code && at < count; at++)
		if (strcmp(names[at - 1], names[at]) == 0)
			code = -EEXIST;
	free(names);
	return code;
}

/* The parser has limited the depth. */
int unique_names__check(const cJSON *tree)
{
	const cJSON *child;
	int code = 0;

	if (cJSON_IsObject(tree) && tree->child && tree->child->next)
		code = check_object(tree);
	cJSON_ArrayForEach (child, tree) {
		if (!code && child->child)
			code = unique_names__check(child);
	}
	return code;
}
