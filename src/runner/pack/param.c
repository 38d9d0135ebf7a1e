// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/param.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/template.h"
#include "runner/template/template_look.h"
#include "runner/value/foreign_text.h"
#include "runner/value/value.h"

static bool has_marks(const char *text)
{
	return strstr(text, "{{") || strstr(text, "{%") || strstr(text, "{#");
}

static bool is_json(const char *text)
{
	cJSON *value = foreign_json__whole(text);

	cJSON_Delete(value);
	return value != NULL;
}

/* What a text is that is given where `syntax` is expected. */
static enum param_syntax syntax_of(const char *text, enum param_syntax syntax)
{
	if (has_marks(text) || (syntax == PARAM_EXPRESSION && !*text))
		return PARAM_TEXT;
	if (syntax == PARAM_FILTERS)
		return *text && !is_json(text) ? PARAM_FILTER : PARAM_TEXT;
	return syntax;
}

/* The text as the parser gets it. The caller frees it; NULL: out of memory. */
static char *source_of(const struct param *param)
{
	const char *text = param->node->valuestring;
	char *source;

	if (param->syntax != PARAM_FILTER)
		return strdup(text);
	return asprintf(&source, PARAM_FILTER_INPUT "%s", text) < 0 ? NULL : source;
}

static int parse(struct param *param, const char *source)
{
	struct error err = {0};
	int code = param->syntax == PARAM_TEXT
			   ? template__parse(source, &param->template, &err)
			   : template__parse_expression(source, &param->template, &err);

	if (code == -ENOMEM)
		return code;
	if (code)
		param->broken = strdup(err.text);
	return code && !param->broken ? -ENOMEM : 0;
}

static int compile_text(struct param *param, enum param_syntax syntax)
{
	const char *text = param->node->valuestring;
	char *source;
	int err;

	param->syntax = syntax_of(text, syntax);
	if (param->syntax == PARAM_TEXT && !has_marks(text))
		return 0;
	param->has_templates = true;
	source = source_of(param);
	err = source ? parse(param, source) : -ENOMEM;
	free(source);
	return err;
}

static struct param *add_child(struct param *param)
{
	struct param *longer;

	if (param->child_count == param->child_room) {
		param->child_room = param->child_room ? 2 * param->child_room : 4;
		longer = realloc(param->children, param->child_room * sizeof(*longer));
		if (!longer)
			return NULL;
		param->children = longer;
	}
	return &param->children[param->child_count++];
}

static int compile(struct param *param, const cJSON *node, enum param_syntax syntax);

/* A text that is an item of a list of filters is a filter. All other children are plain params. */
static enum param_syntax syntax_in(const struct param *list, enum param_syntax syntax)
{
	return syntax == PARAM_FILTERS && cJSON_IsArray(list->node) ? PARAM_FILTER : PARAM_TEXT;
}

static int compile_children(struct param *param, enum param_syntax syntax)
{
	const cJSON *node;

	cJSON_ArrayForEach (node, param->node) {
		struct param *child = add_child(param);

		if (!child)
			return -ENOMEM;
		if (compile(child, node, syntax_in(param, syntax)))
			return -ENOMEM;
		param->has_templates |= child->has_templates;
	}
	return 0;
}

static int compile(struct param *param, const cJSON *node, enum param_syntax syntax)
{
	int err = 0;

	*param = (struct param){.node = node};
	if (cJSON_IsString(node))
		err = compile_text(param, syntax);
	else if (cJSON_IsArray(node) || cJSON_IsObject(node))
		err = compile_children(param, syntax);
	return err;
}

int param__compile(struct param *param, const cJSON *node)
{
	return compile(param, node, PARAM_TEXT);
}

void param__free(struct param *param)
{
	for (size_t i = 0; i < param->child_count; i++)
		param__free(&param->children[i]);
	free(param->children);
	free(param->broken);
	template__free(param->template);
	*param = (struct param){0};
}

static struct param *find(const struct param *param, const char *key)
{
	for (size_t i = 0; i < param->child_count; i++) {
		const char *name = param->children[i].node->string;

		if (name[0] == key[0] && strcmp(name, key) == 0)
			return &param->children[i];
	}
	return NULL;
}

int param__set(struct param *param, const cJSON *node, enum param_syntax syntax)
{
	struct param *child = find(param, node->string);
	int err;

	if (child)
		param__free(child);
	else
		child = add_child(param);
	if (!child)
		return -ENOMEM;
	err = compile(child, node, syntax);
	param->has_templates |= child->has_templates;
	return err;
}

const struct param *param__child(const struct param *param, const char *key)
{
	return find(param, key);
}

/* ------------------------------------------------------------------ rendering */

static int out_of_memory(struct error *err)
{
	return error__set(err, -ENOMEM, "out of memory");
}

static int render_children(const struct param *param, const struct scope *scope, cJSON *value,
			   struct error *err)
{
	for (size_t i = 0; i < param->child_count; i++) {
		const struct param *child = &param->children[i];
		cJSON *item;
		int code = param__render(child, scope, &item, err);

		if (code)
			return code;
		if (cJSON_IsObject(value) ? !cJSON_AddItemToObject(value, child->node->string, item)
					  : !cJSON_AddItemToArray(value, item)) {
			cJSON_Delete(item);
			return out_of_memory(err);
		}
	}
	return 0;
}

static int render_collection(const struct param *param, const struct scope *scope, cJSON **value,
			     struct error *err)
{
	int code;

	*value = cJSON_IsArray(param->node) ? cJSON_CreateArray() : cJSON_CreateObject();
	if (!*value)
		return out_of_memory(err);
	code = render_children(param, scope, *value, err);
	if (code) {
		cJSON_Delete(*value);
		*value = NULL;
	}
	return code;
}

int param__render(const struct param *param, const struct scope *scope, cJSON **value,
		  struct error *err)
{
	*value = NULL;
	if (!param)
		return 0;
	if (param->broken)
		return error__set(err, -EINVAL, "%s", param->broken);
	if (param->template)
		return template__render(param->template, scope, value, err);
	if (param->has_templates)
		return render_collection(param, scope, value, err);
	*value = cJSON_Duplicate(param->node, 1);
	return *value ? 0 : out_of_memory(err);
}

int param__render_trimmed(const struct param *param, const struct scope *scope, cJSON **value,
			  struct error *err)
{
	if (param && !param->broken && param->template)
		return template__render_trimmed(param->template, scope, value, err);
	return param__render(param, scope, value, err);
}

/* In a literal block of YAML, a line break follows the rendered value. */
static bool is_true(const cJSON *value)
{
	const char *text = cJSON_GetStringValue(value);
	size_t length;

	if (!text)
		return value__is_true(value);
	text = value__trimmed(text, &length);
	return length > 1 || (length == 1 && *text != '0');
}

int param__truth(const struct param *param, const struct scope *scope, bool *truth,
		 struct error *err)
{
	cJSON *value;
	int code = param__render(param, scope, &value, err);

	if (code)
		return code;
	*truth = is_true(value);
	cJSON_Delete(value);
	return 0;
}

/* ------------------------------------------------------------------ checking */

void param__each_template(const struct param *param,
			  void (*found)(void *data, const struct param *param), void *data)
{
	if (param->template || param->broken)
		found(data, param);
	for (size_t i = 0; i < param->child_count; i++)
		param__each_template(&param->children[i], found, data);
}

bool param__is_constant(const struct param *param)
{
	return param->template ? template__is_constant(param->template) : !param->has_templates;
}

/* A position in the text of the node, from one in the text that was parsed. */
static int column_in_node(const struct param *param, int line, int column)
{
	return line == 1 && param->syntax == PARAM_FILTER ? column - (int)strlen(PARAM_FILTER_INPUT)
							  : column;
}

struct teller {
	const struct param *param;
	void (*reference)(void *data, const struct template_reference *reference);
	void (*problem)(void *data, const struct template_problem *problem);
	void *data;
};

static void tell_reference(void *data, const struct template_reference *reference)
{
	const struct teller *teller = data;
	struct template_reference moved = *reference;

	moved.column = column_in_node(teller->param, moved.line, moved.column);
	teller->reference(teller->data, &moved);
}

void param__each_reference(const struct param *param,
			   void (*found)(void *data, const struct template_reference *reference),
			   void *data)
{
	struct teller teller = {.param = param, .reference = found, .data = data};

	if (param->template)
		template__each_reference(param->template, tell_reference, &teller);
}

static void tell_problem(void *data, const struct template_problem *problem)
{
	const struct teller *teller = data;
	struct template_problem moved = *problem;

	moved.column = column_in_node(teller->param, moved.line, moved.column);
	teller->problem(teller->data, &moved);
}

int param__diagnose(const struct param *param,
		    void (*found)(void *data, const struct template_problem *problem), void *data)
{
	struct teller teller = {.param = param, .problem = found, .data = data};
	char *source = source_of(param);
	int err;

	if (!source)
		return -ENOMEM;
	err = template__diagnose(source, param->syntax != PARAM_TEXT, tell_problem, &teller);
	free(source);
	return err;
}
