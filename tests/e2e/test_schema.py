# SPDX-License-Identifier: BSD-2-Clause
"""steptrace schema, and what is promised within a version of it: recordings stay readable."""
import glob
import json
import os
import subprocess
import unittest

import jsonschema
import validate
from harness import ROOT, check_books, read_events, run, runner_events

RECORDINGS = sorted(glob.glob(os.path.join(ROOT, "tests", "recordings", "v2-*.ndjson")))

# What readers of version 2 rely on, in this order. Never take one away; a new version gets its own
# list.
PROMISED = {
    "command.execution.started": [
        "event", "correlation_id", "execution_id", "command_slug", "dry_run", "user_id",
        "request_source"],
    "dsl.step.executed": [
        "event", "correlation_id", "execution_id", "step_id", "step_type", "command_slug",
        "fragment_id", "duration_ms", "mutations_count", "dry_run", "outcome", "user_id"],
    "command.execution.completed": [
        "event", "correlation_id", "execution_id", "command_slug", "total_duration_ms",
        "steps_executed", "steps_successful", "steps_failed", "dry_run", "outcome", "user_id"],
    "command.validation.failed": [
        "event", "correlation_id", "execution_id", "command_slug", "user_id", "request_source",
        "reason"],
    "tool.invocation.completed": [
        "event", "correlation_id", "execution_id", "command_slug", "user_id", "step_id",
        "invocation_id", "tool_slug", "duration_ms", "outcome", "exit_status"],
    "fragment.changed": [
        "event", "correlation_id", "execution_id", "command_slug", "user_id", "step_id",
        "fragment_id", "operation"],
    "trace.started": [
        "event", "timestamp", "monotonic_ns", "schema_version", "version", "host", "boot_id",
        "kernel", "probe_site", "attach_method", "targets", "clock"],
    "trace.clock": ["event", "timestamp", "monotonic_ns", "realtime_ns", "ahead_ns"],
    "trace.lost": [
        "event", "timestamp", "monotonic_ns", "kind", "lost", "since", "until", "reason"],
    "trace.stopped": [
        "event", "timestamp", "monotonic_ns", "hits", "events", "aborted_events", "lost",
        "lost_by_kind", "lost_by_reason", "filtered", "reason"],
}


def types_of(schema):
    """The JSON types that the schema allows, without null; what cannot be null has no other."""
    types = schema.get("type", [])
    types = set(types if isinstance(types, list) else [types])
    for value in schema.get("enum", []) + ([schema["const"]] if "const" in schema else []):
        types.add({str: "string", bool: "boolean", int: "integer"}[type(value)])
    for part in schema.get("oneOf", []):
        types |= types_of(part)
    return types - {"null"}


def members_of(schema, within=""):
    """Every member that the schema describes, at every depth: (its path, its schema)."""
    for name, member in schema.get("properties", {}).items():
        yield within + name, member
        yield from members_of(member, within + name + ".")
    for part in schema.get("oneOf", []):
        yield from members_of(part, within)


class Schemas(unittest.TestCase):
    def test_one_name_has_one_type(self):
        """An index of many events has one type for each name."""
        types, allowed = {}, 0
        for path in glob.glob(os.path.join(validate.SCHEMAS, "*.json")):
            with open(path, encoding="utf-8") as file:
                for name, member in members_of(json.load(file)):
                    found = types_of(member)
                    self.assertEqual(len(found), 1, "%s in %s" % (name, path))
                    self.assertEqual(types.setdefault(name, found), found,
                                     "%s in %s" % (name, path))
                    allowed += 1
        self.assertGreater(allowed, 200)

    def test_every_event_has_both_times(self):
        for path in glob.glob(os.path.join(validate.SCHEMAS, "*.json")):
            with open(path, encoding="utf-8") as file:
                self.assertLessEqual({"timestamp", "monotonic_ns"},
                                     set(json.load(file)["properties"]), path)

    def test_one_is_the_file(self):
        paths = glob.glob(os.path.join(validate.SCHEMAS, "*.json"))
        self.assertGreaterEqual(len(paths), len(PROMISED))
        for path in paths:
            event = os.path.basename(path)[:-len(".json")]
            status, text, _ = run("schema", event)
            with open(path, encoding="utf-8") as file:
                self.assertEqual((status, text), (0, file.read()))

    def test_those_with_safe_integers(self):
        """They are made from the others, and the program contains both."""
        done = subprocess.run([os.path.join(validate.SAFE_SCHEMAS, "make"), "--check"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        paths = glob.glob(os.path.join(validate.SAFE_SCHEMAS, "*.json"))
        self.assertEqual(len(paths), len(glob.glob(os.path.join(validate.SCHEMAS, "*.json"))))
        for path in paths:
            event = os.path.basename(path)[:-len(".json")]
            with open(path, encoding="utf-8") as file:
                self.assertEqual(run("schema", "--safe-integers", event)[1], file.read())
        jsonschema.Draft202012Validator.check_schema(
            json.loads(run("schema", "--safe-integers")[1]))

    def test_all_in_one(self):
        status, text, _ = run("schema")
        schema = json.loads(text)
        self.assertEqual(status, 0)
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for event in read_events(RECORDINGS[0]):
            self.assertTrue(validator.is_valid(event), event)
            self.assertFalse(validator.is_valid(dict(event, event="trace.nonsense")))

    def test_help_names_them(self):
        status, text, _ = run("schema", "--help")
        self.assertEqual(status, 0)
        for event in PROMISED:
            self.assertIn(event, text)

    def test_wrong_use(self):
        for arguments in (["nonesuch"], ["trace.lost", "trace.stopped"], ["--nonsense"]):
            status, text, words = run("schema", *arguments)
            self.assertEqual((status, text), (2, ""))
            self.assertIn("steptrace: ", words)


class Compatibility(unittest.TestCase):
    def test_former_recordings_are_valid(self):
        self.assertGreater(len(RECORDINGS), 1)
        kinds = set()
        for path in RECORDINGS:
            events = read_events(path)
            kinds |= {event["event"] for event in events}
            check_books(self, events)
        self.assertLessEqual(set(PROMISED), kinds)

    def test_what_was_promised_is_required(self):
        for event, names in PROMISED.items():
            schema = json.loads(run("schema", event)[1])
            for name in names:
                self.assertIn(name, schema["properties"])
            if not event.startswith("trace."):
                self.assertEqual(schema["required"][:len(names)], names)
            self.assertLessEqual(set(names), set(schema["required"]))

    def test_nothing_new_is_required_of_former_recordings(self):
        """A recording without a field that came later is as good as ever."""
        for path in RECORDINGS:
            for event in runner_events(read_events(path)):
                short = {name: event[name] for name in PROMISED[event["event"]]}
                short_schema = json.loads(run("schema", event["event"])[1])
                self.assertEqual(set(short_schema["required"]), set(short))


if __name__ == "__main__":
    unittest.main()
