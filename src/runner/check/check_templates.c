// SPDX-License-Identifier: BSD-2-Clause
/* Templates and bare expressions that cannot be parsed. */
#include "runner/check/checker.h"
#include "runner/template/template_look.h"

/* The template that is being looked at. */
struct place {
	struct checker *checker;
	const struct pack_step *step; /* NULL: a prompt */
	const struct param *param;
};

static void report(void *data, const struct template_problem *problem)
{
	const struct place *place = data;
	enum pack_rule rule =
		problem->is_unknown_filter ? RULE_UNKNOWN_FILTER : RULE_INVALID_TEMPLATE;

	checker__report_in(place->checker, rule, place->step, place->param->node, problem->line,
			   problem->column, problem->sentence);
}

static void check_template(void *data, const struct param *param)
{
	struct place *place = data;

	place->param = param;
	if (param->broken && param__diagnose(param, report, place))
		place->checker->entry->problems.lacks_memory = true;
}

static void check_steps(struct checker *checker, const struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct pack_step *step = &steps->steps[i];
		struct place place = {.checker = checker, .step = step};

		param__each_template(&step->params, check_template, &place);
		check_steps(checker, &step->then_steps);
		check_steps(checker, &step->else_steps);
	}
}

void check_templates__run(struct checker *checker)
{
	struct place place = {.checker = checker};

	check_steps(checker, &checker->pack->steps);
	param__each_template(&checker->pack->prompts.params, check_template, &place);
}
