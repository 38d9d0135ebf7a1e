// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/pack_loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

const cJSON *loader__get(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

const char *loader__text(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(loader__get(object, key));

	return text && *text ? text : NULL;
}

void loader__complain(const struct loader *loader, enum pack_rule rule, const cJSON *node,
		      const char *format, ...)
{
	const struct yaml_mark *mark = yaml__mark(&loader->pack->manifest, node);
	char sentence[ERROR_TEXT_BYTES];
	struct pack_problem problem = {
		.rule = rule,
		.code = rule == RULE_TOO_MANY_STEPS ? -E2BIG : -EINVAL,
		.file = loader->pack->manifest.name,
		.line = mark ? mark->line : 0,
		.column = mark ? mark->column : 0,
		.sentence = sentence,
	};
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	pack_problems__add(loader->problems, &problem);
}
