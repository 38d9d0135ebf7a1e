# SPDX-License-Identifier: BSD-2-Clause
"""steptrace export --to clickhouse: every row is compared with its event by a reader of its own."""
import json
import os
import re
import unittest

from exports import Exporting
from harness import ROOT, record
from recordings import duration_ns, read

# Column, and where the event has it. The rest of the columns have the names of fields.
PATHS = {
    "step_name": "step.name", "step_index": "step.index", "step_depth": "step.depth",
    "parent_step_id": "step.parent_step_id", "items_in": "items.in", "items_out": "items.out",
    "ai_cache": "ai.cache", "prompt_tokens": "ai.prompt_tokens",
    "completion_tokens": "ai.completion_tokens", "failed_step_id": "failed_step.step_id",
    "failed_step_type": "failed_step.step_type", "failed_step_name": "failed_step.name",
    "schedule_id": "schedule.schedule_id", "schedule_run_id": "schedule.schedule_run_id",
    "planned_run_at": "schedule.planned_run_at", "queue_name": "queue.name",
    "queue_attempt": "queue.attempt", "container_id": "container.container_id",
    "aborted_cause": "aborted.cause", "aborted_signal": "aborted.signal_name",
    "aborted_exit_status": "aborted.exit_status", "aborted_step_id": "aborted.step.step_id",
    "aborted_step_type": "aborted.step.step_type", "aborted_step_name": "aborted.step.name",
    "pid": "source.pid", "tid": "source.tid", "uid": "source.uid", "comm": "source.comm"}
SAME = (
    "event monotonic_ns reason correlation_id execution_id parent_execution_id command_slug "
    "user_id request_source dry_run outcome error_category step_id step_type fragment_id operation "
    "mutations_count invocation_id tool_slug exit_status steps_executed steps_successful "
    "steps_failed steps_skipped steps_lost complete arguments_count").split()
SAME_OF_TRACE = ("event monotonic_ns reason version schema_version boot_id kernel part exe kind "
                 "lost hits events aborted_events processes_untraced level ahead_ns").split()
MILLISECONDS = {
    "suspended_ns": "suspended_ms", "queue_wait_ns": "queue.wait_ms", "on_cpu_ns": "cpu.on_cpu_ms",
    "runnable_ns": "cpu.runnable_ms", "threshold_ns": "threshold_ms", "age_ns": "age_ms",
    **{"blocked_%s_ns" % name: "cpu.blocked_ms." + name
       for name in ("disk", "lock", "network", "sleep", "pipe", "other")}}
# For the events by hand: what is a number or a text there.
COUNTS = ("monotonic_ns fragment_id mutations_count exit_status steps_executed steps_successful "
          "steps_failed steps_skipped steps_lost arguments_count").split()
COUNTS_OF_TRACE = ("monotonic_ns schema_version part lost hits events aborted_events "
                   "processes_untraced ahead_ns").split()
TEXTS = ("step_name", "parent_step_id", "ai_cache", "queue_name", "container_id", "aborted_cause",
         "aborted_signal", "comm")
TEXTS_BEGIN = ("failed_step", "aborted_step")
AS_TEXT = ("lost_by_kind", "lost_by_reason", "filtered")


def value_at(event, path):
    for name in path.split("."):
        event = event.get(name) if isinstance(event, dict) else None
    return event


def time_of(text):
    return text and text.replace("T", " ").rstrip("Z")


def expected(event, host):
    """The row of an event of recordings.read(), whose decimals are exact."""
    is_trace = event["event"].startswith("trace.")
    row = {name: value_at(event, name) for name in (SAME_OF_TRACE if is_trace else SAME)}
    times = {"since": "since", "until": "until"}
    if is_trace:
        row |= {name: value_at(event, name) for name in AS_TEXT}
    else:
        times = {"planned_run_at": PATHS["planned_run_at"]}
        row |= {name: value_at(event, path) for name, path in PATHS.items()}
        row |= {name: value_at(event, path) for name, path in MILLISECONDS.items()}
        row |= {name: int(row[name] * 10**6) for name in MILLISECONDS if row[name] is not None}
        row["duration_ns"] = duration_ns(event)
    row |= {name: time_of(value_at(event, path)) for name, path in times.items()}
    row |= {"host": host, "timestamp": time_of(event["timestamp"]), "labels": event.get("labels")}
    return {name: value for name, value in row.items() if value is not None}


def columns(*tables):
    """Of some of the tables of clickhouse_columns.c."""
    with open(os.path.join(ROOT, "src", "steptrace", "export", "clickhouse_columns.c"),
              encoding="utf-8") as source:
        parts = re.split(r"event_value (\w+)_values\[\]", source.read())[1:]
    names = {table: re.findall(r'EVENT_VALUE\("(\w+)"', text)
             for table, text in zip(parts[::2], parts[1::2])}
    return sorted(sum((names[table] for table in tables or names), ["host"]))


class ClickHouse(Exporting):
    def exported(self, *files, **options):
        output, self.said = self.tool("export", "--to", "clickhouse", *files, **options)
        rows = [json.loads(line) for line in output.splitlines()]
        for row in rows:
            for name in AS_TEXT + ("labels",):
                if name in row:
                    self.assertIsInstance(row[name], str)
                    row[name] = json.loads(row[name])
        return rows

    def check(self, path):
        events = read(path)
        rows = self.exported(path)
        self.assertEqual(len(rows), len(events))
        for row, event in zip(rows, events):
            self.assertEqual(row, expected(event, events[0]["host"]))
        return rows

    def test_everything(self):
        rows = self.check(self.record_everything())
        self.assertNotIn("warning", self.said)
        self.assertTrue({"on_cpu_ns", "queue_wait_ns", "fragment_id", "invocation_id"} <= {
            name for row in rows for name in row})

    def test_every_column(self):
        """Two events by hand have all of them."""
        time, half = "2026-01-02T03:04:05.000000006Z", 0.500001
        execution = dict.fromkeys(SAME, "text") | dict.fromkeys(COUNTS, 7) | {
            "event": "dsl.step.executed", "dry_run": True, "complete": False, "duration_ms": half}
        trace = dict.fromkeys(SAME_OF_TRACE, "text") | dict.fromkeys(COUNTS_OF_TRACE, 7) | {
            "event": "trace.started", "host": "vm", "since": time, "until": time,
            **{name: {"a": 1} for name in AS_TEXT}}
        for column, path in (PATHS | MILLISECONDS).items():
            *objects, name = path.split(".")
            inner = execution
            for outer in objects:
                inner = inner.setdefault(outer, {})
            inner[name] = (half if column in MILLISECONDS else time if column == "planned_run_at"
                           else "text" if column in TEXTS or column.startswith(TEXTS_BEGIN) else 7)
        events = [event | {"timestamp": time, "labels": {"a": "b"}} for event in (trace, execution)]
        rows = self.check(self.write(events))
        self.assertEqual(sorted({name for row in rows for name in row}), columns())

    def test_labels_and_safe_integers(self):
        events, _ = record(["go 2"], "--label", "region=north", "--labels-everywhere",
                           "--safe-integers")
        rows = self.exported(self.write(events))
        self.assertEqual(len(rows), len(events))
        self.assertEqual({row["labels"]["region"] for row in rows}, {"north"})

    def test_large_numbers_survive(self):
        event = {"event": "fragment.changed", "timestamp": "2026-01-01T00:00:00.123456789Z",
                 "monotonic_ns": 2**64 - 1, "fragment_id": -2**63, "execution_id": "e"}
        self.assertEqual(self.exported(self.write([event])), [event | {
            "host": "", "timestamp": "2026-01-01 00:00:00.123456789"}])
        self.assertIn("1 row(s) have no host", self.said)

    def test_foreign_input(self):
        time = {"timestamp": "2026-01-01T00:00:00.000000000Z"}
        rows = self.exported(self.write([
            {"event": "command.execution.started", "execution_id": 'a"},{"x\n', **time,
             "command_slug": ["no", "text"], "dry_run": "false", "host; DROP TABLE": 1},
            {"event": "trace.of.tomorrow", "execution_id": "not a column of it", "lost": 2, **time},
            {"event": "of.tomorrow", "execution_id": "e", "lost": 2, **time},
            {"event": "no.time"}, {"event": "late", "timestamp": "2262-04-12T00:00:00.000000000Z"},
            {"event": "with.late.time", "since": "2500-01-01T00:00:00.000000000Z", **time},
            "no event\n"]))
        time = {"timestamp": "2026-01-01 00:00:00.000000000", "host": ""}
        self.assertEqual(rows, [
            {"event": "command.execution.started", "execution_id": 'a"},{"x\n', **time},
            {"event": "trace.of.tomorrow", "lost": 2, **time},
            {"event": "of.tomorrow", "execution_id": "e", **time},
            {"event": "with.late.time", **time}])
        for words in ("2 event(s) are left out: they have no timestamp", "1 line is left out"):
            self.assertIn(words, self.said)

    def test_each_file_has_its_host(self):
        one = self.write(self.made(2, host="one"), "of-one")
        other = self.write(self.made(1, host="other", day=2), "of-other")
        unknown = self.write(self.made(1)[1:], "of-none")
        rows = self.exported(unknown, other, one)
        hosts = [row["host"] for row in rows]
        self.assertEqual(sorted(set(hosts)), ["", "one", "other"])
        self.assertEqual(hosts, sorted(hosts, key=("one", "other", "").index))

    def test_no_event_is_an_error(self):
        self.tool("export", "--to", "clickhouse", self.write([]), status=1)
        said = self.tool("export", "--to", "clickhouse", "--table", "steps", self.write([]),
                         status=2)[1]
        self.assertIn("--table belongs to --to csv", said)
        said = self.tool("export", "--to", "clickhouse", self.write(self.made(1)), "-o",
                         "/dev/full", status=1)[1]
        self.assertIn("cannot write", said)

    def test_the_manual_has_the_columns(self):
        with open(os.path.join(ROOT, "docs", "man", "steptrace.8"), encoding="utf-8") as page:
            section = page.read().split(".Ss Rows for ClickHouse\n")[1].split("\n.Sh ")[0]
        described = re.findall(r"\b[a-z_]+\b", " ".join(re.findall(
            r"^\.It Em .*?\n((?:\w.*\n)+)", section, re.MULTILINE)))
        self.assertEqual(sorted(described), columns())

    def test_the_tables_of_the_page_have_the_columns(self):
        with open(os.path.join(ROOT, "docs", "scale.md"), encoding="utf-8") as page:
            tables = dict(re.findall(r"^CREATE TABLE steptrace\.(\w+) \((.*?)^\) ENGINE",
                                     page.read(), re.MULTILINE | re.DOTALL))
        for table, further, own in (("events", "execution", ["inserted_at"]),
                                    ("trace", "trace", [])):
            names = re.findall(r"(?:^|,)\s+([a-z_]+) [A-Z]\w+", re.sub(
                r"INDEX \w+ ", "INDEX ", tables[table]))
            self.assertEqual(sorted(names), sorted(columns("common", further) + own))


if __name__ == "__main__":
    unittest.main()
