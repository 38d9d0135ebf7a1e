# SPDX-License-Identifier: BSD-2-Clause
"""A database of steprun in which every table has rows, all with fixed ids and times.

steprun makes the file and its schema; the rows are written here. The times lie before NOW, the
time that tests give to steprun with --now.

    runner_fixture.make("/tmp/x/full.db")           all rows
    runner_fixture.make("/tmp/x/empty.db", rows=())  the schema only
"""
import json
import sqlite3
import subprocess

from harness import PACKS, PATIENCE_S, STEPRUN

NOW = "2026-03-01T08:30:00Z"
# The same in every run, so that results can be compared byte for byte.
FIXED = ["--now", NOW, "--seed", "7"]


def at(day, hour=9, minute=0):
    """A time in February 2026, as steprun writes it."""
    return "2026-02-%02dT%02d:%02d:00.000000Z" % (day, hour, minute)


def stamped(rows, day=1):
    """The rows with created_at and updated_at, each an hour later than the one before, but for
    those that have times of their own."""
    for index, row in enumerate(rows):
        row.setdefault("created_at", at(day + index // 12, 8 + index % 12))
        row.setdefault("updated_at", row["created_at"])
    return rows


VAULTS = stamped([
    {"id": 1, "name": "home", "description": "What the household needs", "is_default": 1},
    {"id": 2, "name": "work", "description": None, "metadata": {"color": "blue"}},
    {"id": 3, "name": "attic", "deleted_at": at(20)},
])

PROJECTS = stamped([
    {"id": 1, "vault_id": 1, "name": "Garden"},
    {"id": 2, "vault_id": 2, "name": "Printing press", "description": "Repair of the press"},
    {"id": 3, "vault_id": 2, "name": "Old stock", "deleted_at": at(21)},
])

TYPES = stamped([
    {"id": number + 1, "slug": slug, "name": slug.capitalize(), "description": "One %s" % slug,
     "schema": {"title": "string"}}
    for number, slug in enumerate(["note", "todo", "log", "link", "document", "summary"])
])

ROUTING_RULES = stamped([
    {"id": 1, "name": "Invoices", "match_type": "keyword", "match_value": "invoice",
     "target_vault_id": 2, "target_project_id": 2, "priority": 20},
    {"id": 2, "name": "Plants", "match_type": "tag", "match_value": "garden",
     "target_vault_id": 1, "target_project_id": 1, "scope_vault_id": 1, "priority": 10,
     "conditions": {"season": "spring"}},
    {"id": 3, "name": "Links", "match_type": "regex", "match_value": "^https?://",
     "target_vault_id": 1, "priority": 30, "is_active": 0, "notes": "Off since winter"},
])

# Type, title, message, tags and state; what is not there is the column's default.
FRAGMENT_TEXTS = [
    ("note", "Compost", "Turn the compost heap every second week", ["garden"], {}),
    ("todo", "Buy seeds", "Buy seeds for the north bed #garden", ["garden", "todo"],
     {"status": "open", "priority": "high", "due_at": "2026-03-05"}),
    ("log", None, "The press ran for six hours without a jam", [], {}),
    ("link", "Type foundry", "https://foundry.example/catalogue?page=2", ["link"], {}),
    ("document", "Manual of the press", "Chapter one: rollers, ink and paper", ["press"],
     {"type": "note"}),
    ("todo", "Oil the rollers", "Oil the rollers before the spring fair", ["press", "todo"],
     {"status": "closed", "priority": "low"}),
    ("note", "Größe der Bögen", "Die Bögen sind größer als der Kasten – messen!", ["größe"], {}),
    ("todo", "Call the printer", "call the printer about the \"blue\" ink", ["todo"],
     {"status": "open", "priority": "medium"}),
    ("log", None, "Ordered two reams; 100% cotton_paper \\ heavy", [], {"amount": 2}),
]
FRAGMENTS = stamped([
    {"id": number + 1, "type": kind, "title": title and "%s %d" % (title, number + 1),
     "message": message, "tags": tags, "state": state,
     "metadata": {"origin": "fixture", "turn": number // len(FRAGMENT_TEXTS)},
     "source": ["chat", "web", None][number % 3], "vault": ["home", "work"][number % 2],
     "project_id": [1, 2, None, None][number % 4], "importance": [None, 1, 5][number % 3],
     "pinned": int(number % 10 == 0)}
    for number, (kind, title, message, tags, state) in enumerate(4 * FRAGMENT_TEXTS)
])
FRAGMENTS[12]["deleted_at"] = at(22)

BOOKMARKS = stamped([
    {"id": 1, "name": "press-papers", "fragment_ids": [5, 9, 13], "vault_id": 2, "project_id": 2},
    {"id": 2, "name": "seeds", "fragment_ids": [2], "vault_id": 1},
    {"id": 3, "name": "press-logs", "fragment_ids": [3, 12], "vault_id": 2},
    {"id": 4, "name": "nothing-in-it", "fragment_ids": []},
], 10)

CHAT_SESSIONS = stamped([
    {"id": 1, "short_code": "c1", "title": "Planting plan", "vault_id": 1, "project_id": 1,
     "message_count": 2, "last_activity_at": at(27, 18),
     "messages": [{"role": "user", "text": "When?"}, {"role": "agent", "text": "In April."}]},
    {"id": 2, "short_code": "c2", "custom_name": "Ink & paper", "vault_id": 1,
     "last_activity_at": at(28, 7, 30)},
    {"id": 3, "short_code": "c3", "vault_id": 1, "is_active": 0, "last_activity_at": at(3)},
    {"id": 4, "short_code": "c4", "title": "Only one here", "vault_id": 2},
    {"id": 5, "short_code": "c5", "title": "Thrown away", "vault_id": 1, "deleted_at": at(11)},
])

AGENTS = stamped([
    {"id": 1, "slug": "setter", "name": "Type setter", "type": "worker", "mode": "auto",
     "description": "Sets lines of type", "capabilities": ["type", "proof"],
     "constraints": ["no colour"], "tools": ["stick"]},
    {"id": 2, "slug": "binder", "name": "Binder", "type": "worker", "mode": "manual",
     "status": "inactive"},
    {"id": 3, "slug": "archivist", "name": "Archivist", "type": "keeper", "mode": "auto"},
])


def work_item(number, code, name, status, sprint, **more):
    metadata = {"task_code": code, "task_name": name, "sprint_code": sprint}
    return {"id": number, "title": name, "status": status, **more,
            "metadata": {key: value for key, value in metadata.items() if value is not None}
            | more.get("metadata", {})}


WORK_ITEMS = stamped([
    work_item(1, "TASK-001", "Draw the layout", "done", "SPRINT-06", priority="low",
              delegation_status="completed", completed_at=at(10), actual_hours=3.5),
    work_item(2, "TASK-002", "Set the title page", "todo", "SPRINT-07", priority="high",
              assignee_type="agent", assignee_id=1, delegation_status="assigned",
              delegation_context={"reason": "busy press"}, estimated_hours=6,
              delegation_history=[{"at": at(12), "to": "setter"}], tags=["press"],
              plan_content="First the frame, then the title", todo_content="- [ ] frame",
              metadata={"estimate_text": "6 hours", "description": "In two colours",
                        "todo_progress": [1, 4], "agent_recommendation": "setter"}),
    work_item(3, "BUG-004", "Fix the paper feed", "in_progress", "SPRINT-07", priority="medium",
              assignee_type="agent", assignee_id=2, delegation_status="working"),
    work_item(4, "FEAT-010", "Second ink roller", "backlog", "SPRINT-07", assignee_type="user",
              assignee_id=1, agent_content="", summary_content="A roller more"),
    work_item(5, "TASK-012", "No sprint yet", "backlog", None),
    work_item(6, None, None, "todo", "SPRINT-08", parent_id=4, project_id=2),
    work_item(7, "TASK-099", "Thrown away", "todo", "SPRINT-07", deleted_at=at(15)),
    work_item(8, "TASK-MISC", "A code without a number", "review", "EXTRA", project_id=1),
], 5)

ASSIGNMENTS = stamped([
    {"id": 1, "work_item_id": 1, "agent_id": 3, "status": "completed", "assigned_at": at(6),
     "started_at": at(7), "completed_at": at(10), "notes": "Done by hand"},
    {"id": 2, "work_item_id": 2, "agent_id": 2, "status": "cancelled", "assigned_at": at(11)},
    {"id": 3, "work_item_id": 2, "agent_id": 1, "status": "started", "assigned_at": at(12),
     "started_at": at(13), "context": {"page": 1}},
    {"id": 4, "work_item_id": 2, "agent_id": 3, "status": "completed", "assigned_at": at(14),
     "completed_at": at(16)},
    {"id": 5, "work_item_id": 3, "agent_id": None, "status": "assigned", "assigned_at": at(15)},
], 6)

SPRINTS = stamped([
    {"id": 1, "code": "SPRINT-06", "title": "Layout", "status": "completed",
     "starts_on": "2026-02-02", "ends_on": "2026-02-13"},
    {"id": 2, "code": "SPRINT-07", "title": "Press", "status": "active",
     "starts_on": "2026-02-16", "ends_on": "2026-03-06", "metadata": {"goal": "print"}},
    {"id": 3, "code": "SPRINT-08", "title": None, "starts_on": None, "ends_on": None},
])

SPRINT_ITEMS = stamped([
    {"id": number + 1, "sprint_id": sprint, "work_item_id": item, "position": position}
    for number, (sprint, item, position) in enumerate(
        [(1, 1, 1), (2, 2, 1), (2, 3, 2), (2, 4, 3), (3, 6, 1)])
])

SCHEDULES = stamped([
    {"id": 1, "name": "morning-digest", "command_slug": "digest", "payload": {"type": "note"},
     "recurrence": "daily_at:07:00", "timezone": "Europe/Berlin", "run_count": 2,
     "next_run_at": "2026-03-02T06:00:00.000000Z", "last_run_at": at(28, 6)},
    {"id": 2, "name": "weekly-report", "command_slug": "summarize", "status": "paused",
     "recurrence": "weekly_at:MON,FRI:16:30", "next_run_at": "2026-03-02T16:30:00.000000Z"},
    {"id": 3, "name": "one-reminder", "command_slug": "triage", "status": "completed",
     "payload": {"body": "the fair begins"}, "recurrence": "one_off:2026-02-20 08:00",
     "run_count": 1, "max_runs": 1, "last_run_at": at(20, 8)},
    {"id": 4, "name": "broken", "command_slug": "fails-midway", "status": "failed",
     "recurrence": "cron:0 12 * * 1", "run_count": 1, "last_run_at": at(23, 12)},
])

SCHEDULE_RUNS = stamped([
    {"id": 1, "schedule_id": 1, "planned_run_at": at(27, 6), "status": "completed",
     "started_at": at(27, 6), "completed_at": at(27, 6, 1), "correlation_id": "fixture-run-1"},
    {"id": 2, "schedule_id": 1, "planned_run_at": at(28, 6), "status": "completed",
     "started_at": at(28, 6), "completed_at": at(28, 6, 1), "correlation_id": "fixture-run-2"},
    {"id": 3, "schedule_id": 3, "planned_run_at": at(20, 8), "status": "completed",
     "started_at": at(20, 8), "completed_at": at(20, 8, 1)},
    {"id": 4, "schedule_id": 4, "planned_run_at": at(23, 12), "status": "failed",
     "started_at": at(23, 12), "completed_at": at(23, 12, 1), "error_category": "not_found"},
], 20)

JOBS = stamped([
    {"id": 1, "command_slug": "triage", "payload": {"body": "later"}, "available_at": at(26)},
    {"id": 2, "command_slug": "digest", "status": "completed", "attempts": 1,
     "available_at": at(25), "claimed_at": at(25, 10), "finished_at": at(25, 11)},
], 24)

# In this order, because of the foreign keys.
ROWS = [("vaults", VAULTS), ("projects", PROJECTS), ("types", TYPES),
        ("vault_routing_rules", ROUTING_RULES), ("fragments", FRAGMENTS),
        ("bookmarks", BOOKMARKS), ("chat_sessions", CHAT_SESSIONS), ("agent_profiles", AGENTS),
        ("work_items", WORK_ITEMS), ("task_assignments", ASSIGNMENTS), ("sprints", SPRINTS),
        ("sprint_items", SPRINT_ITEMS), ("schedules", SCHEDULES),
        ("schedule_runs", SCHEDULE_RUNS), ("jobs", JOBS)]


def column(value):
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def insert(connection, table, row):
    connection.execute("INSERT INTO %s (%s) VALUES (%s)"
                       % (table, ", ".join(row), ", ".join("?" * len(row))),
                       [column(value) for value in row.values()])


def make(path, rows=ROWS):
    """Makes the database; afterwards it is one file, without a write-ahead log beside it."""
    subprocess.run([STEPRUN, "exec", "digest", "--packs", PACKS, "--db", path, "-q", *FIXED],
                   check=True, timeout=PATIENCE_S)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys = ON")
    for table, table_rows in rows:
        for row in table_rows:
            insert(connection, table, row)
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path


def only(*tables):
    """The rows of these tables, the first of each."""
    return [(name, rows[:1]) for name, rows in ROWS if name in tables]
