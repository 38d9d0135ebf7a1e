# SPDX-License-Identifier: BSD-2-Clause
"""A runner that goes away in the middle of a step: nothing in it can say so."""
import contextlib
import json
import os
import signal
import unittest

from harness import (PATIENCE_S, EndToEnd, Runner, Tracer, aborted, check_books, completed, record,
                     run, started, steps, target)

ENDS = {
    "kill": {"cause": "signal", "signal": 9, "signal_name": "SIGKILL"},
    "segv": {"cause": "signal", "signal": 11, "signal_name": "SIGSEGV"},
    "abort": {"cause": "signal", "signal": 6, "signal_name": "SIGABRT"},
    "exit": {"cause": "exit", "exit_status": 3},
    "quiet": {"cause": "exit", "exit_status": 7},
    "exec": {"cause": "exec"},
}


def ended(how, *arguments):
    """The events of a runner that died in the way named; its recording ended by itself."""
    with Runner() as runner:
        tracer = Tracer("-p", str(runner.pid), *arguments)
        runner.do("go 1")
        runner.order("die " + how)
        runner.process.wait(PATIENCE_S)
        status = tracer.wait()
        assert status == 0, tracer.words
        return tracer.events()


@contextlib.contextmanager
def memory_cgroup(limit_bytes):
    """A cgroup with a limit, v2 or v1, below our own; its cgroup.procs."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        ours = {line.split(":")[1]: line.strip().split(":", 2)[2] for line in file}
    for base, limit in (("/sys/fs/cgroup" + ours.get("", "/"), "memory.max"),
                        ("/sys/fs/cgroup/memory" + ours.get("memory", "/"),
                         "memory.limit_in_bytes")):
        path = os.path.join(base, "steptrace-test-%d" % os.getpid())
        if not os.path.exists(os.path.join(base, "cgroup.procs")):
            continue
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            with open(os.path.join(path, limit), "w", encoding="ascii") as file:
                file.write(str(limit_bytes))
        except OSError:
            os.rmdir(path)
            continue
        try:
            yield os.path.join(path, "cgroup.procs")
        finally:
            os.rmdir(path)
        return
    raise unittest.SkipTest("no memory cgroup can be made here")


class Aborted(EndToEnd):
    def check(self, events, expected):
        check_books(self, events)
        gone = aborted(events)
        self.assertEqual([event["event"] for event in gone],
                         ["dsl.step.executed"] * 2 + ["command.execution.completed"])
        inner, outer, done = gone
        self.assertEqual((inner["step"]["name"], outer["step"]["name"]), ("fatal", "outer"))
        self.assertEqual(inner["step"]["parent_step_id"], outer["step_id"])
        self.assertEqual(inner["step_type"], "DatabaseUpdateStep")
        start = started(events)[-1]
        for event in gone:
            self.assertEqual(event["execution_id"], start["execution_id"])
            self.assertEqual(event["command_slug"], "doomed")
            self.assertEqual(event["user_id"], "tester")
        self.assertGreaterEqual(outer["duration_ms"], inner["duration_ms"])
        self.assertGreaterEqual(done["total_duration_ms"], outer["duration_ms"])
        self.assertEqual((done["steps_executed"], done["steps_successful"], done["steps_failed"]),
                         (4, 1, 1))
        self.assertIs(done["complete"], True)
        self.assertEqual(done["steps_lost"], 0)
        how = done["aborted"]
        for field, value in expected.items():
            self.assertEqual(how[field], value)
        self.assertEqual(how["open_steps"], 2)
        self.assertEqual(how["step"]["name"], "fatal")
        self.assertEqual(how["step"]["step_id"], inner["step_id"])
        return done

    def test_every_way_to_go(self):
        for how, expected in ENDS.items():
            with self.subTest(how):
                self.check(ended(how), expected)

    def test_ends_only(self):
        """Nobody knows which steps were open, so nobody says that there were none."""
        events = ended("kill", "--ends-only")
        check_books(self, events)
        gone = aborted(events)
        self.assertEqual([event["event"] for event in gone], ["command.execution.completed"])
        self.assertIs(gone[0]["complete"], False)
        self.assertIs(gone[0]["steps_lost"], None)
        self.assertIs(gone[0]["aborted"]["step"], None)

    def test_ends_only_and_nobody_dies(self):
        events, _ = record(["go 20"], "--ends-only")
        self.assertEqual(len(steps(events)), 100)
        self.assertTrue(all(event["complete"] for event in completed(events)))
        check_books(self, events)

    def test_no_core_and_no_memory_trouble(self):
        done = completed(ended("kill"))[-1]
        self.assertIs(done["aborted"]["oom_killed"], False)
        self.assertIs(done["aborted"]["core_dumped"], False)

    def test_it_is_told_while_nothing_else_happens(self):
        """The recording goes on, and no boundary comes after the end of the process. That the
        kernel's record of the end wakes the tracer is held by test_bpf_processes."""
        with Runner() as keeper:
            tracer = Tracer("-x", target("spans"))
            for _ in range(5):
                with Runner() as runner:
                    runner.order("die hang")
                    runner.lines.until("hanging")
                    runner.process.send_signal(signal.SIGKILL)
                    line = tracer.written('"pid":%d' % runner.pid, "command.execution.completed")
                    self.assertEqual(json.loads(line)["aborted"]["signal_name"], "SIGKILL")
            keeper.do("go 1")
            events = tracer.stop()
        self.assertEqual(len(aborted(events)), 15)

    def test_killed_by_somebody_else_while_others_go_on(self):
        with Runner() as doomed, Runner() as other:
            tracer = Tracer("-p", "%d,%d" % (doomed.pid, other.pid))
            other.do("open")
            doomed.order("die hang")
            doomed.lines.until("hanging")
            doomed.process.send_signal(signal.SIGTERM)
            doomed.process.wait(PATIENCE_S)
            other.do("step 0")
            other.do("close")
            events = tracer.stop()
        self.check(events, {"cause": "signal", "signal": 15, "signal_name": "SIGTERM"})
        held = [done for done in completed(events) if done["command_slug"] == "held"]
        self.assertEqual([done["outcome"] for done in held], ["success"])

    def test_attached_in_the_middle(self):
        """Its beginning was not seen, so it is not complete. It has a duration only when another
        tracer was attached when it began: then the runner itself stamped the beginning."""
        with Runner() as runner:
            before = runner.do("enabled")
            runner.do("open")
            was_traced = {*before, *runner.do("enabled")}
            tracer = Tracer("-p", str(runner.pid))
            runner.do("step 0")
            runner.process.send_signal(signal.SIGKILL)
            runner.process.wait(PATIENCE_S)
            events = tracer.ended()
        done = aborted(events)[0]
        if was_traced == {"enabled 0"}:
            self.assertIsNone(done["total_duration_ms"])
        elif was_traced == {"enabled 1"}:
            self.assertGreater(done["total_duration_ms"], 0)
        self.assertIs(done["complete"], False)
        self.assertIsNone(done["steps_lost"])
        self.assertEqual((done["steps_executed"], done["aborted"]["step"]), (1, None))

    def test_a_command_that_a_child_ends_is_not_aborted(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            runner.do("open")
            runner.do("step 0")
            runner.do("continue")
            runner.order("quit")
            runner.process.wait(PATIENCE_S)
            events = tracer.ended()
        self.check_one_end(events, 2)

    def check_one_end(self, events, steps_executed):
        """The command succeeded, and everything was seen."""
        check_books(self, events)
        self.assertEqual(len(started(events)), 1)
        done, = completed(events)
        self.assertEqual((done["outcome"], done["steps_executed"], done["complete"],
                          done["steps_lost"]), ("success", steps_executed, True, 0))
        self.assertNotIn("aborted", [event.get("outcome") for event in events
                                     if event["event"] != "dsl.step.executed"])
        return done

    def test_steps_in_children_that_exit(self):
        events, _ = record(["spread 3"])
        self.check_one_end(events, 4)
        self.assertEqual(aborted(events), [])
        self.assertEqual(len({step["source"]["pid"] for step in steps(events)}), 4)

    def test_a_child_that_ends_inside_a_step(self):
        """It aborts that step, not the command."""
        for how in ("exit", "kill"):
            with self.subTest(how):
                events, _ = record(["break " + how])
                done = self.check_one_end(events, 2)
                gone, = aborted(events)
                self.assertEqual(gone["step"]["name"], "fatal")
                self.assertNotEqual(gone["source"]["pid"], done["source"]["pid"])
                self.assertEqual(done["steps_successful"], 1)

    def test_a_parent_that_exits_while_its_child_goes_on(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            runner.order("leave")
            runner.lines.until("left")
            events = tracer.ended()
        done = self.check_one_end(events, 1)
        self.assertEqual(aborted(events), [])
        self.assertNotEqual(done["source"]["pid"], runner.pid)

    def test_a_daemon_that_forks_twice(self):
        """The grandchild is no child of the process that exits: its command is told as aborted,
        unless it has reported a boundary before."""
        for when, outcome, lost in (("before", "success", 0), ("after", "aborted", 1)):
            with self.subTest(when), Runner() as runner:
                tracer = Tracer("-x", target("spans"))
                runner.order("daemonize " + when)
                runner.lines.until("left")
                events = tracer.stop()
                stopped = check_books(self, events)
                done, = completed(events)
                self.assertEqual((done["outcome"], done["steps_executed"], len(steps(events))),
                                 (outcome, 1 - lost, 1))
                self.assertEqual(stopped["lost_by_reason"]["unattributed"], lost)
                self.assertEqual(stopped["lost"], lost)

    def test_too_many_open_commands(self):
        """Those that were forgotten are counted. They are known again when they report something
        else, here the end of a thousand of them."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--buffer", "64M")
            runner.do("flood 70000")
            runner.do("reject")
            tracer.written('"nonesuch"')
            runner.do("drain 1000")
            runner.order("quit")
            runner.process.wait(PATIENCE_S)
            events = tracer.ended()
        stopped = check_books(self, events)
        self.assertEqual((len(started(events)), stopped["lost"]), (70000, 0))
        forgotten = stopped["executions_forgotten"]
        self.assertGreaterEqual(forgotten, 70000 - 65536)
        self.assertIn("%d executions forgotten" % forgotten, tracer.words[-1])
        ended = [done for done in completed(events) if done["outcome"] == "success"]
        recalled = sum(not done["complete"] for done in ended)
        self.assertEqual((len(ended), recalled), (1000, 1000))
        self.assertEqual(len(aborted(events)), 70000 - 1000 - (forgotten - recalled))

    def test_losses_are_no_aborts(self):
        """Where the end of a command may be among what was lost, nobody claims that it had none."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--buffer", "64K", "--flush", "1s")
            runner.do("threads 300")
            runner.order("quit")
            runner.process.wait(PATIENCE_S)
            events = tracer.ended()
        stopped = check_books(self, events)
        self.assertGreater(stopped["lost_by_kind"]["command.execution.completed"], 0)
        self.assertEqual(aborted(events), [])

    def test_out_of_memory(self):
        """In a cgroup with little of it: the kernel's OOM killer says SIGKILL, and we say why."""
        with memory_cgroup(32 << 20) as procs, Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            with open(procs, "w", encoding="ascii") as file:
                file.write(str(runner.pid))
            runner.order("die grow")
            runner.process.wait(PATIENCE_S)
            events = tracer.ended()
        self.check(events, {"cause": "signal", "signal": 9, "oom_killed": True})

    def test_for_a_person(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--format", "compact")
            runner.order("die kill")
            runner.process.wait(PATIENCE_S)
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8") as file:
                text = file.read()
        self.assertRegex(text, r"doomed +done +aborted .* SIGKILL in fatal .* 4 steps, 1 failed\n")
        self.assertRegex(text, r"fatal .* aborted\b")

    def test_behind_a_command(self):
        status, output, words = run("record", "--", target("spans"), input="die exit\n")
        self.assertEqual(status, 3, words)
        self.assertEqual(output.count('"outcome":"aborted"'), 3)


if __name__ == "__main__":
    unittest.main()
