// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/param.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/template.h"

static bool has_marks(const char *text)
{
	return strstr(text, "{{") || strstr(text, "{%") || strstr(text, "{#");
}

static int compile_text(struct param *param)
{
	struct error err = {0};
	int code;

	if (!has_marks(param->node->valuestring))
		return 0;
	param->has_templates = true;
	code = template__parse(param->node->valuestring, &param->template, &err);
	if (code == -ENOMEM)
		return code;
	if (code)
		param->broken = strdup(err.text);
	return code && !param->broken ? -ENOMEM : 0;
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

static int compile_children(struct param *param)
{
	const cJSON *node;

	cJSON_ArrayForEach (node, param->node) {
		struct param *child = add_child(param);

		if (!child)
			return -ENOMEM;
		if (param__compile(child, node))
			return -ENOMEM;
		param->has_templates |= child->has_templates;
	}
	return 0;
}

int param__compile(struct param *param, const cJSON *node)
{
	int err = 0;

	*param = (struct param){.node = node};
	if (cJSON_IsString(node))
		err = compile_text(param);
	else if (cJSON_IsArray(node) || cJSON_IsObject(node))
		err = compile_children(param);
	return err;
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
	for (size_t i = 0; i < param->child_count; i++)
		if (strcmp(param->children[i].node->string, key) == 0)
			return &param->children[i];
	return NULL;
}

int param__set(struct param *param, const cJSON *node)
{
	struct param *child = find(param, node->string);
	int err;

	if (child)
		param__free(child);
	else
		child = add_child(param);
	if (!child)
		return -ENOMEM;
	err = param__compile(child, node);
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

void param__each_broken(const struct param *param,
			void (*found)(void *data, const struct param *param), void *data)
{
	if (param->broken)
		found(data, param);
	for (size_t i = 0; i < param->child_count; i++)
		param__each_broken(&param->children[i], found, data);
}
