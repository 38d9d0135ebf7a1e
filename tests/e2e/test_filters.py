# SPDX-License-Identifier: BSD-2-Clause
"""Filters select processes and events in the kernel; what they leave out is counted."""
import os
import pwd
import subprocess
import tempfile
import unittest

import needs
from harness import (PATIENCE_S, EndToEnd, Runner, Tracer, aborted, check_books, completed, of_kind,
                     record, record_the_rest, run, runner_events, started, steps, target)

ORDERS = ["go 3", "fail", "reject", "tool", "nested"]
EVERYTHING = 3 * 7 + 5 + 1 + 7 + 7


def filtered(events):
    return sum(events[-1]["filtered"].values())


class What(EndToEnd):
    def recorded(self, *arguments, orders=ORDERS):
        events, _ = record(orders, *arguments)
        stopped = check_books(self, events)
        self.assertEqual(stopped["lost"], 0)
        if orders is ORDERS:
            self.assertEqual(stopped["hits"], EVERYTHING)
        return events

    def test_nothing_is_left_out_without_a_filter(self):
        events = self.recorded()
        self.assertEqual(filtered(events), 0)
        self.assertEqual(len(runner_events(events)), EVERYTHING)

    def test_command(self):
        for pattern, slugs in (("fragment.*", {"fragment.update"}),
                               ("nest?d,tool*", {"nested", "toolbox"}),
                               ("[!fpt]*", {"nested", "nonesuch"}),
                               ("!fragment.*,!n*", {"toolbox", "parent"}),
                               ("n*,!nest?d", {"nonesuch"}),
                               ("!n*,nested", {"fragment.update", "nested", "toolbox", "parent"}),
                               ("nothing", set())):
            events = self.recorded("--command", pattern)
            self.assertEqual({event["command_slug"] for event in runner_events(events)}, slugs)
            self.assertEqual(filtered(events), EVERYTHING - len(runner_events(events)))
            self.assertEqual([done for done in completed(events) if not done["complete"]], [])
            self.assertEqual(len(completed(events)), len(started(events)))

    def test_repeated_patterns_are_added(self):
        events = self.recorded("--command", "n*", "--command", "!nest*", "--command", "toolbox")
        self.assertEqual({event["command_slug"] for event in runner_events(events)},
                         {"nonesuch", "toolbox"})

    def test_step_types_that_are_excluded(self):
        events = self.recorded("--step-type", "!Database*,!Condition*")
        types = {step["step_type"] for step in steps(events)}
        self.assertFalse(types & {"DatabaseUpdateStep", "ConditionStep"})
        self.assertTrue({"ToolCallStep", "NotifyStep"} <= types)

    def test_step_type(self):
        events = self.recorded("--step-type", "Tool*,Notify*")
        self.assertEqual([step["step_type"] for step in steps(events)],
                         ["ToolCallStep", "NotifyStep"])
        self.assertEqual(len(completed(events)), 7)
        self.assertTrue(all(done["complete"] and done["steps_lost"] == 0
                            for done in completed(events)))
        self.assertEqual(events[-1]["filtered"]["dsl.step.executed"], filtered(events))

    def test_failed(self):
        events = self.recorded("--failed")
        self.assertEqual([event["event"] for event in runner_events(events)],
                         ["dsl.step.executed", "command.execution.completed",
                          "command.validation.failed", "tool.invocation.completed"])
        self.assertEqual(steps(events)[0]["error_category"], "database")
        done = completed(events)[0]
        self.assertEqual((done["outcome"], done["steps_executed"], done["complete"]),
                         ("failure", 3, True))
        self.assertIsNotNone(done["total_duration_ms"])

    def test_count(self):
        """What follows was not asked for: it is filtered, and nothing is lost."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--count", "3")
            tracer.freeze()
            runner.do("go 2")
            tracer.thaw()
            events = tracer.ended()
        stopped = check_books(self, events)
        self.assertEqual((stopped["hits"], stopped["events"], stopped["lost"]), (14, 3, 0))
        self.assertEqual(filtered(events), 11)
        self.assertIn("3 events, 0 lost, 11 filtered (count)", tracer.words[-1])

    def test_min_duration(self):
        """A second tracer without a filter says which of the events are long enough. Those of the
        command that sleeps are; on a busy machine others may be as well."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--min-duration", "15ms")
            everything = Tracer("-p", str(runner.pid))
            for order in ("go 5", "sleep 2", "reject"):
                runner.do(order)
            events, unfiltered = tracer.stop(), everything.stop()
        long_ones = [self.identity(event) for event in runner_events(unfiltered)
                     if event.get("duration_ms", event.get("total_duration_ms", 0)) >= 15]
        self.assertEqual([self.identity(event) for event in runner_events(events)], long_ones)
        self.assertEqual(len(of_kind(runner_events(events), "command.execution.started")), 0)
        sleepy = [event["event"] for event in runner_events(events)
                  if event["command_slug"] == "sleepy"]
        self.assertEqual(sleepy, ["dsl.step.executed"] * 2 + ["command.execution.completed"])
        self.assertEqual(len(runner_events(unfiltered)), 35 + 4 + 1)
        self.assertEqual(filtered(events), 40 - len(long_ones))
        check_books(self, events)

    def identity(self, event):
        return event["event"], event["execution_id"], event.get("step_id")

    def test_sample(self):
        """A command is whole or absent, and about one in four is there. Of 4,000 that is 1,000,
        with a standard deviation of 27; the bounds are six of them away."""
        events = self.recorded("--sample", "4", orders=["go 4000"])
        seen = len(completed(events))
        self.assertTrue(836 <= seen <= 1164, seen)
        self.assertEqual(len(started(events)), seen)
        self.assertEqual(len(steps(events)), 5 * seen)
        self.assertTrue(all(done["complete"] for done in completed(events)))
        self.assertEqual(filtered(events), 28000 - 7 * seen)

    def test_sample_one_is_all(self):
        self.assertEqual(filtered(self.recorded("--sample", "1")), 0)

    def test_together(self):
        events = self.recorded("--failed", "--command", "tool*", "--sample", "1")
        self.assertEqual([event["event"] for event in runner_events(events)],
                         ["tool.invocation.completed"])

    def test_attached_in_the_middle(self):
        """The slug is read from the command that the step belongs to."""
        with Runner() as runner:
            runner.do("open")
            tracer = Tracer("-p", str(runner.pid), "--command", "hel*")
            runner.do("step 0")
            runner.do("close")
            runner.do("go 1")
            events = tracer.stop()
        self.assertEqual([event["event"] for event in runner_events(events)],
                         ["dsl.step.executed", "command.execution.completed"])
        self.assertEqual(filtered(events), 7)

    def test_what_was_aborted_failed(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--failed")
            runner.do("go 20")
            runner.order("die kill")
            runner.process.wait(PATIENCE_S)
            events = tracer.ended()
        check_books(self, events)
        self.assertEqual([event["command_slug"] for event in aborted(events)], ["doomed"])
        self.assertEqual(aborted(events)[0]["aborted"]["signal"], 9)
        self.assertEqual(len(completed(events)), 1)
        done = completed(events)[0]
        self.assertEqual((done["complete"], done["steps_lost"]), (False, None))

    def test_what_was_aborted_too_soon(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--min-duration", "1h")
            runner.order("die kill")
            runner.process.wait(PATIENCE_S)
            self.assertEqual(tracer.wait(), 0)
            self.assertEqual(runner_events(tracer.events()), [])

    def test_after_a_loss(self):
        """Where steps are filtered, a step that is missing may have been filtered or lost: the
        command does not say how many were lost."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--buffer", "64K", "--step-type", "Database*")
            runner.do("open")
            tracer.written("command.execution.started")
            tracer.freeze()
            runner.do("threads 300")
            runner.do("step 0")
            tracer.thaw()
            tracer.written("trace.lost")
            runner.do("close")
            events = tracer.stop()
        stopped = check_books(self, events)
        self.assertGreater(stopped["lost"], 0)
        held = [done for done in completed(events) if done["command_slug"] == "held"]
        self.assertEqual([(done["complete"], done["steps_lost"]) for done in held], [(False, None)])


class Who(EndToEnd):
    def count(self, *arguments, **options):
        """How many events of a runner these filters let pass. What they leave out is not counted as
        a hit."""
        with Runner(**options) as runner:
            tracer = Tracer("-p", str(runner.pid), *arguments)
            runner.do("go 1")
            events = tracer.stop()
        check_books(self, events)
        self.assertEqual(filtered(events), 0)
        self.assertEqual(events[-1]["hits"], len(runner_events(events)))
        return len(runner_events(events))

    def test_uid(self):
        needs.user_name(0)
        name = pwd.getpwuid(0).pw_name
        self.assertEqual(self.count("--uid", "0"), 7)
        self.assertEqual(self.count("--uid", name), 7)
        self.assertEqual(self.count("--uid", "12345"), 0)

    def test_uid_of_another(self):
        needs.other_users()
        with tempfile.TemporaryDirectory() as directory:
            os.chmod(directory, 0o755)
            program = os.path.join(directory, "spans")
            subprocess.run(["cp", target("spans"), program], check=True)
            self.assertEqual(self.count("--uid", "65534", program=program, user=65534), 7)

    def test_comm(self):
        self.assertEqual(self.count("--comm", "sp*"), 7)
        self.assertEqual(self.count("--comm", "x*,*ans"), 7)
        self.assertEqual(self.count("--comm", "span"), 0)
        self.assertEqual(self.count("--comm", "!sp*"), 0)
        self.assertEqual(self.count("--comm", "!x*"), 7)

    def test_decided_once(self):
        """An execution follows what was decided at its beginning, although the thread's name or the
        user changes in the middle of it."""
        for what, first, second in (("comm", "alpha", "beta"), ("uid", "0", "65534")):
            for value, expected in ((first, 4), (second, 0)):
                with self.subTest(what, value=value):
                    events, _ = record(["change " + what], "--" + what, value)
                    self.assertEqual(check_books(self, events)["hits"], expected)
                    self.assertEqual(len(runner_events(events)), expected)
                    ends = [(done["outcome"], done["complete"]) for done in completed(events)]
                    self.assertEqual(ends, [("success", True)][:expected])
                    self.assertNotIn("filter_decisions_lost", events[-1])

    def test_decided_in_the_middle(self):
        """The first boundary that is seen decides."""
        events = record_the_rest("--comm", "spans")
        self.assertEqual([event["event"] for event in runner_events(events)],
                         ["dsl.step.executed", "command.execution.completed"])
        self.assertNotIn("filter_decisions_lost", events[-1])

    def test_more_executions_than_decisions(self):
        """A decision that had to be dropped is made again, and that is counted."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--comm", "spans", "--buffer", "64M")
            runner.do("flood 70000")
            runner.do("drain 70000")
            events = tracer.stop()
        stopped = check_books(self, events)
        self.assertEqual(stopped["hits"], 140000)
        self.assertGreaterEqual(stopped["filter_decisions_lost"], 70000 - 65536)
        self.assertTrue(any("decided again" in line for line in tracer.words))

    def test_cgroup(self):
        root = needs.cgroup2()
        outer = os.path.join(root, "steptrace-test-%d" % os.getpid())
        inner = os.path.join(outer, "inner")
        os.makedirs(inner)
        try:
            with Runner() as inside, Runner() as outside:
                with open(os.path.join(inner, "cgroup.procs"), "w", encoding="ascii") as file:
                    file.write(str(inside.pid))
                for path, expected in ((inner, 7), (outer, 7), (root, 14),
                                       (os.path.relpath(inner, root), 7)):
                    tracer = Tracer("-p", "%d,%d" % (inside.pid, outside.pid), "--cgroup", path)
                    inside.do("go 1")
                    outside.do("go 1")
                    events = tracer.stop()
                    self.assertEqual(len(runner_events(events)), expected, path)
                    self.assertEqual(events[-1]["hits"], expected)
                    if expected == 7:
                        pids = {event["source"]["pid"] for event in runner_events(events)}
                        self.assertEqual(pids, {inside.pid})
        finally:
            os.rmdir(inner)
            os.rmdir(outer)


    def test_a_cgroup_that_is_made_again(self):
        """As when a service restarts: the path is the same, the id is another. What the first
        process does at once is recorded. A cgroup of another name is not."""
        path = os.path.join(needs.cgroup2(), "steptrace-again-%d" % os.getpid())
        os.mkdir(path)
        tracer = Tracer("-x", target("spans"), "--cgroup", path)
        try:
            pids = [self.run_inside(path) for path in (path, path, path + "-other", path)]
            events = tracer.stop()
        finally:
            os.path.exists(path) and os.rmdir(path)
        del pids[2]
        self.assertEqual([done["source"]["pid"] for done in completed(events)], pids)
        self.assertEqual(events[-1]["hits"], 21)

    def test_a_cgroup_whose_parent_is_made_again(self):
        outer = os.path.join(needs.cgroup2(), "steptrace-outer-%d" % os.getpid())
        os.makedirs(os.path.join(outer, "inner"))
        tracer = Tracer("-x", target("spans"), "--cgroup", os.path.join(outer, "inner"))
        os.rmdir(os.path.join(outer, "inner"))
        os.rmdir(outer)
        os.mkdir(outer)
        pid = self.run_inside(os.path.join(outer, "inner"))
        tracer.lines.until("was removed")
        events = tracer.stop()
        os.rmdir(outer)
        self.assertEqual([done["source"]["pid"] for done in completed(events)], [pid])

    @staticmethod
    def run_inside(path):
        """Makes the cgroup, runs one command in it, and removes it. Returns the process id."""
        if not os.path.exists(path):
            os.mkdir(path)
        with subprocess.Popen(["sh", "-c", "echo $$ >%s/cgroup.procs; exec %s"
                               % (path, target("spans"))], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL) as process:
            process.communicate(b"go 1\nquit\n")
        os.rmdir(path)
        return process.pid


class Usage(EndToEnd):
    def test_what_makes_no_sense(self):
        for arguments, words in ((("--uid", "nobody-of-this-name"), "there is no user"),
                                 (("--cgroup", "/etc"), "is no cgroup"),
                                 (("--cgroup", "/nonesuch"), "is no cgroup"),
                                 (("--comm", ""), "is not a pattern"),
                                 (("--command", "[a"), "is not a pattern"),
                                 (("--step-type", "x" * 70), "is too long"),
                                 (("--min-duration", "fast"), "--min-duration 100ms"),
                                 (("--sample", "0"), "--sample 100"),
                                 (("--sample", "1.5"), "--sample 100")):
            status, output, said = run("record", *arguments, "--", target("spans"))
            self.assertEqual((status, output), (2, ""), arguments)
            self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main()
