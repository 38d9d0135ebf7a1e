// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/fields.h"

#include <errno.h>
#include <string.h>

#include "common/strbuf.h"
#include "steptrace/stream/json_scan.h"
#include "steptrace/stream/schemas.h"

/* ---- the names that exist: the properties in the schemas of runners' events */

typedef bool each_name_fn(void *context, const char *name, size_t bytes);

static bool is_of_runner(const struct schema *schema)
{
	return strncmp(schema->event, "trace.", 6) != 0;
}

/* Calls `each` with every field of one event. Returns true as soon as `each` does. */
static bool each_name_of(const struct schema *schema, each_name_fn *each, void *context)
{
	struct json_scan scan, inner;
	struct json_member member, field;

	if (!json_scan__begin(&scan, schema->text, (size_t)(schema->end - schema->text)))
		return false;
	while (json_scan__next(&scan, &member)) {
		if (!json_member__is(&member, "properties") ||
		    !json_scan__begin(&inner, member.value, member.value_bytes))
			continue;
		while (json_scan__next(&inner, &field))
			if (each(context, field.name, field.name_bytes))
				return true;
	}
	return false;
}

static bool each_name(each_name_fn *each, void *context)
{
	for (size_t i = 0; i < schemas_count; i++)
		if (is_of_runner(&schemas[i]) && each_name_of(&schemas[i], each, context))
			return true;
	return false;
}

/* The name that is searched for. */
struct wanted {
	const char *name;
	size_t bytes;
};

static bool is_it(void *context, const char *name, size_t bytes)
{
	const struct wanted *wanted = context;

	return bytes == wanted->bytes && memcmp(name, wanted->name, bytes) == 0;
}

/* Adds " NAME," unless the text has it already: several events have the same fields. */
static bool add_name(void *context, const char *name, size_t bytes)
{
	struct strbuf *names = context;
	char word[64];

	if (bytes + 3 > sizeof(word))
		return false;
	word[0] = ' ';
	memcpy(word + 1, name, bytes);
	memcpy(word + 1 + bytes, ",", 2);
	if (!names->text || !strstr(names->text, word))
		strbuf__text(names, word);
	return false;
}

static int unknown(const char *name, size_t bytes, struct error *err)
{
	struct strbuf names;

	strbuf__init(&names, 4096);
	each_name(add_name, &names);
	error__set(err, -EINVAL, "no event has a field '%.*s' (there are:%.*s)", (int)bytes, name,
		   names.length ? (int)names.length - 1 : 0, names.text ? names.text : "");
	strbuf__free(&names);
	return -EINVAL;
}

static int keep(struct fields *fields, const char *name, size_t bytes, struct error *err)
{
	struct wanted wanted = {name, bytes};

	if (!each_name(is_it, &wanted))
		return unknown(name, bytes, err);
	if (fields->count == FIELDS_MAX)
		return error__set(err, -EINVAL, "more than %d fields", FIELDS_MAX - 2);
	fields->kept[fields->count].name = name;
	fields->kept[fields->count++].bytes = bytes;
	return 0;
}

int fields__parse(struct fields *fields, const char *list, struct error *err)
{
	int code;

	*fields = (struct fields){.count = 0};
	code = keep(fields, "event", strlen("event"), err);
	if (!code)
		code = keep(fields, "execution_id", strlen("execution_id"), err);
	while (!code) {
		size_t bytes = strcspn(list, ",");

		code = keep(fields, list, bytes, err);
		if (!list[bytes])
			break;
		list += bytes + 1;
	}
	return code;
}
