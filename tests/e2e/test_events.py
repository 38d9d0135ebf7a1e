# SPDX-License-Identifier: BSD-2-Clause
"""What a traced command says: one started, its steps, one completed, with the right fields."""
import json
import os
import shutil
import unittest
import uuid

from harness import (PATIENCE_S, EndToEnd, OwnPrograms, Runner, Tracer, check_books, completed,
                     of_kind, record, run, runner_events, started, steps, target)


class Events(EndToEnd):
    def test_five_steps_make_seven_events(self):
        events, _ = record(["go 1"])
        kinds = [event["event"] for event in events]
        self.assertEqual(kinds, ["trace.started", "trace.attached", "command.execution.started"]
                         + ["dsl.step.executed"] * 5
                         + ["command.execution.completed", "trace.stopped"])
        start, done = started(events)[0], completed(events)[0]
        self.assertEqual(start["command_slug"], "fragment.update")
        self.assertEqual(start["user_id"], "tester")
        self.assertEqual(start["request_source"], "test")
        self.assertEqual(start["arguments_count"], 2)
        self.assertIs(start["dry_run"], False)
        self.assertEqual(done["steps_executed"], 5)
        self.assertEqual(done["steps_successful"], 5)
        self.assertEqual(done["steps_failed"], 0)
        self.assertEqual(done["outcome"], "success")
        self.assertIs(done["complete"], True)
        self.assertEqual(done["steps_lost"], 0)
        for index, step in enumerate(steps(events)):
            self.assertEqual(step["step_type"], "DatabaseUpdateStep")
            self.assertEqual(step["step"]["name"], "set-title")
            self.assertEqual(step["step"]["index"], index)
            self.assertEqual(step["step"]["depth"], 0)
            self.assertIsNone(step["step"]["parent_step_id"])
            self.assertEqual(step["mutations_count"], index)
            self.assertIsNone(step["fragment_id"])
            self.assertEqual(step["outcome"], "success")
            self.assertNotIn("error_category", step)
            self.assertNotIn("items", step)
            self.assertNotIn("ai", step)
        check_books(self, events)

    def test_ids_hold_an_execution_together(self):
        events, _ = record(["go 3"])
        executions = {event["execution_id"] for event in runner_events(events)}
        self.assertEqual(len(executions), 3)
        self.assertEqual(len({step["step_id"] for step in steps(events)}), 15)
        for event in runner_events(events):
            self.assertEqual(event["correlation_id"], event["execution_id"])
            self.assertEqual(uuid.UUID(event["execution_id"]).version, 4)
        for execution in executions:
            mine = [event for event in runner_events(events) if event["execution_id"] == execution]
            self.assertEqual(len(mine), 7)
            times = [event["monotonic_ns"] for event in mine]
            self.assertEqual(times, sorted(times))

    def test_paths_are_absolute(self):
        """However they are named: readers of events do not know the working directory."""
        path = os.path.join(OwnPrograms.directory, "./one")
        shutil.copy(target("older"), path)
        path = os.path.normpath(path)
        for arguments in (["-x", "./one", "--duration", "1ms"], ["-x", "one", "--duration", "1ms"],
                          ["--", "./one"]):
            status, lines, said = run("record", "-o", "-", *arguments,
                                      cwd=OwnPrograms.directory)
            self.assertEqual(status, 0, said)
            events = [json.loads(line) for line in lines.splitlines() if line.startswith("{")]
            self.assertEqual(events[0]["targets"], [path])
            self.assertEqual({event["exe"] for event in events if "exe" in event}, {path})

    def test_durations_fit_into_each_other(self):
        events, _ = record(["go 1"])
        total = completed(events)[0]["total_duration_ms"]
        self.assertGreater(total, sum(step["duration_ms"] for step in steps(events)))

    def test_failure_in_step_three(self):
        events, _ = record(["fail"])
        outcomes = [step["outcome"] for step in steps(events)]
        self.assertEqual(outcomes, ["success", "success", "failure"])
        self.assertEqual(steps(events)[2]["error_category"], "database")
        self.assertEqual(steps(events)[2]["mutations_count"], 0)
        done = completed(events)[0]
        self.assertEqual(done["outcome"], "failure")
        self.assertEqual(done["error_category"], "database")
        failed = next(step for step in steps(events) if step["outcome"] == "failure")
        self.assertEqual(done["failed_step"], {
            "step_id": failed["step_id"], "step_type": failed["step_type"],
            "name": failed["step"]["name"]})
        self.assertEqual(done["steps_skipped"], 0)
        self.assertEqual((done["steps_executed"], done["steps_successful"], done["steps_failed"]),
                         (3, 2, 1))

    def test_nested_steps_and_commands(self):
        events, _ = record(["nested"])
        by_name = {step["step"]["name"]: step for step in steps(events)}
        self.assertEqual([by_name[name]["step"]["depth"] for name in ("outer", "middle", "inner")],
                         [0, 1, 2])
        self.assertEqual(by_name["inner"]["step"]["parent_step_id"], by_name["middle"]["step_id"])
        self.assertEqual(by_name["middle"]["step"]["parent_step_id"], by_name["outer"]["step_id"])
        parent, child = started(events)
        self.assertEqual(child["parent_execution_id"], parent["execution_id"])
        self.assertNotIn("parent_execution_id", parent)
        self.assertEqual([done.get("parent_execution_id") for done in completed(events)],
                         [parent["execution_id"], None])
        self.assertEqual(child["schedule"], {
            "schedule_id": 17, "schedule_run_id": 99,
            "planned_run_at": "2026-09-21T14:13:20.000000000Z"})
        self.assertTrue(all(event["dry_run"] for event in steps(events)))
        self.assertEqual([done["dry_run"] for done in completed(events)], [True, False])
        self.assertEqual(completed(events)[0]["steps_executed"], 3)

    def test_tools_fragments_items_and_tokens(self):
        events, _ = record(["tool"])
        step = steps(events)[0]
        self.assertEqual(step["fragment_id"], -7)
        self.assertEqual(step["items"], {"in": 9, "out": 4})
        self.assertEqual(step["ai"],
                         {"cache": "miss", "prompt_tokens": 12, "completion_tokens": 34})
        self.assertEqual(step["outcome"], "skipped")
        tool = of_kind(events, "tool.invocation.completed")[0]
        self.assertEqual(tool["tool_slug"], "shell.grep")
        self.assertEqual(tool["step_id"], step["step_id"])
        self.assertEqual(tool["exit_status"], 3)
        self.assertEqual(tool["outcome"], "failure")
        changes = of_kind(events, "fragment.changed")
        self.assertEqual([(change["fragment_id"], change["operation"]) for change in changes],
                         [(41, "created"), (42, "updated"), (43, "deleted")])
        self.assertTrue(all(change["step_id"] == step["step_id"] for change in changes))

    def test_rejected(self):
        events, _ = record(["reject"])
        rejected = of_kind(events, "command.validation.failed")
        self.assertEqual(len(runner_events(events)), 1)
        self.assertEqual(rejected[0]["reason"], "unknown_command")
        self.assertEqual(rejected[0]["invalid_fields"], ["title", "tags"])
        self.assertEqual(rejected[0]["correlation_id"], "req-12345678")
        self.assertEqual(rejected[0]["source"]["comm"], "spans")

    def test_rejected_after_it_began(self):
        """The rejection ends the command: nothing is left to be aborted."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            runner.do("refuse")
            runner.order("quit")
            runner.process.wait(PATIENCE_S)
            events = tracer.ended()
        check_books(self, events)
        self.assertEqual([event["event"] for event in runner_events(events)],
                         ["command.execution.started", "dsl.step.executed",
                          "command.validation.failed", "command.execution.completed"])
        done, = completed(events)
        self.assertEqual((done["outcome"], done["error_category"], done["steps_executed"],
                          done["complete"]), ("failure", "validation", 1, True))
        self.assertEqual(len({event["execution_id"] for event in runner_events(events)}), 1)

    def test_seed_fields_only(self):
        events, _ = record(["go 1", "fail"], "--fields", "seed")
        self.assertEqual(list(steps(events)[0]), [
            "event", "correlation_id", "execution_id", "step_id", "step_type", "command_slug",
            "fragment_id", "duration_ms", "mutations_count", "dry_run", "outcome", "user_id"])
        self.assertEqual(list(started(events)[0]), [
            "event", "correlation_id", "execution_id", "command_slug", "dry_run", "user_id",
            "request_source"])
        self.assertEqual(list(completed(events)[0]), [
            "event", "correlation_id", "execution_id", "command_slug", "total_duration_ms",
            "steps_executed", "steps_successful", "steps_failed", "dry_run", "outcome", "user_id"])

    def test_hostile_text(self):
        events, _ = record(["text " + kind for kind in
                            ("quotes", "newline", "control", "invalid", "long")])
        slugs = [start["command_slug"] for start in started(events)]
        self.assertEqual(slugs[0], 'a "quoted" \\ back/slash')
        self.assertEqual(slugs[1], "one\ntwo\r\nthree")
        self.assertEqual(slugs[2], "".join(chr(code) for code in range(1, 32)))
        self.assertIn("\ufffd", slugs[3])
        self.assertIn("ok", slugs[3])
        self.assertEqual(slugs[4], "\u00e9" * 32)
        self.assertEqual(steps(events)[4]["step_type"], "\u00e9" * 24)
        self.assertEqual(started(events)[4]["correlation_id"], "\u00e9" * 64)
        check_books(self, events)

    def test_threads(self):
        events, _ = record(["threads 500"])
        self.assertEqual(len(completed(events)), 4000)
        self.assertTrue(all(done["complete"] for done in completed(events)))
        self.assertEqual(len({step["step_id"] for step in steps(events)}), 20000)
        self.assertGreaterEqual(len({event["source"]["tid"] for event in steps(events)}), 8)
        stopped = check_books(self, events)
        self.assertEqual(stopped["hits"], 28000)

    def test_numbers_stay_exact(self):
        events, _ = record(["go 1"])
        text = json.dumps(events)
        self.assertEqual(json.loads(text), events)
        first = events[0]
        wall = first["clock"]["realtime_ns"] - first["clock"]["monotonic_ns"]
        for event in runner_events(events):
            nanoseconds = int(event["timestamp"][20:29])
            self.assertEqual((event["monotonic_ns"] + wall) % 1000000000, nanoseconds)


if __name__ == "__main__":
    unittest.main()
