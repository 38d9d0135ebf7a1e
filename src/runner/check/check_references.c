// SPDX-License-Identifier: BSD-2-Clause
/*
 * Look-ups of results that are never there: steps.ID of a step that does not exist, or that has not
 * ended when the template is rendered.
 *
 * A result is there when its step has ended, also for the steps after the condition around it.
 * Which branch ran is not known here, so a step of either branch counts as one that has run. A
 * prompt can be used by any step, so that only its ids are checked.
 */
#include <stdio.h>
#include <string.h>

#include "runner/check/checker.h"
#include "runner/pack/step_type.h"
#include "runner/template/template_look.h"

struct names {
	const char *names[PACK_STEPS_MAX];
	size_t count;
};

struct references {
	struct checker *checker;
	struct names all, ended;
	const struct pack_step *step; /* that is being looked at; NULL: a prompt */
	const struct param *param;
};

static void add_name(struct names *names, const char *name)
{
	if (name && names->count < PACK_STEPS_MAX)
		names->names[names->count++] = name;
}

static bool has_name(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->names[i], name) == 0)
			return true;
	return false;
}

static void collect(struct names *all, const struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		add_name(all, steps->steps[i].id);
		collect(all, &steps->steps[i].then_steps);
		collect(all, &steps->steps[i].else_steps);
	}
}

static void check_reference(void *data, const struct template_reference *reference)
{
	struct references *references = data;
	char sentence[256];

	if (!reference->step || has_name(&references->ended, reference->step))
		return;
	if (!has_name(&references->all, reference->step))
		snprintf(sentence, sizeof(sentence), "there is no step '%s'", reference->step);
	else if (references->step)
		snprintf(sentence, sizeof(sentence),
			 "the result of step '%s' is not there yet: it has not ended",
			 reference->step);
	else
		return;
	checker__report_in(references->checker, RULE_UNKNOWN_STEP, references->step,
			   references->param->node, reference->line, reference->column, sentence);
}

static void check_template(void *data, const struct param *param)
{
	struct references *references = data;

	references->param = param;
	param__each_reference(param, check_reference, references);
}

/* What stands under a key that the type does not know is never rendered. */
static void check_params(struct references *references, const struct pack_step *step)
{
	references->step = step;
	for (size_t i = 0; i < step->params.child_count; i++) {
		const struct param *param = &step->params.children[i];

		if (!step->type || step_type__knows(step->type, param->node->string))
			param__each_template(param, check_template, references);
	}
}

static void check_steps(struct references *references, const struct pack_steps *steps)
{
	for (size_t i = 0; i < steps->count; i++) {
		const struct pack_step *step = &steps->steps[i];

		check_params(references, step);
		check_steps(references, &step->then_steps);
		check_steps(references, &step->else_steps);
		add_name(&references->ended, step->id);
	}
}

void check_references__run(struct checker *checker)
{
	const struct pack *pack = checker->pack;
	struct references references = {.checker = checker};

	/* With more steps, not all ids are known. */
	if (pack->step_count == 0 || pack->step_count >= PACK_STEPS_MAX)
		return;
	collect(&references.all, &pack->steps);
	check_steps(&references, &pack->steps);
	references.step = NULL;
	param__each_template(&pack->prompts.params, check_template, &references);
}
