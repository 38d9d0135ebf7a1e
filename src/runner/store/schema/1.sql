-- SPDX-License-Identifier: BSD-2-Clause
-- Version 1: all tables.

-- vaults, projects and types: the places that fragments are filed under

CREATE TABLE vaults (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	description TEXT,
	is_default BOOLEAN_INTEGER NOT NULL DEFAULT 0,
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	created_at TEXT,
	updated_at TEXT,
	deleted_at TEXT
);

CREATE TABLE projects (
	id INTEGER PRIMARY KEY,
	vault_id INTEGER REFERENCES vaults(id) ON DELETE CASCADE,
	name TEXT NOT NULL,
	description TEXT,
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	created_at TEXT,
	updated_at TEXT,
	deleted_at TEXT
);

CREATE TABLE types (
	id INTEGER PRIMARY KEY,
	slug TEXT NOT NULL UNIQUE,
	name TEXT,
	description TEXT,
	schema JSON_TEXT DEFAULT '{}' CHECK (json_valid(schema)),
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	created_at TEXT,
	updated_at TEXT
);

CREATE TABLE vault_routing_rules (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	match_type TEXT,
	match_value TEXT,
	conditions JSON_TEXT DEFAULT '{}' CHECK (json_valid(conditions)),
	target_vault_id INTEGER REFERENCES vaults(id) ON DELETE CASCADE,
	target_project_id INTEGER REFERENCES projects(id) ON DELETE SET NULL,
	scope_vault_id INTEGER REFERENCES vaults(id) ON DELETE CASCADE,
	priority INTEGER NOT NULL DEFAULT 100,
	is_active BOOLEAN_INTEGER NOT NULL DEFAULT 1,
	notes TEXT,
	created_at TEXT,
	updated_at TEXT
);

-- fragments and the tables that refer to them; AUTOINCREMENT: an id is never used twice

CREATE TABLE fragments (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	type TEXT NOT NULL DEFAULT 'log',
	title TEXT,
	message TEXT,
	tags JSON_TEXT DEFAULT '[]' CHECK (json_valid(tags)),
	state JSON_TEXT DEFAULT '{}' CHECK (json_valid(state)),
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	source TEXT,
	vault TEXT,
	project_id INTEGER REFERENCES projects(id) ON DELETE SET NULL,
	importance INTEGER,
	pinned BOOLEAN_INTEGER NOT NULL DEFAULT 0,
	created_at TEXT,
	updated_at TEXT,
	deleted_at TEXT
);
CREATE INDEX fragments_by_type ON fragments(type, created_at);

CREATE TABLE bookmarks (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL,
	fragment_ids JSON_TEXT DEFAULT '[]' CHECK (json_valid(fragment_ids)),
	vault_id INTEGER REFERENCES vaults(id) ON DELETE SET NULL,
	project_id INTEGER REFERENCES projects(id) ON DELETE SET NULL,
	created_at TEXT,
	updated_at TEXT
);

CREATE TABLE chat_sessions (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	short_code TEXT UNIQUE,
	title TEXT,
	custom_name TEXT,
	vault_id INTEGER REFERENCES vaults(id) ON DELETE SET NULL,
	project_id INTEGER REFERENCES projects(id) ON DELETE SET NULL,
	messages JSON_TEXT DEFAULT '[]' CHECK (json_valid(messages)),
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	message_count INTEGER NOT NULL DEFAULT 0,
	is_active BOOLEAN_INTEGER NOT NULL DEFAULT 1,
	last_activity_at TEXT,
	created_at TEXT,
	updated_at TEXT,
	deleted_at TEXT
);

CREATE TRIGGER chat_sessions_short_code
	AFTER INSERT ON chat_sessions
	WHEN new.short_code IS NULL
BEGIN
	UPDATE chat_sessions SET short_code = 'c' || new.id WHERE id = new.id;
END;

-- work items, the agents they are assigned to, and sprints

CREATE TABLE agent_profiles (
	id INTEGER PRIMARY KEY,
	slug TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	type TEXT,
	mode TEXT,
	status TEXT NOT NULL DEFAULT 'active',
	description TEXT,
	capabilities JSON_TEXT DEFAULT '[]' CHECK (json_valid(capabilities)),
	constraints JSON_TEXT DEFAULT '[]' CHECK (json_valid(constraints)),
	tools JSON_TEXT DEFAULT '[]' CHECK (json_valid(tools)),
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	created_at TEXT,
	updated_at TEXT,
	deleted_at TEXT
);

CREATE TABLE work_items (
	id INTEGER PRIMARY KEY,
	type TEXT NOT NULL DEFAULT 'task',
	parent_id INTEGER REFERENCES work_items(id) ON DELETE SET NULL,
	project_id INTEGER REFERENCES projects(id) ON DELETE SET NULL,
	title TEXT,
	status TEXT NOT NULL DEFAULT 'backlog',
	priority TEXT,
	assignee_type TEXT,
	assignee_id INTEGER,
	delegation_status TEXT,
	delegation_context JSON_TEXT DEFAULT '{}' CHECK (json_valid(delegation_context)),
	delegation_history JSON_TEXT DEFAULT '[]' CHECK (json_valid(delegation_history)),
	tags JSON_TEXT DEFAULT '[]' CHECK (json_valid(tags)),
	state JSON_TEXT DEFAULT '{}' CHECK (json_valid(state)),
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	estimated_hours REAL,
	actual_hours REAL,
	agent_content TEXT,
	plan_content TEXT,
	context_content TEXT,
	todo_content TEXT,
	summary_content TEXT,
	completed_at TEXT,
	created_at TEXT,
	updated_at TEXT,
	deleted_at TEXT
);
CREATE INDEX work_items_by_status ON work_items(status, created_at);

CREATE TABLE task_assignments (
	id INTEGER PRIMARY KEY,
	work_item_id INTEGER NOT NULL REFERENCES work_items(id) ON DELETE CASCADE,
	agent_id INTEGER REFERENCES agent_profiles(id) ON DELETE SET NULL,
	status TEXT NOT NULL DEFAULT 'assigned',
	assigned_at TEXT,
	started_at TEXT,
	completed_at TEXT,
	notes TEXT,
	context JSON_TEXT DEFAULT '{}' CHECK (json_valid(context)),
	created_at TEXT,
	updated_at TEXT
);

CREATE TABLE sprints (
	id INTEGER PRIMARY KEY,
	code TEXT NOT NULL UNIQUE,
	title TEXT,
	status TEXT NOT NULL DEFAULT 'planned',
	starts_on TEXT,
	ends_on TEXT,
	metadata JSON_TEXT DEFAULT '{}' CHECK (json_valid(metadata)),
	created_at TEXT,
	updated_at TEXT,
	deleted_at TEXT
);

CREATE TABLE sprint_items (
	id INTEGER PRIMARY KEY,
	sprint_id INTEGER NOT NULL REFERENCES sprints(id) ON DELETE CASCADE,
	work_item_id INTEGER NOT NULL REFERENCES work_items(id) ON DELETE CASCADE,
	position INTEGER NOT NULL DEFAULT 0,
	created_at TEXT,
	updated_at TEXT,
	UNIQUE (sprint_id, work_item_id)
);

-- the runner's own tables

CREATE TABLE schedules (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	command_slug TEXT NOT NULL,
	payload JSON_TEXT DEFAULT '{}' CHECK (json_valid(payload)),
	status TEXT NOT NULL DEFAULT 'active'
		CHECK (status IN ('active', 'paused', 'completed', 'failed')),
	recurrence TEXT NOT NULL,
	timezone TEXT NOT NULL DEFAULT 'UTC',
	next_run_at TEXT,
	last_run_at TEXT,
	run_count INTEGER NOT NULL DEFAULT 0,
	max_runs INTEGER,
	created_at TEXT,
	updated_at TEXT
);
CREATE INDEX schedules_due ON schedules(status, next_run_at);

CREATE TABLE schedule_runs (
	id INTEGER PRIMARY KEY,
	schedule_id INTEGER NOT NULL REFERENCES schedules(id) ON DELETE CASCADE,
	planned_run_at TEXT NOT NULL,
	status TEXT NOT NULL DEFAULT 'queued',
	started_at TEXT,
	completed_at TEXT,
	correlation_id TEXT,
	error_category TEXT,
	created_at TEXT,
	updated_at TEXT,
	UNIQUE (schedule_id, planned_run_at)
);

CREATE TABLE command_registry (
	id INTEGER PRIMARY KEY,
	slug TEXT NOT NULL UNIQUE,
	name TEXT,
	version TEXT,
	directory TEXT,
	triggers JSON_TEXT DEFAULT '[]' CHECK (json_valid(triggers)),
	created_at TEXT,
	updated_at TEXT
);

CREATE TABLE tool_invocations (
	id INTEGER PRIMARY KEY,
	invocation_id TEXT,
	tool_slug TEXT NOT NULL,
	command_slug TEXT,
	execution_id TEXT,
	user_id TEXT,
	status TEXT,
	exit_status INTEGER,
	duration_ms REAL,
	created_at TEXT,
	updated_at TEXT
);

CREATE TABLE ai_cache (
	id INTEGER PRIMARY KEY,
	key_hash TEXT NOT NULL UNIQUE,
	key_text TEXT NOT NULL,
	answer TEXT NOT NULL,
	prompt_tokens INTEGER NOT NULL DEFAULT 0,
	completion_tokens INTEGER NOT NULL DEFAULT 0,
	expires_at INTEGER NOT NULL,
	created_at TEXT,
	updated_at TEXT
);
CREATE INDEX ai_cache_by_age ON ai_cache(expires_at);

CREATE TABLE jobs (
	id INTEGER PRIMARY KEY,
	queue TEXT NOT NULL DEFAULT 'default',
	command_slug TEXT NOT NULL,
	payload JSON_TEXT DEFAULT '{}' CHECK (json_valid(payload)),
	status TEXT NOT NULL DEFAULT 'queued',
	attempts INTEGER NOT NULL DEFAULT 0,
	available_at TEXT,
	claimed_at TEXT,
	finished_at TEXT,
	correlation_id TEXT,
	parent_execution_id TEXT,
	created_at TEXT,
	updated_at TEXT
);
CREATE INDEX jobs_due ON jobs(status, available_at);
