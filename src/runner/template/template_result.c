// SPDX-License-Identifier: BSD-2-Clause
/* Results of expressions, and their cost in evaluation steps. */
#include "runner/template/template_eval.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "runner/value/value.h"

static const cJSON null_value = {.type = cJSON_NULL};
static const cJSON true_value = {.type = cJSON_True};
static const cJSON false_value = {.type = cJSON_False};

/* ------------------------------------------------------------------ errors and costs */

int evaluation__fail(const struct evaluation *evaluation, const struct node *node, int code,
		     const char *format, ...)
{
	char text[ERROR_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return error__set(evaluation->err, code, "line %d, column %d: %s", node->line, node->column,
			  text);
}

/* Some of them take a microsecond. */
enum { STEPS_BETWEEN_CHECKS = 4096 };

int evaluation__charge(struct evaluation *evaluation, const struct node *node, size_t steps)
{
	bool crosses;

	if (steps > evaluation->steps) {
		evaluation->steps = 0;
		return evaluation__fail(evaluation, node, -E2BIG,
					"the template takes more than %d steps", TEMPLATE_STEPS);
	}
	crosses = evaluation->steps / STEPS_BETWEEN_CHECKS !=
		  (evaluation->steps - steps) / STEPS_BETWEEN_CHECKS;
	evaluation->steps -= steps;
	return crosses ? deadline__check(evaluation->scope->deadline, evaluation->err) : 0;
}

static int charge_value(struct evaluation *evaluation, const struct node *node, const cJSON *value)
{
	size_t weight = value__weight(value);

	if (!weight)
		return evaluation__fail(evaluation, node, -E2BIG,
					"a value is nested deeper than %d", VALUE_DEPTH_LIMIT);
	return evaluation__charge(evaluation, node, weight / 4);
}

/* ------------------------------------------------------------------ results */

void result__free(struct result *result)
{
	cJSON_Delete(result->owned);
	*result = (struct result){.value = &null_value};
}

void result__borrow(struct result *result, const cJSON *value)
{
	*result = (struct result){.value = value ? value : &null_value, .is_lasting = true};
}

void result__set_bool(struct result *result, bool truth)
{
	result__borrow(result, truth ? &true_value : &false_value);
}

int result__own(struct evaluation *evaluation, const struct node *node, struct result *result,
		cJSON *value)
{
	int err;

	*result = (struct result){.value = value, .owned = value};
	if (!value)
		return evaluation__fail(evaluation, node, -ENOMEM, "out of memory");
	err = charge_value(evaluation, node, value);
	if (err)
		result__free(result);
	return err;
}

int result__take(struct evaluation *evaluation, const struct node *node, struct result *result,
		 cJSON **value)
{
	int err = 0;

	*value = result->owned;
	result->owned = NULL;
	if (*value)
		return 0;
	err = charge_value(evaluation, node, result->value);
	if (err)
		return err;
	*value = result->value ? cJSON_Duplicate(result->value, 1) : cJSON_CreateNull();
	return *value ? 0 : evaluation__fail(evaluation, node, -ENOMEM, "out of memory");
}
