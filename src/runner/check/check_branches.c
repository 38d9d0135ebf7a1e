// SPDX-License-Identifier: BSD-2-Clause
/*
 * Branches of conditions that can never run: the condition is always true or always false, or it is
 * that of a condition around it.
 *
 *	- id: outer
 *	  type: condition
 *	  condition: ctx.urgent
 *	  then:
 *	    - id: inner
 *	      type: condition
 *	      condition: ctx.urgent		true here
 *	      else: [...]			never runs
 */
#include <string.h>

#include "runner/check/checker.h"
#include "runner/pack/step_type.h"
#include "runner/template/template.h"
#include "runner/template/template_look.h"
#include "runner/value/value.h"

/* The conditions around a step, from the inside to the outside. */
struct enclosing {
	const struct enclosing *outer;
	const struct pack_step *step;
	const struct param *condition;   /* of `step`; NULL: it has none */
	const struct pack_steps *branch; /* that the step is in */
	bool truth;                      /* of the condition, while this branch runs */
};

static const struct param *condition_of(const struct pack_step *step)
{
	return param__child(&step->params, "condition");
}

static const cJSON *branch_node(const struct pack_step *step, const char *key)
{
	const cJSON *own = cJSON_GetObjectItemCaseSensitive(step->node, key);
	const cJSON *with = cJSON_GetObjectItemCaseSensitive(step->node, "with");

	return own ? own : cJSON_GetObjectItemCaseSensitive(with, key);
}

/* A branch that is no list was reported by the loader. */
static bool is_empty(const struct pack_step *step, const char *key)
{
	const cJSON *branch = branch_node(step, key);

	return !branch || cJSON_IsNull(branch) || (cJSON_IsArray(branch) && !branch->child);
}

/* Reports the branch that does not run if the condition has this truth. `other` is the step with
 * the same condition; NULL: the condition is a constant. */
static void report(struct checker *checker, const struct pack_step *step, bool truth,
		   const struct pack_step *other)
{
	const char *key = truth ? "else" : "then", *value = truth ? "true" : "false";
	const cJSON *node = branch_node(step, key);

	if (!(truth ? step->else_steps : step->then_steps).count)
		return;
	if (other)
		checker__report_key(checker, RULE_UNREACHABLE_BRANCH, node,
				    "'%s' of step '%s' never runs: the condition is that of step "
				    "'%s', which is %s here",
				    key, pack_step__name(step), pack_step__name(other), value);
	else
		checker__report_key(checker, RULE_UNREACHABLE_BRANCH, node,
				    "'%s' of step '%s' never runs: the condition is always %s", key,
				    pack_step__name(step), value);
}

/* ------------------------------------------------------------------ constant conditions */

static bool is_constant(const struct param *condition, bool *truth)
{
	const struct scope nothing = {.root = NULL};

	return param__is_constant(condition) && param__truth(condition, &nothing, truth, NULL) == 0;
}

/* ------------------------------------------------------------------ the same condition */

static bool is_same(const struct param *condition, const struct param *other)
{
	const char *text = cJSON_GetStringValue(condition->node);
	const char *other_text = cJSON_GetStringValue(other->node);
	size_t length, other_length;

	if (!text || !other_text)
		return false;
	text = value__trimmed(text, &length);
	other_text = value__trimmed(other_text, &other_length);
	return length == other_length && memcmp(text, other_text, length) == 0;
}

struct search {
	const struct pack_steps *branch;
	bool found;
};

static bool has_step(const struct pack_steps *steps, const char *id)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct pack_step *step = &steps->steps[i];

		if ((step->id && strcmp(step->id, id) == 0) || has_step(&step->then_steps, id) ||
		    has_step(&step->else_steps, id))
			return true;
	}
	return false;
}

static void look_for_step(void *data, const struct template_reference *reference)
{
	struct search *search = data;

	if (!reference->step || has_step(search->branch, reference->step))
		search->found = true;
}

/* Whether steps of the branch can change the value of the condition: only results change. */
static bool can_change(const struct param *condition, const struct pack_steps *branch)
{
	struct search search = {.branch = branch};

	param__each_reference(condition, look_for_step, &search);
	return search.found;
}

/* ------------------------------------------------------------------ all conditions */

static void check_condition(struct checker *checker, const struct pack_step *step,
			    const struct enclosing *enclosing)
{
	const struct param *condition = condition_of(step);
	bool truth;

	if (is_empty(step, "then") && is_empty(step, "else"))
		checker__report(checker, RULE_EMPTY_CONDITION, step->node,
				"the condition '%s' has neither steps in 'then' nor in 'else'",
				pack_step__name(step));
	if (!condition)
		return;
	if (is_constant(condition, &truth)) {
		report(checker, step, truth, NULL);
		return;
	}
	for (; enclosing; enclosing = enclosing->outer) {
		if (enclosing->condition && is_same(condition, enclosing->condition) &&
		    !can_change(condition, enclosing->branch)) {
			report(checker, step, enclosing->truth, enclosing->step);
			return;
		}
	}
}

static void check_steps(struct checker *checker, const struct pack_steps *steps,
			const struct enclosing *outer)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct pack_step *step = &steps->steps[i];
		bool is_condition = step->type && step->type->has_branches;
		struct enclosing enclosing = {
			.outer = outer,
			.step = step,
			.condition = is_condition ? condition_of(step) : NULL,
		};

		if (is_condition)
			check_condition(checker, step, outer);
		enclosing.branch = &step->then_steps;
		enclosing.truth = true;
		check_steps(checker, enclosing.branch, &enclosing);
		enclosing.branch = &step->else_steps;
		enclosing.truth = false;
		check_steps(checker, enclosing.branch, &enclosing);
	}
}

void check_branches__run(struct checker *checker)
{
	check_steps(checker, &checker->pack->steps, NULL);
}
