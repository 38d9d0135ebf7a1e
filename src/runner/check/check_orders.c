// SPDX-License-Identifier: BSD-2-Clause
/*
 * Orders that are SQL text, with which a query fails whenever it runs:
 *
 *	order: [{sql: "CASE WHEN status = 'todo' THEN 1 ELSE 2 END"}, {field: created_at}]
 */
#include "runner/check/checker.h"
#include "runner/pack/step_type.h"
#include "runner/value/foreign_text.h"

static bool is_sql(const cJSON *entry)
{
	return cJSON_IsString(cJSON_GetObjectItemCaseSensitive(entry, "sql"));
}

static bool has_sql(const cJSON *order)
{
	const cJSON *entry;

	if (!cJSON_IsArray(order))
		return is_sql(order);
	cJSON_ArrayForEach (entry, order)
		if (is_sql(entry))
			return true;
	return false;
}

/* A list can be written as JSON text, but what a template makes of it is not known here. */
static bool order_has_sql(const struct param *order)
{
	const char *text = cJSON_GetStringValue(order->node);
	cJSON *parsed;
	bool found;

	if (!text)
		return has_sql(order->node);
	parsed = order->template ? NULL : foreign_json__whole(text);
	found = has_sql(parsed);
	cJSON_Delete(parsed);
	return found;
}

static void check_steps(struct checker *checker, const struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct pack_step *step = &steps->steps[i];
		const struct param *order = param__child(&step->params, "order");

		if (order && step->type && step_type__knows(step->type, "order") &&
		    order_has_sql(order))
			checker__report(checker, RULE_INVALID_VALUE, order->node,
					"step '%s': an order is a column and a direction: SQL "
					"text is refused",
					pack_step__name(step));
		check_steps(checker, &step->then_steps);
		check_steps(checker, &step->else_steps);
	}
}

void check_orders__run(struct checker *checker)
{
	check_steps(checker, &checker->pack->steps);
}
