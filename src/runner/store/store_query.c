// SPDX-License-Identifier: BSD-2-Clause
#include "runner/store/store_query.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define array_count(array) (sizeof(array) / sizeof((array)[0]))

enum operand { OPERAND_ONE, OPERAND_LIST, OPERAND_NONE };

struct operator_spec {
	const char *name; /* in packs, in upper or lower case */
	const char *sql;
	enum operand operand;
	const char *for_lists; /* the name of the operator when the value is a list; NULL: this */
};

/* In SQL, a comparison with null is not true. So a condition whose value is null matches no row,
 * whatever the operator is. */

static const struct operator_spec operators[] = {
	{"=", "=", OPERAND_ONE, "IN"},
	{"==", "=", OPERAND_ONE, "IN"},
	{"!=", "!=", OPERAND_ONE, "NOT IN"},
	{"<>", "!=", OPERAND_ONE, "NOT IN"},
	{"<", "<", OPERAND_ONE, NULL},
	{">", ">", OPERAND_ONE, NULL},
	{"<=", "<=", OPERAND_ONE, NULL},
	{">=", ">=", OPERAND_ONE, NULL},
	{"LIKE", "LIKE", OPERAND_ONE, NULL},
	{"NOT LIKE", "NOT LIKE", OPERAND_ONE, NULL},
	{"IN", "IN", OPERAND_LIST, NULL},
	{"NOT IN", "NOT IN", OPERAND_LIST, NULL},
	{"IS NULL", "IS NULL", OPERAND_NONE, NULL},
	{"IS NOT NULL", "IS NOT NULL", OPERAND_NONE, NULL},
};

static const struct operator_spec *find_operator(const char *name)
{
	for (size_t i = 0; i < array_count(operators); i++)
		if (strcasecmp(operators[i].name, name ? name : "=") == 0)
			return &operators[i];
	return NULL;
}

void store_query__init(struct store_query *query, const struct store_table *table)
{
	*query = (struct store_query){.table = table, .limit = STORE_LIMIT_DEFAULT};
	strbuf__init(&query->where, SIZE_MAX);
	strbuf__init(&query->order, SIZE_MAX);
}

void store_query__free(struct store_query *query)
{
	for (size_t i = 0; i < query->binding_count; i++)
		free(query->bindings[i].text);
	free(query->bindings);
	free(query->match);
	strbuf__free(&query->where);
	strbuf__free(&query->order);
	*query = (struct store_query){0};
}

/* ------------------------------------------------------------------ values */

static int bind(struct store_query *query, struct store_binding binding, struct error *err)
{
	struct store_binding *bindings;

	if (query->binding_count == STORE_BINDINGS_MAX)
		return error__set(err, -E2BIG, "the conditions have more than %d values",
				  STORE_BINDINGS_MAX);
	if (query->binding_count == query->binding_room) {
		query->binding_room = query->binding_room ? 2 * query->binding_room : 8;
		bindings = realloc(query->bindings, query->binding_room * sizeof(*bindings));
		if (!bindings)
			return error__set(err, -ENOMEM, "out of memory");
		query->bindings = bindings;
	}
	query->bindings[query->binding_count++] = binding;
	return 0;
}

/* ------------------------------------------------------------------ fields */

struct field {
	const struct store_column *column;
	char *path; /* owned; the path inside the JSON column; NULL: the column itself */
};

/* The column's name is the part before the first dot or arrow. */
static size_t head_length(const char *field)
{
	const char *arrow = strstr(field, "->");
	size_t dot = strcspn(field, ".");

	return arrow && (size_t)(arrow - field) < dot ? (size_t)(arrow - field) : dot;
}

/* metadata->owner.name becomes $."owner"."name", and tags.0 becomes $[0]. */
static int write_path(const char *rest, struct strbuf *path)
{
	int err = strbuf__char(path, '$');

	while (!err && *rest) {
		size_t length;

		rest += *rest == '.' ? 1 : 2;
		rest += *rest == '>'; /* the second '>' of ->> */
		length = head_length(rest);
		if (length == 0)
			return -EINVAL;
		if (strspn(rest, "0123456789") == length)
			err = strbuf__printf(path, "[%.*s]", (int)length, rest);
		else
			err = strbuf__printf(path, ".\"%.*s\"", (int)length, rest);
		rest += length;
	}
	return err;
}

static int unknown_column(const struct store_table *table, const char *name, struct error *err)
{
	return error__set(err, -EINVAL, "model '%s' has no column '%.64s'", table->name, name);
}

static int find_field(const struct store_table *table, const char *text, struct field *field,
		      struct error *err)
{
	size_t length = head_length(text);
	char name[sizeof(field->column->name)];
	struct strbuf path;
	int code;

	*field = (struct field){0};
	if (length == 0 || length >= sizeof(name))
		return unknown_column(table, text, err);
	memcpy(name, text, length);
	name[length] = 0;
	field->column = store_table__column(table, name);
	if (!field->column)
		return unknown_column(table, name, err);
	if (!text[length])
		return 0;
	if (field->column->kind != STORE_JSON)
		return error__set(err, -EINVAL, "column '%s' of model '%s' is not JSON: '%.64s'",
				  name, table->name, text);
	strbuf__init(&path, SIZE_MAX);
	code = strchr(text, '"') ? -EINVAL : write_path(text + length, &path);
	if (!code) {
		field->path = strbuf__take(&path);
		return 0;
	}
	strbuf__free(&path);
	return error__set(err, code, "'%.64s' is not a path into a JSON column", text);
}

/* ------------------------------------------------------------------ conditions */

static int write_list(struct store_query *query, const cJSON *value, enum store_kind kind,
		      struct error *err)
{
	size_t count = cJSON_IsArray(value) ? (size_t)cJSON_GetArraySize(value) : 1;
	const cJSON *item = cJSON_IsArray(value) ? value->child : value;
	int code = strbuf__text(&query->where, " (");

	for (size_t i = 0; !code && i < count; i++, item = item->next) {
		code = strbuf__text(&query->where, i ? ", ?" : "?");
		if (!code)
			code = bind(query, (struct store_binding){.node = item, .kind = kind}, err);
	}
	return code ? code : strbuf__char(&query->where, ')');
}

static int write_operand(struct store_query *query, const struct operator_spec *spec,
			 const cJSON *value, enum store_kind kind, struct error *err)
{
	strbuf__char(&query->where, ' ');
	if (strbuf__text(&query->where, spec->sql))
		return -ENOMEM;
	if (spec->operand == OPERAND_NONE)
		return 0;
	if (spec->operand == OPERAND_LIST)
		return write_list(query, value, kind, err);
	if (strbuf__text(&query->where, " ?"))
		return -ENOMEM;
	return bind(query, (struct store_binding){.node = value, .kind = kind}, err);
}

static int write_field(struct store_query *query, struct field *field, struct error *err)
{
	struct store_binding path = {.text = field->path, .kind = STORE_TEXT};
	int code;

	if (!field->path)
		return strbuf__text(&query->where, field->column->name);
	code = bind(query, path, err);
	if (code)
		return code;
	field->path = NULL;
	return strbuf__printf(&query->where, "json_extract(%s, ?)", field->column->name);
}

static const char *joint(const struct store_query *query, const char *boolean)
{
	if (query->where.length == query->group_at)
		return "";
	return boolean && strcasecmp(boolean, "or") == 0 ? " OR " : " AND ";
}

int store_query__add(struct store_query *query, const char *field_text, const char *operator,
		     const cJSON * value, const char *boolean, struct error *err)
{
	const struct operator_spec *spec = find_operator(operator);
	enum store_kind kind;
	struct field field;
	int code;

	if (!spec)
		return error__set(err, -EINVAL,
				  "unknown operator '%.32s' in a condition", operator);
	if (spec->for_lists && cJSON_IsArray(value))
		spec = find_operator(spec->for_lists);
	if (spec->operand != OPERAND_NONE && !value)
		return error__set(err, -EINVAL, "the condition on '%.64s' has no value",
				  field_text);
	code = find_field(query->table, field_text, &field, err);
	if (code)
		return code;
	kind = field.column->kind == STORE_BOOLEAN ? STORE_BOOLEAN : STORE_TEXT;
	code = strbuf__text(&query->where, joint(query, boolean));
	if (!code)
		code = write_field(query, &field, err);
	if (!code)
		code = write_operand(query, spec, value, kind, err);
	free(field.path);
	return code;
}

/* A pattern for LIKE with ESCAPE '\'. The characters %, _ and \ of the text are escaped, so that
 * they match only themselves. */
static char *like_pattern(const char *text)
{
	char *pattern = malloc(2 * strlen(text) + 3), *at = pattern;

	if (!pattern)
		return NULL;
	*at++ = '%';
	for (; *text; text++) {
		if (strchr("%_\\", *text))
			*at++ = '\\';
		*at++ = *text;
	}
	*at++ = '%';
	*at = 0;
	return pattern;
}

int store_query__add_search(struct store_query *query, const char *const columns[],
			    const char *text, struct error *err)
{
	int code = strbuf__text(&query->where, query->where.length ? " AND (" : "(");

	for (size_t i = 0; !code && columns[i]; i++) {
		struct store_binding binding = {.text = like_pattern(text), .kind = STORE_TEXT};

		code = binding.text ? bind(query, binding, err) : -ENOMEM;
		if (code)
			free(binding.text);
		else
			code = strbuf__printf(&query->where, "%s%s LIKE ? ESCAPE '\\'",
					      i ? " OR " : "", columns[i]);
	}
	return code ? code : strbuf__char(&query->where, ')');
}

int store_query__add_item(struct store_query *query, const char *column, const cJSON *item,
			  struct error *err)
{
	int code = strbuf__printf(&query->where,
				  "%sEXISTS (SELECT 1 FROM json_each(%s) WHERE value = ?)",
				  query->where.length ? " AND " : "", column);

	return code ? code
		    : bind(query, (struct store_binding){.node = item, .kind = STORE_TEXT}, err);
}

/* Where a word of the text ends; bytes of UTF-8 are letters. */
static size_t word_length(const char *text)
{
	size_t length = 0;

	while (text[length] &&
	       ((unsigned char)text[length] >= 0x80 || isalnum((unsigned char)text[length])))
		length++;
	return length;
}

int store_query__add_match(struct store_query *query, const char *text, bool *has_words,
			   struct error *err)
{
	struct strbuf match;

	strbuf__init(&match, STORE_MATCH_BYTES);
	while (*text) {
		size_t length = word_length(text);

		if (length) { /* in quotes, a word is no operator */
			strbuf__text(&match, match.length ? " \"" : "\"");
			strbuf__bytes(&match, text, length);
			strbuf__text(&match, "\"*");
		}
		text += length ? length : 1;
	}
	*has_words = match.length > 0;
	if (match.err) {
		int code = match.err;

		strbuf__free(&match);
		return error__set(err, code, "the text to search for is too long");
	}
	query->match = strbuf__take(&match);
	return query->match ? 0 : -ENOMEM;
}

static const char *text_of(const cJSON *object, const char *key)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
}

static int add_entry(struct store_query *query, const cJSON *entry, const char *boolean,
		     struct error *err)
{
	const char *field = text_of(entry, "field"), *own = text_of(entry, "boolean");

	if (!field)
		return error__set(err, -EINVAL,
				  "a condition has no field: write {field, operator, value}");
	return store_query__add(query, field, text_of(entry, "operator"),
				cJSON_GetObjectItemCaseSensitive(entry, "value"),
				own ? own : boolean, err);
}

/* The conditions are one group: what was added before holds for all of them. */
static int add_group(struct store_query *query, const cJSON *conditions, const char *boolean,
		     struct error *err)
{
	const cJSON *entry;
	int code = strbuf__text(&query->where, query->where.length ? " AND (" : "(");

	query->group_at = query->where.length;
	cJSON_ArrayForEach (entry, conditions) {
		if (!code && cJSON_IsArray(conditions))
			code = add_entry(query, entry, boolean, err);
		else if (!code)
			code = store_query__add(query, entry->string, "=", entry, boolean, err);
	}
	query->group_at = 0;
	return code ? code : strbuf__char(&query->where, ')');
}

int store_query__add_all(struct store_query *query, const cJSON *conditions, const char *boolean,
			 struct error *err)
{
	if (!cJSON_IsArray(conditions) && !cJSON_IsObject(conditions))
		return error__set(err, -EINVAL,
				  "conditions must be a map or a list of {field, operator, value}");
	return conditions->child ? add_group(query, conditions, boolean, err) : 0;
}

/* ------------------------------------------------------------------ order and limit */

static int order_by(struct store_query *query, const char *field_text, const char *direction,
		    struct error *err)
{
	bool down = direction && strcasecmp(direction, "desc") == 0;
	struct field field;
	int code;

	if (direction && *direction && !down && strcasecmp(direction, "asc") != 0)
		return error__set(err, -EINVAL, "the direction must be asc or desc, not '%.32s'",
				  direction);
	code = find_field(query->table, field_text, &field, err);
	if (code)
		return code;
	if (field.path)
		code = error__set(err, -EINVAL, "cannot order by a member of the JSON column '%s'",
				  field.column->name);
	else
		code = strbuf__printf(&query->order, "%s%s%s", query->order.length ? ", " : "",
				      field.column->name, down ? " DESC" : "");
	free(field.path);
	return code;
}

/* "updated" and "created", the latest first. */
static int order_by_time(struct store_query *query, char which, const char *direction,
			 struct error *err)
{
	return order_by(query, which == 'u' ? "updated_at" : "created_at",
			*direction ? direction : "desc", err);
}

static int order_by_text(struct store_query *query, const char *text, struct error *err)
{
	char field[96], direction[16] = "";

	if (strcasecmp(text, "latest") == 0)
		return order_by(query, "id", "desc", err);
	if (strcasecmp(text, "oldest") == 0)
		return order_by(query, "id", "asc", err);
	if (sscanf(text, "%95s %15s", field, direction) < 1)
		return error__set(err, -EINVAL, "an order must name a column");
	if (strcasecmp(field, "updated") == 0 || strcasecmp(field, "created") == 0)
		return order_by_time(query, *field | 0x20, direction, err);
	return order_by(query, field, direction, err);
}

/* {"created_at": "desc"} */
static int order_by_map(struct store_query *query, const cJSON *map, struct error *err)
{
	const cJSON *each;
	int code = map->child ? 0 : error__set(err, -EINVAL, "an order must name a column");

	for (each = map->child; !code && each; each = each->next)
		code = cJSON_IsString(each)
			       ? order_by(query, each->string, each->valuestring, err)
			       : error__set(err, -EINVAL,
					    "the direction of '%.64s' must be asc or desc",
					    each->string);
	return code;
}

static int order_by_entry(struct store_query *query, const cJSON *entry, struct error *err)
{
	if (cJSON_IsString(entry))
		return order_by_text(query, entry->valuestring, err);
	if (text_of(entry, "sql"))
		return error__set(err, -EINVAL,
				  "an order is a column and a direction: SQL text is refused");
	if (cJSON_IsObject(entry) && !text_of(entry, "field"))
		return order_by_map(query, entry, err);
	if (!text_of(entry, "field"))
		return error__set(err, -EINVAL, "an order must be text or {field, direction}");
	return order_by(query, text_of(entry, "field"), text_of(entry, "direction"), err);
}

int store_query__set_order(struct store_query *query, const cJSON *order, struct error *err)
{
	const cJSON *entry;
	int code = 0;

	if (!order || cJSON_IsNull(order))
		return 0;
	if (!cJSON_IsArray(order))
		return order_by_entry(query, order, err);
	cJSON_ArrayForEach (entry, order) {
		code = order_by_entry(query, entry, err);
		if (code)
			return code;
	}
	return 0;
}

static int whole_number(const cJSON *node, const char *what, int64_t *number, struct error *err)
{
	char *end = NULL;
	double value;

	if (!node || cJSON_IsNull(node))
		return 0;
	if (cJSON_IsString(node) && *node->valuestring)
		value = strtod(node->valuestring, &end);
	else
		value = cJSON_IsNumber(node) ? node->valuedouble : -1;
	if (!(value >= 0 && value <= STORE_LIMIT_MAX) || (end && *end))
		return error__set(err, -EINVAL, "%s must be a number from 0 to %d", what,
				  STORE_LIMIT_MAX);
	*number = (int64_t)value;
	return 0;
}

int store_query__set_limit(struct store_query *query, const cJSON *limit, const cJSON *offset,
			   struct error *err)
{
	int code = whole_number(limit, "limit", &query->limit, err);

	return code ? code : whole_number(offset, "offset", &query->offset, err);
}
