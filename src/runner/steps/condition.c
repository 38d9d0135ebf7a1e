// SPDX-License-Identifier: BSD-2-Clause
/* condition: runs the steps of `then` or `else`. If one of them fails, this step fails too. */
#include <errno.h>

#include "runner/pack/step_type.h"
#include "runner/run/execution.h"
#include "runner/run/step_run.h"
#include "runner/template/template.h"

static int answer(struct step_run *run, bool truth, const struct pack_steps *branch)
{
	const char *name = truth ? "then" : "else";

	run->output = cJSON_CreateObject();
	if (run->output && cJSON_AddBoolToObject(run->output, "condition_result", truth) &&
	    (branch->count ? cJSON_AddStringToObject(run->output, "executed_branch", name)
			   : cJSON_AddNullToObject(run->output, "executed_branch")))
		return 0;
	return error__set(run->err, -ENOMEM, "out of memory");
}

static int run(struct step_run *run)
{
	const struct param *condition = param__child(&run->step->params, "condition");
	const struct scope scope = step_run__scope(run, NULL, 0);
	const struct pack_steps *branch;
	bool truth;
	int err;

	if (!condition)
		return error__set(run->err, -EINVAL, "'condition' is missing");
	err = param__truth(condition, &scope, &truth, run->err);
	if (err)
		return error__prefix(run->err, err, "condition");
	branch = truth ? &run->step->then_steps : &run->step->else_steps;
	err = execution__run_steps(run->execution, branch, run->span);
	return err ? err : answer(run, truth, branch);
}

static const char *const keys[] = {"condition", NULL};

const struct step_type step_condition = {
	.name = "condition",
	.event_name = "ConditionStep",
	.keys = keys,
	.has_branches = true,
	.expression_key = "condition",
	.run = run,
};
