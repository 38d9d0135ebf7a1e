// SPDX-License-Identifier: BSD-2-Clause
#include "runner/pack/step_type.h"

#include <stddef.h>
#include <string.h>

extern const struct step_type step_action, step_ai_generate, step_condition, step_context_merge,
	step_data_transform, step_database_update, step_fragment_create, step_fragment_query,
	step_fragment_update, step_job_dispatch, step_list_map, step_model_create,
	step_model_delete, step_model_query, step_model_update, step_notify, step_response_panel,
	step_search_query, step_string_format, step_text_parse, step_tool_call, step_transform,
	step_validate;

const struct step_type *const step_types[] = {
	&step_action,          &step_ai_generate,     &step_condition,       &step_context_merge,
	&step_data_transform,  &step_database_update, &step_fragment_create, &step_fragment_query,
	&step_fragment_update, &step_job_dispatch,    &step_list_map,        &step_model_create,
	&step_model_delete,    &step_model_query,     &step_model_update,    &step_notify,
	&step_response_panel,  &step_search_query,    &step_string_format,   &step_text_parse,
	&step_tool_call,       &step_transform,       &step_validate,
};

_Static_assert(sizeof(step_types) / sizeof(step_types[0]) == STEP_TYPE_COUNT,
	       "STEP_TYPE_COUNT must be the number of rows");

const struct step_type *step_type__find(const char *name)
{
	for (size_t i = 0; i < STEP_TYPE_COUNT; i++)
		if (strcmp(step_types[i]->name, name) == 0)
			return step_types[i];
	return NULL;
}
