// SPDX-License-Identifier: BSD-2-Clause
#include "runner/template/template_eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/value/value.h"

static const cJSON null_value = {.type = cJSON_NULL};

/* ------------------------------------------------------------------ names and paths */

/* Members, items and variables are searched one after the other: so many for one step. */
enum { WALKED_IN_A_STEP = 32 };

static struct variable *find_variable(const struct evaluation *evaluation, const char *name,
				      size_t *walked)
{
	struct variable *variable = evaluation->variables;

	for (; variable && strcmp(variable->name, name) != 0; variable = variable->next)
		++*walked;
	return variable && variable->result.value ? variable : NULL;
}

static const cJSON *find_in_scope(const struct scope *scope, const char *name, bool *found)
{
	const cJSON *value;

	*found = true;
	for (size_t i = 0; i < scope->name_count; i++)
		if (strcmp(scope->names[i].name, name) == 0)
			return scope->names[i].value;
	value = cJSON_GetObjectItemCaseSensitive(scope->root, name);
	*found = value != NULL;
	return value;
}

static int eval_name(struct evaluation *evaluation, const struct node *node, struct result *result)
{
	size_t walked = 0;
	struct variable *variable = find_variable(evaluation, node->name, &walked);
	int err = evaluation__charge(evaluation, node, walked / WALKED_IN_A_STEP);
	bool found;

	if (err)
		return err;
	if (variable) {
		*result = variable->result;
		if (node == evaluation->moved)
			variable->result = (struct result){.value = NULL};
		else
			result->owned = NULL;
		return 0;
	}
	result__borrow(result, find_in_scope(evaluation->scope, node->name, &found));
	result->is_missing = !found;
	return 0;
}

/* Reduces *result to `part` of its value; NULL means missing. If the result owns the whole tree,
 * the part is copied and the tree is freed. */
static int narrow(struct evaluation *evaluation, const struct node *node, struct result *result,
		  const cJSON *part)
{
	struct result whole = *result;
	cJSON *copy;
	int err;

	result->value = part ? part : &null_value;
	result->is_missing = !part;
	result->owned = NULL;
	if (!whole.owned)
		return 0;
	err = result__take(evaluation, node, result, &copy);
	result__free(&whole);
	if (err)
		return err;
	result->value = result->owned = copy;
	result->is_lasting = false;
	return 0;
}

static int eval_path(struct evaluation *evaluation, const struct node *node, struct result *result)
{
	const cJSON *part;
	int err = template_eval__node(evaluation, node->child, result);

	if (err)
		return err;
	part = result->value;
	for (const struct node *step = node->child->next; !err && step && part; step = step->next) {
		size_t walked = 0;

		part = value__step(part, step->name, &walked);
		err = evaluation__charge(evaluation, step, walked / WALKED_IN_A_STEP);
	}
	if (!err)
		return narrow(evaluation, node, result, part);
	result__free(result);
	return err;
}

/* ------------------------------------------------------------------ lists and maps */

static int eval_owned(struct evaluation *evaluation, const struct node *node, cJSON **value)
{
	struct result result;
	int err = template_eval__node(evaluation, node, &result);

	*value = NULL;
	return err ? err : result__take(evaluation, node, &result, value);
}

static int fill_list(struct evaluation *evaluation, const struct node *node, cJSON *list)
{
	int err = 0;

	for (const struct node *child = node->child; !err && child; child = child->next) {
		cJSON *item;

		err = eval_owned(evaluation, child, &item);
		if (!err)
			cJSON_AddItemToArray(list, item);
	}
	return err;
}

static int add_member(struct evaluation *evaluation, const struct node *key_node, cJSON *map,
		      const cJSON *key, cJSON *value)
{
	char *name = value__text(key);

	if (name && cJSON_GetObjectItemCaseSensitive(map, name))
		cJSON_DeleteItemFromObjectCaseSensitive(map, name);
	if (name && cJSON_AddItemToObject(map, name, value)) {
		free(name);
		return 0;
	}
	free(name);
	cJSON_Delete(value);
	return evaluation__fail(evaluation, key_node, -ENOMEM, "out of memory");
}

static int fill_map(struct evaluation *evaluation, const struct node *node, cJSON *map)
{
	int err = 0;

	for (const struct node *key_node = node->child; !err && key_node;
	     key_node = key_node->next->next) {
		struct result key;
		cJSON *value = NULL;

		err = template_eval__node(evaluation, key_node, &key);
		if (err)
			break;
		err = eval_owned(evaluation, key_node->next, &value);
		if (!err)
			err = add_member(evaluation, key_node, map, key.value, value);
		result__free(&key);
	}
	return err;
}

static int eval_collection(struct evaluation *evaluation, const struct node *node,
			   struct result *result)
{
	bool is_list = node->kind == NODE_LIST;
	cJSON *value = is_list ? cJSON_CreateArray() : cJSON_CreateObject();
	int err = value ? 0 : evaluation__fail(evaluation, node, -ENOMEM, "out of memory");

	if (!err)
		err = is_list ? fill_list(evaluation, node, value)
			      : fill_map(evaluation, node, value);
	if (err) {
		cJSON_Delete(value);
		return err;
	}
	return result__own(evaluation, node, result, value);
}

/* ------------------------------------------------------------------ logic */

static int eval_truth(struct evaluation *evaluation, const struct node *node, bool *truth)
{
	struct result result;
	int err = template_eval__node(evaluation, node, &result);

	if (err)
		return err;
	*truth = value__is_true(result.value);
	result__free(&result);
	return 0;
}

/* Evaluates operands until the result is known. */
static int eval_logic(struct evaluation *evaluation, const struct node *node, struct result *result)
{
	bool is_or = node->kind == NODE_OR, truth = !is_or;
	int err = 0;

	for (const struct node *child = node->child; !err && child && truth != is_or;
	     child = child->next)
		err = eval_truth(evaluation, child, &truth);
	if (!err)
		result__set_bool(result, truth);
	return err;
}

static int eval_not(struct evaluation *evaluation, const struct node *node, struct result *result)
{
	bool truth;
	int err = eval_truth(evaluation, node->child, &truth);

	if (!err)
		result__set_bool(result, !truth);
	return err;
}

static int eval_ternary(struct evaluation *evaluation, const struct node *node,
			struct result *result)
{
	const struct node *choice = node->child->next;
	bool truth;
	int err = eval_truth(evaluation, node->child, &truth);

	if (err)
		return err;
	return template_eval__node(evaluation, truth ? choice : choice->next, result);
}

static int eval_defined(struct evaluation *evaluation, const struct node *node,
			struct result *result)
{
	bool missing;
	int err = template_eval__node(evaluation, node->child, result);

	if (err)
		return err;
	missing = result->is_missing;
	result__free(result);
	result__set_bool(result, !missing);
	return 0;
}

/* ------------------------------------------------------------------ chains */

static int eval_chain(struct evaluation *evaluation, const struct node *node, struct result *result)
{
	int err = template_eval__node(evaluation, node->child, result);

	for (const struct node *child = node->child->next; !err && child; child = child->next) {
		struct result left = *result, right;

		err = template_eval__node(evaluation, child, &right);
		if (err)
			result__free(&left);
		else
			err = template_eval__operate(evaluation, child, &left, &right, result);
	}
	return err;
}

static int eval_arguments(struct evaluation *evaluation, const struct node *node,
			  struct filter_call *call, struct result *arguments)
{
	int err = 0;

	for (const struct node *child = node->child; !err && child; child = child->next) {
		struct result *argument = &arguments[call->argument_count];

		err = template_eval__node(evaluation, child, argument);
		if (!err)
			call->arguments[call->argument_count++] = argument->value;
	}
	return err;
}

static int call_filter(struct evaluation *evaluation, const struct node *node,
		       struct filter_call *call, struct result *result)
{
	bool is_longer = filter__lengthens(node->filter, call);
	const cJSON *read = is_longer ? call->arguments[0] : call->input;
	cJSON *value = NULL;
	int err = evaluation__charge(evaluation, node,
				     (size_t)node->filter->cost + value__weight(read) / 4);

	if (err)
		return err;
	err = node->filter->run(call, &value);
	if (err)
		return evaluation__fail(evaluation, node, err, "filter '%s': %.512s",
					node->filter->name, call->err->text);
	if (!is_longer)
		return result__own(evaluation, node, result, value);
	*result = (struct result){.value = value, .owned = value};
	return 0;
}

static int eval_filter(struct evaluation *evaluation, const struct node *node,
		       struct result *result)
{
	struct result input = *result, arguments[FILTER_ARGUMENTS] = {0};
	struct error text = {{0}};
	bool found;
	struct filter_call call = {.input = input.value,
				   .owned = &input.owned,
				   .now = find_in_scope(evaluation->scope, "now", &found),
				   .deadline = evaluation->scope->deadline,
				   .err = &text};
	int err = eval_arguments(evaluation, node, &call, arguments);

	if (!err)
		err = call_filter(evaluation, node, &call, result);
	for (int i = 0; i < call.argument_count; i++)
		result__free(&arguments[i]);
	result__free(&input);
	return err;
}

static int eval_pipe(struct evaluation *evaluation, const struct node *node, struct result *result)
{
	int err = template_eval__node(evaluation, node->child, result);

	for (const struct node *call = node->child->next; !err && call; call = call->next)
		err = eval_filter(evaluation, call, result);
	return err;
}

static int eval_literal(struct evaluation *evaluation, const struct node *node,
			struct result *result)
{
	(void)evaluation;
	result__borrow(result, &node->literal);
	return 0;
}

/* ------------------------------------------------------------------ every kind of expression */

typedef int eval_function(struct evaluation *evaluation, const struct node *node,
			  struct result *result);

static eval_function *const functions[] = {
	[NODE_LITERAL] = eval_literal, [NODE_NAME] = eval_name,
	[NODE_PATH] = eval_path,       [NODE_LIST] = eval_collection,
	[NODE_MAP] = eval_collection,  [NODE_NEGATE] = template_eval__negate,
	[NODE_NOT] = eval_not,         [NODE_AND] = eval_logic,
	[NODE_OR] = eval_logic,        [NODE_SUM] = eval_chain,
	[NODE_PRODUCT] = eval_chain,   [NODE_COMPARE] = eval_chain,
	[NODE_DEFINED] = eval_defined, [NODE_TERNARY] = eval_ternary,
	[NODE_PIPE] = eval_pipe,
};

_Static_assert(sizeof(functions) / sizeof(*functions) == NODE_PIPE + 1,
	       "each kind of expression needs a function");

int template_eval__node(struct evaluation *evaluation, const struct node *node,
			struct result *result)
{
	int err = evaluation__charge(evaluation, node, 1);

	return err ? err : functions[node->kind](evaluation, node, result);
}
