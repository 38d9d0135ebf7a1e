// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/step_type.h"

#include <stddef.h>
#include <string.h>

bool step_type__knows(const struct step_type *type, const char *key)
{
	for (size_t i = 0; type->keys[i]; i++)
		if (strcmp(type->keys[i], key) == 0)
			return true;
	return type->has_branches && (!strcmp(key, "then") || !strcmp(key, "else"));
}

enum param_syntax step_type__syntax(const struct step_type *type, const char *key)
{
	if (type->expression_key && strcmp(type->expression_key, key) == 0)
		return PARAM_EXPRESSION;
	if (type->filters_key && strcmp(type->filters_key, key) == 0)
		return PARAM_FILTERS;
	return PARAM_TEXT;
}
