// SPDX-License-Identifier: BSD-2-Clause
#include "steptrace/stream/fields.h"

#include <errno.h>
#include <string.h>

#include "common/strbuf.h"
#include "steptrace/stream/json_scan.h"
#include "steptrace/stream/schemas.h"

/* ---- the names that exist: the properties in the schemas of runners' events */

/* A part of a text: "step.name", or the JSON text of a schema. */
struct part {
	const char *text;
	size_t bytes;
};

typedef void each_name_fn(void *context, const struct json_member *field);

static bool is_of_runner(const struct schema *schema)
{
	return strncmp(schema->event, "trace.", 6) != 0;
}

/* Begins to walk over the fields of the object that the schema describes. False: it is none. */
static bool enter(struct json_scan *fields, const struct part *schema)
{
	struct json_scan scan;
	struct json_member member;

	if (!json_scan__begin(&scan, schema->text, schema->bytes))
		return false;
	while (json_scan__next(&scan, &member))
		if (json_member__is(&member, "properties"))
			return json_scan__begin(fields, member.value, member.value_bytes);
	return false;
}

/* Replaces the schema by that of its field. */
static bool descend(struct part *schema, const struct part *name)
{
	struct json_scan fields;
	struct json_member field;

	if (!enter(&fields, schema))
		return false;
	while (json_scan__next(&fields, &field)) {
		if (field.name_bytes != name->bytes ||
		    memcmp(field.name, name->text, name->bytes) != 0)
			continue;
		*schema = (struct part){field.value, field.value_bytes};
		return true;
	}
	return false;
}

/* The schema of the field "step.name" in one event; of the event itself for "". */
static bool find(const struct schema *event, const struct part *path, struct part *schema)
{
	const char *at = path->text, *end = at + path->bytes;

	*schema = (struct part){event->text, (size_t)(event->end - event->text)};
	while (at < end) {
		const char *dot = memchr(at, '.', (size_t)(end - at));
		struct part name = {at, (size_t)((dot ? dot : end) - at)};

		if (!descend(schema, &name))
			return false;
		at += name.bytes + 1;
	}
	return at != end || path->bytes == 0; /* not "step." */
}

static bool exists(const struct part *path)
{
	struct part schema;

	for (size_t i = 0; i < schemas_count; i++)
		if (is_of_runner(&schemas[i]) && find(&schemas[i], path, &schema))
			return true;
	return false;
}

/* Calls `each` for the fields that the object at this path has in any event. */
static void each_field(const struct part *path, each_name_fn *each, void *context)
{
	struct json_scan fields;
	struct json_member field;
	struct part schema;

	for (size_t i = 0; i < schemas_count; i++)
		if (is_of_runner(&schemas[i]) && find(&schemas[i], path, &schema) &&
		    enter(&fields, &schema))
			while (json_scan__next(&fields, &field))
				each(context, &field);
}

/* Adds " NAME," unless the text has it already: several events have the same fields. */
static void add_name(void *context, const struct json_member *field)
{
	struct strbuf *names = context;
	char word[64];

	if (field->name_bytes + 3 > sizeof(word))
		return;
	word[0] = ' ';
	memcpy(word + 1, field->name, field->name_bytes);
	memcpy(word + 1 + field->name_bytes, ",", 2);
	if (!names->text || !strstr(names->text, word))
		strbuf__text(names, word);
}

/* "step.nonsense": the fields of `step`. "nonsense.name", "nonsense": the fields of events. */
static int unknown(const struct part *name, struct error *err)
{
	struct part object = *name;
	struct strbuf names;

	strbuf__init(&names, 4096);
	while (object.bytes > 0 && object.text[object.bytes - 1] != '.')
		object.bytes--;
	object.bytes -= object.bytes > 0;
	each_field(&object, add_name, &names);
	if (!names.length) {
		object.bytes = 0;
		each_field(&object, add_name, &names);
	}
	error__set(err, -EINVAL, "no event has a field '%.*s' (%s%.*s%s:%.*s)", (int)name->bytes,
		   name->text, object.bytes ? "'" : "", (int)object.bytes, object.text,
		   object.bytes ? "' has" : "there are", names.length ? (int)names.length - 1 : 0,
		   names.text ? names.text : "");
	strbuf__free(&names);
	return -EINVAL;
}

static int keep(struct fields *fields, const char *name, size_t bytes, struct error *err)
{
	const struct part path = {name, bytes};

	if (bytes == 0 || !exists(&path))
		return unknown(&path, err);
	if (fields->count == FIELDS_MAX)
		return error__set(err, -EINVAL,
				  "--fields takes up to %d names (all writes all fields)",
				  FIELDS_MAX - 2);
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
