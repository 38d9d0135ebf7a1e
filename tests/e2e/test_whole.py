# SPDX-License-Identifier: BSD-2-Clause
"""Tail sampling (--whole): executions that meet a condition are written whole, others are absent. A
second tracer, which records everything, says what there was."""
import collections
import json
import signal
import threading
import unittest
import uuid

from harness import (PATIENCE_S, EndToEnd, Runner, Tracer, aborted, check_books, completed,
                     record_the_rest, run, runner_events, started, target)

REJECTED, END = "command.validation.failed", "command.execution.completed"


def by_execution(events):
    found = collections.defaultdict(list)
    for event in runner_events(events):
        found[event["execution_id"]].append(event)
    return found


def identity(event):
    """What is the same in two recordings. The times of an aborted span are the tracer's own."""
    return (event["event"], event["correlation_id"], event.get("step_id"), event.get("outcome"),
            event.get("invocation_id"), event.get("fragment_id"), event.get("steps_executed"),
            None if "aborted" in event else event.get("duration_ms"))


def is_sampled(execution_id, every):
    """As include/steptrace/sample.h decides."""
    low, high = (int.from_bytes(half, "little") for half in
                 (uuid.UUID(execution_id).bytes[:8], uuid.UUID(execution_id).bytes[8:]))
    return ((low ^ high) * 0x9e3779b97f4a7c15 % (1 << 64) >> 32) % every == 0


def meets(conditions, events):
    """The conditions that an execution meets, of its events in the full recording."""
    times = dict(word.partition(":")[::2] for word in conditions.split(","))
    slower_ms = float(times.get("slower", "infms").removesuffix("ms"))
    met = {"failed" for event in events if event["event"] == REJECTED}
    for end in completed(events):
        met |= {{"failure": "failed"}.get(end["outcome"], end["outcome"])}
        met |= {"slower"} if end["total_duration_ms"] >= slower_ms else set()
    return met & set(times)


class Whole(EndToEnd):
    def begin(self, conditions, *arguments):
        """Both tracers, of every process that runs the program of this test."""
        self.conditions, self.every = conditions, None
        if "--sample" in arguments:
            self.every = int(arguments[arguments.index("--sample") + 1])
        self.everything = Tracer("-x", target("spans"), "--buffer", "64M")
        self.tracer = Tracer("-x", target("spans"), "--buffer", "64M", "--whole", conditions,
                             *arguments)

    def end(self):
        """Ends both, and checks the books and each execution. Returns the events of the full
        recording by execution, and those of the other one."""
        full, some = self.everything.stop(), self.tracer.stop()
        self.stopped = check_books(self, some)
        self.assertEqual((check_books(self, full)["lost"], self.stopped["lost"]), (0, 0))
        self.assertEqual(self.stopped["hits"], full[-1]["hits"])
        full, some = by_execution(full), by_execution(some)
        self.check_each(full, some)
        return full, some

    def check_each(self, full, some):
        self.assertLessEqual(set(some), set(full))
        early = 0
        for execution_id, events in full.items():
            written = some.get(execution_id, [])
            if not self.is_expected(execution_id, events, written):
                self.assertEqual(written, [], "it meets no condition")
                continue
            self.assertEqual(collections.Counter(map(identity, written)),
                             collections.Counter(map(identity, events)), "it is not whole")
            early += started(events) != [] and self.check_reasons(execution_id, written)
        self.check_counts(full, some, early)

    def is_expected(self, execution_id, events, written):
        if meets(self.conditions, events) or self.every and is_sampled(execution_id, self.every):
            return True
        if not completed(events):  # it is not certain how it ended
            return bool(written)
        return any("early" in end["selected_by"] for end in completed(written))

    def check_reasons(self, execution_id, written):
        """Returns whether the execution was decided early."""
        reasons = {reason for end in completed(written) for reason in end["selected_by"]}
        sampled = {"sample"} if self.every and is_sampled(execution_id, self.every) else set()
        if not completed(written):
            return True
        self.assertEqual(reasons - {"early"}, meets(self.conditions, written) | sampled)
        return "early" in reasons

    def check_counts(self, full, some, early):
        """A command that was rejected before it began is no execution."""
        begun = [execution_id for execution_id in full if started(full[execution_id])]
        written = [execution_id for execution_id in some if started(some[execution_id])]
        self.assertEqual(self.stopped.get("executions_written", 0), len(written))
        self.assertEqual(self.stopped.get("executions_left_out", 0), len(begun) - len(written))
        self.assertEqual(self.stopped.get("executions_decided_early", 0), early)
        self.assertEqual(self.stopped["filtered"]["command.execution.started"],
                         len(begun) - len(written))


class Conditions(Whole):
    ORDERS = ("go 3", "fail", "reject", "refuse", "tool", "nested", "sleep 2", "spread 3",
              "break kill", "change comm", "fork", "crowd 3")

    def recorded(self, conditions, *arguments):
        self.begin(conditions, *arguments)
        with Runner() as runner, Runner() as doomed:
            for order in self.ORDERS:
                runner.do(order)
            doomed.order("die kill")
            doomed.process.wait(PATIENCE_S)
        return self.end()

    def slugs(self, some):
        return {event["command_slug"] for events in some.values() for event in events}

    def test_each_of_them(self):
        for conditions, slugs in (("failed", {"fragment.update", "nonesuch", "refused"}),
                                  ("aborted", {"doomed"}),
                                  ("slower:30ms", {"sleepy"}),
                                  ("failed,aborted,slower:30ms",
                                   {"fragment.update", "nonesuch", "refused", "doomed", "sleepy"})):
            with self.subTest(conditions):
                _, some = self.recorded(conditions)
                # On a busy machine other commands may take long, too.
                self.assertLessEqual(slugs, self.slugs(some))
                if "slower" not in conditions:
                    self.assertEqual(slugs, self.slugs(some))

    def test_nothing_meets_it(self):
        full, some = self.recorded("slower:3600000ms")
        self.assertEqual((len(some), self.stopped["events"]), (0, 0))
        self.assertGreater(len(full), 10)
        self.assertIn("executions: 0 written whole", self.tracer.words[-2])

    def test_kinds_that_other_filters_leave_out(self):
        """--command leaves out whole executions, --step-type steps of all of them."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--whole", "failed", "--command", "fragment.*",
                            "--step-type", "Ai*")
            for order in ("fail", "refuse", "go 2"):
                runner.do(order)
            events = tracer.stop()
        stopped = check_books(self, events)
        self.assertEqual([event["event"] for event in runner_events(events)],
                         ["command.execution.started", "command.execution.completed"])
        self.assertEqual((stopped["executions_written"], stopped["executions_left_out"]), (1, 2))


class Sample(Whole):
    def test_it_is_the_sample_of_the_kernel(self):
        with Runner() as runner:
            in_kernel = Tracer("-p", str(runner.pid), "--sample", "4")
            self.begin("failed", "--sample", "4")
            for order in ("go 400", "fail", "fail", "reject"):
                runner.do(order)
            _, some = self.end()
            sampled = by_execution(in_kernel.stop())
        failed = {execution_id for execution_id, events in some.items()
                  if meets("failed", events)}
        self.assertEqual(set(some) - failed, set(sampled) - failed)
        self.assertEqual(len(failed), 3)
        self.assertGreater(len(sampled), 20)


class Load(Whole):
    """Several runners at the same time, with threads and forks, some of which are killed."""

    # The orders of each runner, and how it ends: with its last order, which is not awaited, or
    # killed while it carries the order out.
    WORK = (("quit", "threads 150", "fail", "spread 4", "threads 50", "break kill", "sleep 2"),
            ("quit", "fork", "fail", "refuse", "crowd 20", "threads 100", "nested", "reject"),
            ("leave", "flood 300", "go 200", "drain 300"),
            ("killed", "flood 100", "threads 500"))

    def work(self, last, *orders):
        runner = Runner()
        for order in orders[:-1]:
            runner.do(order)
        runner.order(orders[-1])
        if last == "killed":
            self.something_was_written.wait(PATIENCE_S)
            runner.process.send_signal(signal.SIGKILL)
        else:
            runner.lines.until("ok")
            runner.order(last)
        runner.process.wait(PATIENCE_S)
        runner.lines.rest()

    def load(self):
        self.something_was_written = threading.Event()
        threads = [threading.Thread(target=self.work, args=orders) for orders in self.WORK]
        for thread in threads:
            thread.start()
        self.everything.written(END)
        self.something_was_written.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            self.assertFalse(thread.is_alive())

    def test_enough_memory(self):
        self.begin("failed,aborted,slower:15ms", "--sample", "10", "--hold", "512M")
        self.load()
        full, some = self.end()
        self.assertNotIn("executions_decided_early", self.stopped)
        self.assertGreater(len(full), 1000)
        self.assertGreater(len(aborted([event for events in some.values() for event in events])),
                           20)

    def test_full_memory(self):
        """What is written early is whole, too, and everything that meets a condition is there."""
        self.begin("failed,aborted", "--hold", "64K")
        self.load()
        full, some = self.end()
        self.assertGreater(self.stopped["executions_decided_early"], 100)
        self.assertGreater(len(full), len(some))
        self.assertTrue(any("memory of --hold is full" in line for line in self.tracer.words))

    def test_losses(self):
        """A hit that was lost is missing in its execution, which says so. The books balance."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--whole", "slower:1ns", "--buffer", "64K",
                            "--hold", "1M")
            for order in ("go 5", "open"):
                runner.do(order)
            tracer.written(END)
            tracer.freeze()
            for order in ("threads 300", "step 0"):
                runner.do(order)
            tracer.thaw()
            tracer.written("trace.lost")
            runner.do("close")
            events = tracer.stop()
        stopped = check_books(self, events)
        self.assertGreater(stopped["lost_by_reason"]["buffer_full"], 1000)
        told = collections.Counter()
        for execution in by_execution(events).values():
            for end in completed(execution):
                is_whole = len(execution) == 2 + end["steps_executed"]
                self.assertEqual(end["complete"], is_whole)
                told[is_whole] += 1
        self.assertGreaterEqual(told[True], 5)
        self.assertGreater(told[False], 0)


class TheEnd(EndToEnd):
    def test_executions_that_are_still_running(self):
        """They meet no condition yet, except that they have been running for some time."""
        for condition, kinds, word in (
                ("failed,aborted", [], "executions: 0 written whole"),
                ("slower:1h", [], "1 left out (1 of them still running)"),
                ("slower:1ns", ["command.execution.started", "dsl.step.executed"],
                 "executions: 1 written whole")):
            with self.subTest(condition), Runner() as runner:
                tracer = Tracer("-p", str(runner.pid), "--whole", condition)
                runner.do("open")
                runner.do("step 0")
                events = tracer.stop(signal.SIGTERM if kinds else signal.SIGINT)
                stopped = check_books(self, events)
                self.assertEqual([event["event"] for event in runner_events(events)], kinds)
                self.assertEqual((stopped["hits"], stopped["lost"]), (2, 0))
                self.assertEqual(stopped.get("executions_unfinished", 0), 0 if kinds else 1)
                self.assertIn(word, tracer.words[-2])
                runner.do("close")

    def test_count(self):
        """The execution with which the limit is reached is whole."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--whole", "failed", "--count", "3")
            for order in ("go 2", "fail", "fail"):
                runner.do(order)
            events = tracer.ended()
        stopped = check_books(self, events)
        self.assertEqual((stopped["events"], stopped["lost"], stopped["reason"]), (5, 0, "count"))
        self.assertEqual((len(started(events)), len(completed(events))), (1, 1))

    def test_attached_in_the_middle(self):
        for condition, kinds in (("failed", []),
                                 ("slower:1ns", ["dsl.step.executed",
                                                 "command.execution.completed"])):
            events = record_the_rest("--whole", condition)
            self.assertEqual([event["event"] for event in runner_events(events)], kinds)
            self.assertEqual(check_books(self, events)["hits"], 2)
            self.assertEqual([end["complete"] for end in completed(events)],
                             [False] * len(kinds[1:]))


class Lines(EndToEnd):
    def test_compact(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--whole", "failed", "--format", "compact")
            runner.do("go 5")
            runner.do("fail")
            tracer.process.send_signal(signal.SIGINT)
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8") as file:
                lines = file.read().splitlines()
        self.assertEqual(len(lines), 1 + 5)
        self.assertIn("failure", lines[-1])

    def test_fields(self):
        """The conditions need no field of the lines."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--whole", "failed", "--fields", "step.name")
            runner.do("go 5")
            runner.do("fail")
            tracer.process.send_signal(signal.SIGINT)
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8") as file:
                events = [json.loads(line) for line in file]
        self.assertEqual(len(runner_events(events)), 5)
        self.assertEqual({name for event in runner_events(events) for name in event},
                         {"event", "execution_id", "step"})

    def test_order(self):
        """The lines of an execution are together, in the order of time."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--whole", "failed")
            runner.do("open")
            for order in ("fail", "reject", "fail"):
                runner.do(order)
            events = tracer.stop()
            runner.do("close")
        ids = [event["execution_id"] for event in runner_events(events)]
        self.assertEqual(len(ids), 11)
        self.assertEqual(sum(one != other for one, other in zip(ids, ids[1:])), 2)
        for execution in by_execution(events).values():
            times = [event["monotonic_ns"] for event in execution]
            self.assertEqual(times, sorted(times))


class Usage(EndToEnd):
    def test_what_makes_no_sense(self):
        for arguments, words in (
                (("--whole", "failed", "--failed"), "instead, give --whole failed"),
                (("--min-duration", "1s", "--whole", "aborted"), "before its end is known"),
                (("--whole", "fail"), "--whole failed,slower:10s"),
                (("--whole", "slower"), "--whole slower:10s"),
                (("--whole", "slower:1s,slower:2s"), "the shorter one"),
                (("--hold", "1M"), "--hold needs --whole"),
                (("--whole", "failed", "--hold", "1K"), "a size from 64K to 64G")):
            status, output, said = run("record", *arguments, "--", target("spans"))
            self.assertEqual((status, output), (2, ""), arguments)
            self.assertIn(words, said)

    def test_no_option_of_latency(self):
        self.assertEqual(run("latency", "--whole", "failed")[0], 2)


if __name__ == "__main__":
    unittest.main()
