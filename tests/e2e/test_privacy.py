# SPDX-License-Identifier: BSD-2-Clause
"""Less than everything: --pseudonymize and --fields."""
import json
import os
import re
import socket
import unittest

from harness import (PATIENCE_S, Runner, Scenario, Tracer, aborted, check_books, copy_of, of_kind,
                     read_events, record_the_rest, run, runner_events, started, steps)

ALL = "user_id,correlation_id,command_slug,request_source,step_name,tool_slug,comm,host"
ORDERS = ("go 2", "tool", "reject", "fail", "nested")
# what tests/targets/spans.c says of itself
SECRETS = ("tester", "fragment.update", "toolbox", "nonesuch", "set-title", "shell.grep", "spans",
           '"request_source":"test"', socket.gethostname())
PSEUDONYM = re.compile("p:[0-9a-f]{32}$")


class Recorded(Scenario):
    def record(self, *arguments, ending="die kill"):
        """The bytes of the recording of a runner that does a bit of everything and is killed."""
        program = copy_of(self.directory, "spans")
        with Runner(program) as runner:
            tracer = Tracer("-p", str(runner.pid), *arguments)
            for order in ORDERS:
                runner.do(order)
            runner.order(ending)
            runner.process.wait(PATIENCE_S)
            tracer.wait()
        with open(tracer.path, encoding="utf-8") as file:
            return tracer, file.read()

    def key(self, content=b"0123456789abcdef", mode=0o600, name="key"):
        path = os.path.join(self.directory, name)
        with open(path, "wb") as file:
            file.write(content)
        os.chmod(path, mode)
        return path


class Pseudonyms(Recorded):
    def test_nothing_of_it_is_left(self):
        tracer, text = self.record("--pseudonymize", ALL)
        body = "".join(line for line in text.splitlines(True)
                       if '"event":"trace.attached"' not in line)
        for secret in SECRETS:
            self.assertNotIn(secret, body)
        events = read_events(tracer.path)
        self.assertEqual(events[0]["pseudonymized"], ALL.split(","))
        self.assertRegex(events[0]["host"], PSEUDONYM)
        self.assertRegex(events[0]["boot_id"], PSEUDONYM)
        self.assertEqual(len({event["user_id"] for event in runner_events(events)} - {""}), 1)
        self.assertEqual(len(aborted(events)), 3)
        for event in steps(events):
            if event["step"]["name"]:
                self.assertRegex(event["step"]["name"], PSEUDONYM)
        for event in runner_events(events):
            self.assertRegex(event["source"]["comm"], "p:[0-9a-f]{13}$")
        self.assertEqual(events[-1]["hits"], events[-1]["events"])

    def test_nor_for_a_person(self):
        _, text = self.record("--pseudonymize", ALL, "--format", "compact")
        self.assertIn("p:", text)
        for secret in SECRETS:
            self.assertNotIn(secret, text)

    def test_only_what_was_asked_for(self):
        tracer, _ = self.record("--pseudonymize", "user_id")
        events = read_events(tracer.path)
        self.assertEqual(events[0]["pseudonymized"], ["user_id"])
        self.assertEqual(events[0]["host"], socket.gethostname())
        with_user = [event for event in started(events) if event["user_id"]]
        self.assertGreater(len(with_user), 3)
        for event in with_user:
            self.assertRegex(event["user_id"], PSEUDONYM)
            self.assertEqual(event["request_source"], "test")
        # without a correlation id of its own, a command has that of its execution
        self.assertEqual([event["correlation_id"] for event in started(events)],
                         [event["execution_id"] for event in started(events)])

    def test_attached_in_the_middle(self):
        """Then the first record of a command brings its context along."""
        events = record_the_rest("--pseudonymize", "user_id,command_slug")
        self.assertEqual(len(runner_events(events)), 2)
        for event in runner_events(events):
            self.assertRegex(event["user_id"], PSEUDONYM)
            self.assertRegex(event["command_slug"], PSEUDONYM)

    def user(self, *arguments):
        tracer, _ = self.record("--pseudonymize", "user_id,comm", *arguments)
        users = {event["user_id"] for event in runner_events(read_events(tracer.path))} - {""}
        self.assertEqual(len(users), 1)
        return users.pop()

    def test_the_key_decides(self):
        key, other = self.key(), self.key(b"another key of more bytes", name="other")
        first = self.user("--pseudonym-key", key)
        self.assertEqual(self.user("--pseudonym-key", key), first)
        self.assertNotEqual(self.user("--pseudonym-key", other), first)
        random = self.user()
        self.assertNotEqual(self.user(), random)
        self.assertNotEqual(random, first)

    def test_fields_do_not_share_pseudonyms(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--pseudonymize", "user_id,correlation_id")
            for what in ("quotes", "invalid", "long", "newline", "control"):
                runner.do("text " + what)
            events = tracer.stop()
        for event in started(events):
            self.assertRegex(event["user_id"], PSEUDONYM)
            if event["correlation_id"] != event["execution_id"]:
                self.assertNotEqual(event["user_id"], event["correlation_id"])
        self.assertEqual(len({event["user_id"] for event in started(events)}), 5)

    def test_keys_that_are_none(self):
        missing = os.path.join(self.directory, "missing")
        for path, words in ((missing, "No such file"),
                            (self.key(b"short", name="short"), "has 5 bytes"),
                            (self.key(mode=0o644, name="open"), "chmod 600"),
                            (self.key(b"x" * 5000, name="long"), "5000 bytes"),
                            (self.directory, "not a regular file")):
            status, _, stderr = run("record", "-a", "--pseudonymize", "user_id",
                                    "--pseudonym-key", path)
            self.assertEqual(status, 1)
            self.assertIn(words, stderr)
            self.assertIn(path, stderr)

    def test_wrong_use(self):
        for arguments in (["--pseudonymize", "user"], ["--pseudonymize", "user_id,"],
                          ["--pseudonym-key", "/dev/null"]):
            status, _, words = run("record", "-a", *arguments)
            self.assertEqual(status, 2)
            self.assertIn("pseudonym", words)


class Fields(Recorded):
    def test_those_that_are_named(self):
        _, text = self.record("--fields", "duration_ms,source,outcome")
        lines = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(lines[0]["event"], "trace.started")
        self.assertIn("clock", lines[0])
        wanted = {"event", "execution_id", "duration_ms", "source", "outcome"}
        for event in runner_events(lines):
            self.assertLessEqual({"event", "execution_id", "source"}, set(event))
            self.assertLessEqual(set(event), wanted)
        for event in steps(lines):
            self.assertEqual(set(event), wanted)
        self.assertGreater(len(of_kind(lines, "fragment.changed")), 0)
        check_books(self, lines)

    def test_hostile_text_is_no_boundary(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--fields", "user_id,step")
            for what in ("quotes", "invalid", "control", "newline"):
                runner.do("text " + what)
            tracer.process.send_signal(2)
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
        for event in steps(lines):
            self.assertEqual(set(event), {"event", "execution_id", "user_id", "step"})

    def test_wrong_use(self):
        status, _, words = run("record", "-a", "--fields", "duration_ms,nonsense")
        self.assertEqual(status, 2)
        self.assertIn("'nonsense'", words)
        self.assertIn("mutations_count", words)
        status, _, words = run("record", "-a", "--fields", "outcome", "--format", "compact")
        self.assertEqual(status, 2)
        self.assertIn("--fields", words)


if __name__ == "__main__":
    unittest.main()
