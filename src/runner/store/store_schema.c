// SPDX-License-Identifier: BSD-2-Clause
#include "runner/store/store_schema.h"

const struct store_model store_models[] = {
	{"fragments", "fragment"},
	{"types", "type"},
	{"chat_sessions", "chat_session"},
	{"bookmarks", "bookmark"},
	{"vaults", "vault"},
	{"projects", "project"},
	{"vault_routing_rules", "vault_routing_rule"},
	{"agent_profiles", "agent_profile"},
	{"work_items", "work_item"},
	{"task_assignments", "task_assignment"},
	{"sprints", "sprint"},
	{"sprint_items", "sprint_item"},
	{"schedules", "schedule"},
	{"schedule_runs", "schedule_run"},
	{"command_registry", "registered_command"},
	{"tool_invocations", "tool_invocation"},
	{"ai_cache", "ai_cache_entry"},
	{"jobs", "job"},
};
const size_t store_model_count = sizeof(store_models) / sizeof(store_models[0]);
