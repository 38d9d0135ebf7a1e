// SPDX-License-Identifier: BSD-2-Clause
#include "runner/store/store_relations.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static const struct store_relation relations[] = {
	{"agent_profiles", "assignments", "task_assignments", "id", "agent_id", true},
	{"bookmarks", "project", "projects", "project_id", "id", false},
	{"bookmarks", "vault", "vaults", "vault_id", "id", false},
	{"chat_sessions", "project", "projects", "project_id", "id", false},
	{"chat_sessions", "vault", "vaults", "vault_id", "id", false},
	{"fragments", "project", "projects", "project_id", "id", false},
	{"fragments", "type", "types", "type", "slug", false},
	{"projects", "vault", "vaults", "vault_id", "id", false},
	{"schedule_runs", "schedule", "schedules", "schedule_id", "id", false},
	{"schedules", "runs", "schedule_runs", "id", "schedule_id", true},
	{"sprint_items", "sprint", "sprints", "sprint_id", "id", false},
	{"sprint_items", "work_item", "work_items", "work_item_id", "id", false},
	{"sprints", "items", "sprint_items", "id", "sprint_id", true},
	{"task_assignments", "agent", "agent_profiles", "agent_id", "id", false},
	{"task_assignments", "work_item", "work_items", "work_item_id", "id", false},
	{"vault_routing_rules", "target_project", "projects", "target_project_id", "id", false},
	{"vault_routing_rules", "target_vault", "vaults", "target_vault_id", "id", false},
	{"vaults", "projects", "projects", "id", "vault_id", true},
	{"work_items", "assigned_agent", "agent_profiles", "assignee_id", "id", false},
	{"work_items", "assignments", "task_assignments", "id", "work_item_id", true},
	{"work_items", "parent", "work_items", "parent_id", "id", false},
	{"work_items", "project", "projects", "project_id", "id", false},
	{"work_items", "sprint_items", "sprint_items", "id", "work_item_id", true},
};

/* assignedAgent is assigned_agent. */
static bool is_name(const char *name, const char *given)
{
	for (; *name && *given; name++, given++) {
		if (*name == '_' && isupper((unsigned char)*given))
			name++;
		if (*name != tolower((unsigned char)*given))
			return false;
	}
	return !*name && !*given;
}

const struct store_relation *store_relation__find(const char *table, const char *name)
{
	for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++)
		if (strcmp(relations[i].from, table) == 0 && is_name(relations[i].name, name))
			return &relations[i];
	return NULL;
}
