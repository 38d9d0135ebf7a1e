// SPDX-License-Identifier: BSD-2-Clause
/* Runs the statements of a template: writes text and values, runs set, if and for. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runner/template/template_eval.h"
#include "runner/value/value.h"

static int run_body(struct evaluation *evaluation, const struct node *body);

/* ------------------------------------------------------------------ output */

static int write_value(struct evaluation *evaluation, const struct node *node, const cJSON *value)
{
	int err = value__write_text(value, &evaluation->out);

	if (err == -E2BIG)
		return evaluation__fail(evaluation, node, err, "the output is longer than %d bytes",
					TEMPLATE_OUTPUT_BYTES);
	return err ? evaluation__fail(evaluation, node, err, "out of memory") : 0;
}

static int run_output(struct evaluation *evaluation, const struct node *node)
{
	struct result result;
	int err = template_eval__node(evaluation, node->child, &result);

	if (err)
		return err;
	err = write_value(evaluation, node, result.value);
	result__free(&result);
	return err;
}

/* ------------------------------------------------------------------ variables */

static struct variable *variable_of(struct evaluation *evaluation, const char *name)
{
	struct variable *variable = evaluation->variables;

	while (variable && strcmp(variable->name, name) != 0)
		variable = variable->next;
	if (variable)
		return variable;
	variable = calloc(1, sizeof(*variable));
	if (!variable)
		return NULL;
	variable->name = name;
	variable->next = evaluation->variables;
	evaluation->variables = variable;
	return variable;
}

static void free_variables(struct evaluation *evaluation)
{
	while (evaluation->variables) {
		struct variable *variable = evaluation->variables;

		evaluation->variables = variable->next;
		result__free(&variable->result);
		free(variable);
	}
}

/* Makes *result valid until the end of the rendering, by copying it if necessary. */
static int keep(struct evaluation *evaluation, const struct node *node, struct result *result)
{
	cJSON *value;
	int err;

	result->is_missing = false;
	if (result->is_lasting || result->owned)
		return 0;
	err = result__take(evaluation, node, result, &value);
	if (!err)
		*result = (struct result){.value = value, .owned = value};
	return err;
}

static bool uses(const struct node *node, const char *name)
{
	for (; node; node = node->next)
		if ((node->kind == NODE_NAME && strcmp(node->name, name) == 0) ||
		    uses(node->child, name))
			return true;
	return false;
}

/* In `set rows = rows | append: x`, and with `+`, the variable gives its list to the expression:
 * to append to a list in a loop is no more work than its items. NULL: the expression reads the
 * variable elsewhere, too. */
static const struct node *moved_name(const struct node *set)
{
	const struct node *first = set->child->child;

	if (set->child->kind != NODE_PIPE && set->child->kind != NODE_SUM)
		return NULL;
	return first->kind == NODE_NAME && strcmp(first->name, set->name) == 0 &&
			       !uses(first->next, set->name)
		       ? first
		       : NULL;
}

static int run_set(struct evaluation *evaluation, const struct node *node)
{
	struct variable *variable;
	struct result result;
	int err;

	evaluation->moved = moved_name(node);
	err = template_eval__node(evaluation, node->child, &result);
	evaluation->moved = NULL;

	if (!err)
		err = keep(evaluation, node, &result);
	if (err)
		return err;
	variable = variable_of(evaluation, node->name);
	if (!variable) {
		result__free(&result);
		return evaluation__fail(evaluation, node, -ENOMEM, "out of memory");
	}
	result__free(&variable->result);
	variable->result = result;
	return 0;
}

/* ------------------------------------------------------------------ if */

/* A branch has a body and a condition; the branch of `else` has no condition. */
static int is_taken(struct evaluation *evaluation, const struct node *branch, bool *taken)
{
	const struct node *condition = branch->child->next;
	struct result result;
	int err;

	*taken = true;
	if (!condition)
		return 0;
	err = template_eval__node(evaluation, condition, &result);
	if (err)
		return err;
	*taken = value__is_true(result.value);
	result__free(&result);
	return 0;
}

static int run_if(struct evaluation *evaluation, const struct node *node)
{
	for (const struct node *branch = node->child; branch; branch = branch->next) {
		bool taken;
		int err = is_taken(evaluation, branch, &taken);

		if (err)
			return err;
		if (taken)
			return run_body(evaluation, branch->child);
	}
	return 0;
}

/* ------------------------------------------------------------------ for */

/* The items to walk: those of a list, the rows of a query's result, or the values of a map. A value
 * that is false has no items. */
static int find_items(struct evaluation *evaluation, const struct node *node, const cJSON *value,
		      const cJSON **items)
{
	*items = value__list(value);
	if (!*items && cJSON_IsObject(value))
		*items = value;
	if (*items || !value__is_true(value))
		return 0;
	return evaluation__fail(evaluation, node, -EINVAL, "'for' needs a list, not a %s",
				cJSON_IsString(value)   ? "text"
				: cJSON_IsNumber(value) ? "number"
							: "boolean");
}

static int run_item(struct evaluation *evaluation, const struct node *node, const cJSON *item,
		    bool is_lasting)
{
	struct variable *variable = variable_of(evaluation, node->name);
	int err = evaluation__charge(evaluation, node, 1);

	if (!variable)
		return evaluation__fail(evaluation, node, -ENOMEM, "out of memory");
	if (err)
		return err;
	result__free(&variable->result);
	variable->result = (struct result){.value = item, .is_lasting = is_lasting};
	return run_body(evaluation, node->child);
}

/* After the loop, the loop's variable gets back the value that it had before. */
static int run_items(struct evaluation *evaluation, const struct node *node, const cJSON *items,
		     bool is_lasting)
{
	struct variable *variable = variable_of(evaluation, node->name);
	struct result before;
	int err = variable ? 0 : evaluation__fail(evaluation, node, -ENOMEM, "out of memory");

	if (err)
		return err;
	before = variable->result;
	variable->result = (struct result){0};
	for (const cJSON *item = items->child; !err && item; item = item->next) {
		err = run_item(evaluation, node, item, is_lasting);
		if (evaluation->is_breaking)
			break;
	}
	evaluation->is_breaking = false;
	result__free(&variable->result);
	variable->result = before;
	return err;
}

static int run_for(struct evaluation *evaluation, const struct node *node)
{
	const cJSON *items;
	struct result list;
	int err = template_eval__node(evaluation, node->child->next, &list);

	if (!err)
		err = keep(evaluation, node, &list);
	if (err)
		return err;
	err = find_items(evaluation, node, list.value, &items);
	if (!err && items)
		err = run_items(evaluation, node, items, list.is_lasting);
	result__free(&list);
	return err;
}

/* ------------------------------------------------------------------ bodies */

static int run_statement(struct evaluation *evaluation, const struct node *node)
{
	switch (node->kind) {
	case NODE_TEXT: return write_value(evaluation, node, &node->literal);
	case NODE_OUTPUT: return run_output(evaluation, node);
	case NODE_SET: return run_set(evaluation, node);
	case NODE_IF: return run_if(evaluation, node);
	case NODE_FOR: return run_for(evaluation, node);
	default: evaluation->is_breaking = true; return 0;
	}
}

static int run_body(struct evaluation *evaluation, const struct node *body)
{
	int err = 0;

	for (const struct node *node = body->child; !err && node && !evaluation->is_breaking;
	     node = node->next) {
		err = evaluation__charge(evaluation, node, 1);
		if (!err)
			err = run_statement(evaluation, node);
	}
	return err;
}

/* ------------------------------------------------------------------ rendering */

static bool is_blank(const struct node *node)
{
	const char *text = node->kind == NODE_TEXT ? node->literal.valuestring : NULL;

	return text && !text[strspn(text, " \t\r\n")];
}

/* The expression, if the template consists of one expression only; otherwise NULL. */
static const struct node *only_expression(const struct template *template, bool is_trimmed)
{
	const struct node *first = template->body->child, *next;

	if (template->is_expression)
		return template->body;
	if (is_trimmed && first && is_blank(first))
		first = first->next;
	next = first ? first->next : NULL;
	if (is_trimmed && next && is_blank(next))
		next = next->next;
	return first && !next && first->kind == NODE_OUTPUT ? first->child : NULL;
}

static int render_value(struct evaluation *evaluation, const struct node *node, cJSON **value)
{
	struct result result;
	int err = template_eval__node(evaluation, node, &result);

	return err ? err : result__take(evaluation, node, &result, value);
}

static int render_text(struct evaluation *evaluation, const struct node *body, cJSON **value)
{
	int err = run_body(evaluation, body);

	if (err) {
		strbuf__free(&evaluation->out);
		return err;
	}
	*value = value__from_text(strbuf__take(&evaluation->out));
	return *value ? 0 : evaluation__fail(evaluation, body, -ENOMEM, "out of memory");
}

static int render(const struct template *template, const struct scope *scope, bool is_trimmed,
		  cJSON **value, struct error *err)
{
	struct evaluation evaluation = {.scope = scope, .steps = TEMPLATE_STEPS, .err = err};
	const struct node *only = only_expression(template, is_trimmed);
	int code;

	*value = NULL;
	strbuf__init(&evaluation.out, TEMPLATE_OUTPUT_BYTES);
	if (only)
		code = render_value(&evaluation, only, value);
	else
		code = render_text(&evaluation, template->body, value);
	free_variables(&evaluation);
	return code;
}

int template__render(const struct template *template, const struct scope *scope, cJSON **value,
		     struct error *err)
{
	return render(template, scope, false, value, err);
}

int template__render_trimmed(const struct template *template, const struct scope *scope,
			     cJSON **value, struct error *err)
{
	return render(template, scope, true, value, err);
}
