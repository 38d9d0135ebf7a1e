# SPDX-License-Identifier: BSD-2-Clause
"""The packs under STEPTRACE_WILD_PACKS: what 'steprun check' says of each, the inputs with which
test_wild_packs.py executes it, and the steps that no input reaches.

The packs belong to other people. Only names of packs and of steps are written here; all inputs are
our own.
"""
from pack_runs import Case


def body(name, text, database="full", status=0, **more):
    return Case(name, {"body": text, **more}, database, status)


# The path of the pack: the rule of 'steprun check' that it breaks. All others pass.
REFUSED = {
    "current/inbox": ["unknown-key"],    # `else` at a step that is no condition
    "current/tasks": ["invalid-value"],  # an order that is SQL text
    "older/old-search": ["slug-mismatch"],
    "older/old-settings": ["slug-mismatch"],
    "older/old-shell-test": ["slug-mismatch"],
    "older/s40-inbox": ["slug-mismatch"],
    "older/s40-link": ["slug-mismatch"],
    "older/s40-note": ["slug-mismatch"],
    "older/s40-search": ["slug-mismatch"],
    "older/s40-todo": ["slug-mismatch"],
}

# The path of the pack: its steps that no input reaches, and why.
OUTSIDE = "is in the `else` of a step that is no condition"
BEHIND = "the query before it orders by SQL text, which is refused; see amended/tasks"
UNREACHED = {
    "current/inbox": {"query-pending": OUTSIDE, "display-pending": OUTSIDE},
    "current/tasks": dict.fromkeys(
        ["check-tasks-exist", "format-task-data", "format-success-message", "show-task-list",
         "format-empty-message", "show-empty-list"], BEHIND),
}

# A pack that fails in every execution: what is said, and the lines without which it does not.
# test_wild_packs.py makes a copy without these lines, amended/NAME.
ALWAYS_FAILS = {"current/tasks": "SQL text is refused"}
AMENDED = {"amended/tasks": ("current/tasks", r'^ *\{"sql": .*\},\n')}

# What the model answers to older/s40-todo.
MODEL_ANSWER = """Here is the task:
{"title": "Buy ink", "status": "open", "due_at": "2026-03-06", "priority": "high"}"""
MODEL_PROSE = "I would rather talk about the weather."

TEXT_OF_MANY_LETTERS = "Größere Bögen für den Frühling – 🌱 " * 4

CASES = {
    "current/agent-profiles": [
        Case("many"), Case("one", database="few"), Case("none", database="empty")],
    "current/bookmark": [
        body("list", "list"), body("list-none", "list", "empty"),
        body("show", "show  press-papers "), body("show-part", "show seed"),
        body("show-empty", "show nothing"), body("show-unknown", "show nonesuch"),
        body("forget", "forget seeds"), body("del", "del press"),
        body("rm-unknown", "rm nonesuch"), body("forget-none", "forget x", "empty"),
        body("create", "anything else"), Case("create-without-body"),
        body("create-none", "x", "empty")],
    "current/channels": [
        Case("vault", {"vault_id": 1}), Case("vault-as-text", {"vault_id": "2"}),
        Case("no-vault"), Case("unknown-vault", {"vault_id": 99}),
        Case("empty", {"vault_id": 1}, "empty")],
    "current/clear": [Case("plain"), body("with-text", "all of it")],
    "current/frag": [
        Case("text", {"identifier": "A thing to keep: \"paper\" & 墨"}), Case("nothing"),
        Case("empty-text", {"identifier": ""}), body("other-key", "not the identifier")],
    "current/frag-simple": [
        Case("text", {"identifier": TEXT_OF_MANY_LETTERS}), Case("nothing"),
        Case("empty-text", {"identifier": ""})],
    "current/help": [Case("plain"), body("section", "todo")],
    "current/inbox": [Case("plain"), body("api", "api"), body("empty", "", "empty")],
    "current/link": [
        body("link", "  https://foundry.example/?a=1&b={{x}} "),
        Case("selection", {"body": "", "selection": "chosen text"}), Case("nothing")],
    "current/note": [
        body("short", "Sharpen the knives"), body("long", TEXT_OF_MANY_LETTERS),
        Case("selection", {"selection": " chosen\ntext "}), Case("nothing")],
    "current/routing": [
        body("list", "list"), body("empty-body", ""), body("create", "create"),
        body("help", "what"), Case("no-body"), body("list-none", "list", "empty")],
    "current/schedule-create": [
        Case("daily", {"name": "evening", "command": "digest", "recurrence": "daily_at:19:30",
                       "timezone": "Europe/Berlin", "payload": {"type": "log"}}),
        Case("limited", {"name": "thrice", "command": "triage", "max_runs": 3,
                         "recurrence": "cron:30 8 1 * *"}, "empty"),
        Case("name-in-use", {"name": "broken", "command": "digest",
                             "recurrence": "daily_at:19:30"}, status=1),
        body("no-name", "digest", status=1)],
    "current/schedule-delete": [
        body("by-name", "weekly-report"), Case("by-id", {"id": 1}),
        Case("pause", {"id": 1, "action": "pause"}),
        Case("resume", {"id": "weekly-report", "action": "resume"}),
        body("unknown", "nonesuch", status=1), Case("nothing", status=1),
        Case("other-action", {"id": 1, "action": "create"}, status=1)],
    "current/schedule-detail": [
        body("by-name", "morning-digest"), Case("by-id", {"id": 3}),
        body("no-runs", "weekly-report"), body("unknown", "nonesuch", status=1)],
    "current/schedule-list": [Case("many"), Case("none", database="empty")],
    "current/session": [
        body("show", "show", session_id=2), body("show-untitled", "show", session_id=3),
        body("show-none", "show"), body("list", "list", vault_id=1),
        body("list-by-default", "", vault_id=2), body("list-none", "list", vault_id=99),
        body("start", "start", vault_id=2), body("start-first", "start", "empty"),
        body("end", "end", session_id=1), body("end-as-text", "end", session_id="2"),
        body("end-none", "end"), body("end-unknown", "end", session_id=99, status=1),
        body("help", "dance"), Case("help-without-body")],
    "current/task-create": [
        body("task", "Sort the letters"), body("bug", "Fix the lamp", "empty"),
        body("bug-after-another", "An error in the ledger"), body("feature", "Add a shelf"),
        body("test", "Try a TEST print"), body("doc", "A guide to the press"),
        body("tech", "Refactor the workshop"),
        body("options", "Sort again -- --priority=high --estimate=\"3\" --type='story'"),
        body("hours", "Sort -- --estimate=5hours"), body("weeks", "Sort -- --estimate=2weeks"),
        body("no-number", "Sort -- --estimate=soon"), body("days", "Sort -- --estimate=4days"),
        body("first-option", "Sort --priority=high"),
        body("quotes", "Print \"A \\ B\" & 'C'"),
        body("bad-priority", "Sort -- --priority=urgent"),
        body("blank", "   "), Case("nothing")],
    "current/task-detail": [
        body("by-code", "TASK-002"), body("lower-case", " bug-004 "), body("done", "TASK-001"),
        body("unassigned", "FEAT-010"), body("unknown", "TASK-777"),
        body("deleted", "TASK-099"), body("blank", "  "), Case("nothing"),
        body("uuid", "00000000-0000-4000-8000-000000000002"),
        body("number", "2"), body("quotes", "a\"b", status=1)],
    "current/tasks": [Case("all", status=1), body("number", "7", status=1)],
    "current/todo": [
        body("plain", "water the beans"),
        body("all-parts", "Order paper tomorrow P1 #press @anna, then ink"),
        body("date", "Send the proofs 2026-04-01 !! #proofs"), Case("nothing")],
    "current/types-ui": [Case("plain")],
    "older/old-search": [
        body("found", "press"), body("accents", "BOGEN kasten"), body("umlaut", "groß"),
        Case("selection", {"selection": " seeds "}), body("not-found", "zeppelin"),
        body("operators", "press OR -\"*"), Case("nothing")],
    "older/old-settings": [Case("plain")],
    "older/old-shell-test": [body("any", "x"), Case("empty", database="empty")],
    "older/s40-inbox": [Case("plain")],
    "older/s40-link": [body("link", "https://foundry.example/b"), Case("nothing", status=1)],
    "older/s40-note": [body("note", "Wax the floor"), Case("nothing", status=1)],
    "older/s40-search": [body("found", "seeds"), body("not-found", "zeppelin"), Case("nothing")],
    "older/s40-todo": [body("task", "buy ink until Friday"), body("no-json", "NO JSON", status=1)],
    "amended/tasks": [
        Case("all"), body("blank", "  "), body("number", "7"), body("code", "sprint-06"),
        body("two-digits", "08"), body("other-code", "extra"), body("unknown", "99"),
        body("empty", "7", "empty"), Case("all-of-none", database="empty")],
}
