// SPDX-License-Identifier: BSD-2-Clause
/* Applies an operator to two values. value.h defines which values are equal or numbers. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "runner/template/template_eval.h"
#include "runner/value/integer.h"
#include "runner/value/value.h"

/* ------------------------------------------------------------------ numbers */

/* null and "" count as 0, so that a path that does not exist is not an error; true counts as 1. The
 * other values are as they are. */
static const cJSON *counted(const cJSON *value, struct integer_value *room)
{
	if (cJSON_IsTrue(value))
		return integer__fill(room, 1);
	if (cJSON_IsNull(value) || cJSON_IsFalse(value) ||
	    (cJSON_IsString(value) && !*value->valuestring))
		return integer__fill(room, 0);
	return value;
}

/* `value` is counted. */
static int need_number(const struct evaluation *evaluation, const struct node *node,
		       const cJSON *value, double *number)
{
	if (value__number(value, number))
		return 0;
	if (cJSON_IsString(value))
		return evaluation__fail(evaluation, node, -EINVAL,
					"cannot calculate with '%.40s': it is not a number",
					value->valuestring);
	return evaluation__fail(evaluation, node, -EINVAL, "cannot calculate with a list or map");
}

/* Zero has no sign. */
static int give_number(struct evaluation *evaluation, const struct node *node, double number,
		       struct result *result)
{
	if (!isfinite(number))
		return evaluation__fail(evaluation, node, -EINVAL, "the number is too large");
	return result__own(evaluation, node, result, cJSON_CreateNumber(number == 0 ? 0 : number));
}

/* Two whole numbers have a whole result, but for a division with a remainder: then, and where one
 * of them is no whole number, *is_done is false. */
static int calculate_whole(struct evaluation *evaluation, const struct node *node,
			   const cJSON *left, const cJSON *right, bool *is_done,
			   struct result *result)
{
	int64_t a, b, whole = 0;
	bool is_too_large = false;

	*is_done = false;
	if (!integer__of_any(left, &a) || !integer__of_any(right, &b))
		return 0;
	switch (node->op) {
	case OP_ADD: is_too_large = __builtin_add_overflow(a, b, &whole); break;
	case OP_SUBTRACT: is_too_large = __builtin_sub_overflow(a, b, &whole); break;
	case OP_MULTIPLY: is_too_large = __builtin_mul_overflow(a, b, &whole); break;
	default:
		if (b == 0 || (b != -1 && a % b != 0))
			return 0;
		if (b == -1)
			is_too_large = __builtin_sub_overflow(0, a, &whole);
		else
			whole = a / b;
	}
	*is_done = true;
	if (is_too_large)
		return evaluation__fail(evaluation, node, -EINVAL,
					"the number is too large: it has more than 64 bits");
	return result__own(evaluation, node, result, integer__new(whole));
}

static int calculate(struct evaluation *evaluation, const struct node *node, const cJSON *left,
		     const cJSON *right, struct result *result)
{
	struct integer_value left_room, right_room;
	double a, b;
	bool is_done;
	int err;

	left = counted(left, &left_room);
	right = counted(right, &right_room);
	err = calculate_whole(evaluation, node, left, right, &is_done, result);
	if (err || is_done)
		return err;
	err = need_number(evaluation, node, left, &a);
	if (!err)
		err = need_number(evaluation, node, right, &b);
	if (err)
		return err;
	if (node->op == OP_SUBTRACT)
		return give_number(evaluation, node, a - b, result);
	if (node->op == OP_MULTIPLY)
		return give_number(evaluation, node, a * b, result);
	if (b == 0)
		return evaluation__fail(evaluation, node, -EINVAL, "division by zero");
	return give_number(evaluation, node, a / b, result);
}

int template_eval__negate(struct evaluation *evaluation, const struct node *node,
			  struct result *result)
{
	struct integer_value room;
	struct result operand;
	int64_t whole;
	double number;
	int err = template_eval__node(evaluation, node->child, &operand);

	if (err)
		return err;
	if (integer__of_any(operand.value, &whole) && whole == INT64_MIN) {
		result__free(&operand);
		return evaluation__fail(evaluation, node, -EINVAL,
					"the number is too large: it has more than 64 bits");
	}
	if (integer__of_any(operand.value, &whole) && whole != 0) {
		result__free(&operand);
		return result__own(evaluation, node, result, integer__new(-whole));
	}
	err = need_number(evaluation, node, counted(operand.value, &room), &number);
	result__free(&operand);
	return err ? err : give_number(evaluation, node, -number, result);
}

/* ------------------------------------------------------------------ '+' */

static int join_texts(struct evaluation *evaluation, const struct node *node, const cJSON *left,
		      const cJSON *right, struct result *result)
{
	struct strbuf text;

	strbuf__init(&text, TEMPLATE_OUTPUT_BYTES);
	value__write_text(left, &text);
	if (value__write_text(right, &text) == -E2BIG) {
		strbuf__free(&text);
		return evaluation__fail(evaluation, node, -E2BIG,
					"the text is longer than %d bytes", TEMPLATE_OUTPUT_BYTES);
	}
	return result__own(evaluation, node, result, value__from_text(strbuf__take(&text)));
}

static int join_lists(struct evaluation *evaluation, const struct node *node, struct result *left,
		      const cJSON *right, struct result *result)
{
	bool is_longer = left->owned != NULL;
	cJSON *list, *item;
	int err = result__take(evaluation, node, left, &list);

	if (!err && is_longer)
		err = evaluation__charge(evaluation, node, value__weight(right) / 4);
	if (err)
		return err;
	cJSON_ArrayForEach (item, right) {
		cJSON *copy = value__copy(item);

		if (!copy) {
			cJSON_Delete(list);
			return evaluation__fail(evaluation, node, -ENOMEM, "out of memory");
		}
		cJSON_AddItemToArray(list, copy);
	}
	if (!is_longer)
		return result__own(evaluation, node, result, list);
	*result = (struct result){.value = list, .owned = list};
	return 0;
}

/* Two numbers, or a number and a numeric text, are added. */
static int add(struct evaluation *evaluation, const struct node *node, struct result *left,
	       const cJSON *right, struct result *result)
{
	bool has_number = cJSON_IsNumber(left->value) || cJSON_IsNumber(right);
	bool is_done = false;
	double a, b;
	int err = has_number
			  ? calculate_whole(evaluation, node, left->value, right, &is_done, result)
			  : 0;

	if (err || is_done)
		return err;
	if (has_number && !cJSON_IsBool(left->value) && !cJSON_IsBool(right) &&
	    value__number(left->value, &a) && value__number(right, &b))
		return give_number(evaluation, node, a + b, result);
	if (cJSON_IsArray(left->value) && cJSON_IsArray(right))
		return join_lists(evaluation, node, left, right, result);
	return join_texts(evaluation, node, left->value, right, result);
}

/* ------------------------------------------------------------------ comparing */

static bool compare(enum operator op, const cJSON *left, const cJSON *right)
{
	switch (op) {
	case OP_EQUAL: return value__equal(left, right);
	case OP_DIFFERENT: return !value__equal(left, right);
	case OP_BELOW: return value__compare(left, right) < 0;
	case OP_ABOVE: return value__compare(left, right) > 0;
	case OP_AT_MOST: return value__compare(left, right) <= 0;
	case OP_AT_LEAST: return value__compare(left, right) >= 0;
	case OP_IN: return value__contains(right, left);
	default: return !value__contains(right, left);
	}
}

static int compare_values(struct evaluation *evaluation, const struct node *node, const cJSON *left,
			  const cJSON *right, struct result *result)
{
	size_t weight = value__weight(left) + value__weight(right);
	int err = evaluation__charge(evaluation, node, weight / 4);

	if (!err)
		result__set_bool(result, compare(node->op, left, right));
	return err;
}

int template_eval__operate(struct evaluation *evaluation, const struct node *right_node,
			   struct result *left, struct result *right, struct result *result)
{
	struct result answer;
	int err;

	if (right_node->op == OP_ADD)
		err = add(evaluation, right_node, left, right->value, &answer);
	else if (right_node->op <= OP_DIVIDE)
		err = calculate(evaluation, right_node, left->value, right->value, &answer);
	else
		err = compare_values(evaluation, right_node, left->value, right->value, &answer);
	result__free(left);
	result__free(right);
	if (!err)
		*result = answer;
	return err;
}
