# SPDX-License-Identifier: BSD-2-Clause
"""record --breakdown: where the time of steps and commands went, compared with what the kernel says
of the same thread (tests/targets/waiter.c)."""
import json
import os
import re
import unittest
from decimal import Decimal

import needs
import slow_disk
from harness import (EndToEnd, Runner, Scenario, Tracer, check_books, completed, record, run, steps,
                     target)
from measuring import Disturbed, measured_again
from test_latency import Table, rows_of

MS, US = 1000000, 1000
KINDS = ("disk", "lock", "network", "sleep", "pipe", "other")


def ns(milliseconds):
    """Exactly, from a number of JSON that was read as a Decimal, or as a float with few digits."""
    return int(round(Decimal(milliseconds) * MS))


def exact(tracer, lost=None):
    """Ends the recording; returns its events with exact numbers. `lost`: as many breakdowns have to
    be lost, and not one more."""
    path = tracer.path
    with open(path, encoding="utf-8") as file:  # stop() removes the file
        tracer.process.send_signal(2)
        assert tracer.wait() == 0, tracer.words
        lines = file.readlines()
    tracer.events()  # checks them against the schemas
    events = [json.loads(line, parse_float=Decimal) for line in lines]
    if lost is not None and events[-1].get("breakdowns_lost", 0) > lost:
        raise Disturbed(events[-1])  # preempted between a probe and a clock
    return events


def waited(orders, *arguments, lost=None, prepare=None):
    """Records a waiter. Returns the events, and the answers as [[wall, cpu, delay]]. `prepare` gets
    its pid first."""
    with Runner(target("waiter")) as runner:
        if prepare:
            prepare(runner.pid)
        tracer = Tracer("-p", str(runner.pid), "--breakdown", *arguments)
        answers = [runner.do(words) for words in orders]
        events = exact(tracer, lost)
    return events, [[int(word) for word in line.split()[1:]] for answer in answers
                    for line in answer if line.startswith("truth")]


def parts(cpu):
    """All parts in nanoseconds, by name."""
    return {"on_cpu": ns(cpu["on_cpu_ms"]), "runnable": ns(cpu["runnable_ms"]),
            **{kind: ns(cpu["blocked_ms"][kind]) for kind in KINDS}}


def paused(cpu):
    """A thread that is preempted on its way to sleep is ready to run meanwhile."""
    return cpu["blocked_ms"]["sleep"] + cpu["runnable_ms"]


def nearly(milliseconds):
    """The clock of a pause runs before the thread leaves the processor, and an interrupt may come
    between."""
    return Decimal(milliseconds) * 4 / 5


def named(events, name):
    return [step for step in steps(events) if step["step"]["name"] == name]


class Breakdown(Scenario):
    def check_sums(self, events):
        """The parts add up to the time of the threads, and for one thread to the duration."""
        for event in steps(events) + completed(events):
            cpu = event["cpu"]
            if cpu is not None:
                self.assertEqual(sum(parts(cpu).values()), ns(cpu["threads_ms"]), event)
        for step in steps(events):
            if step["cpu"] is not None:
                self.assertEqual(step["cpu"]["threads_ms"], step["duration_ms"])

    def check_known(self, events):
        """Nearly everything is measured, and what is not is counted. Returns the known steps."""
        unknown = [event for event in steps(events) + completed(events) if event["cpu"] is None]
        self.assertLessEqual(len(unknown), events[-1].get("breakdowns_lost", 0))
        known = [step for step in steps(events) if step["cpu"] is not None]
        self.assertGreater(len(known), 0)
        return known

    @measured_again
    def check_truth(self, name, kind, argument, repeat=3):
        """The step spent its time in one way, which the runner measured as well: 5 % and 200 us may
        differ. What passed between the boundaries of the step and the readings of the runner may
        belong to any part."""
        events, truths = waited(["%s %s" % (name, argument)] * repeat)
        self.check_sums(events)
        self.check_known(events)
        self.assertEqual(len(steps(events)), repeat)
        for step, (wall, cpu, delay) in zip(steps(events), truths):
            if step["cpu"] is None:
                continue
            found = parts(step["cpu"])
            around = ns(step["duration_ms"]) - wall
            self.assertGreaterEqual(around, 0)
            blocked = max(wall - cpu - delay, 0) if kind else 0
            true = {"runnable": delay, "on_cpu": wall - delay - blocked}
            if kind:
                true[kind] = blocked
            for part in found:
                allowed = max(true.get(part, 0) // 20, 200 * US) + around
                if abs(found[part] - true.get(part, 0)) > allowed:
                    raise Disturbed((name, part, found, true, around))
            if blocked > 200 * US:
                self.assertGreater(step["cpu"]["switches"]["voluntary"], 0)
        for done in completed(events):
            if done["cpu"] is not None:
                self.assertEqual(done["cpu"]["threads_ms"], done["total_duration_ms"])
        return events

    def setUp(self):
        super().setUp()
        needs.need("/proc/self/schedstat", None if os.path.exists("/proc/self/schedstat")
                   else "the kernel has no CONFIG_SCHED_INFO")

    def test_truth(self):
        for name, kind in (("burn", None), ("sleep", "sleep"), ("futex", "lock"), ("pipe", "pipe"),
                           ("socket", "network"), ("poll", "network"), ("select", "network"),
                           ("epoll", "network"), ("event", "other")):
            with self.subTest(name):
                self.check_truth(name, kind, 30)

    def test_a_busy_processor(self):
        events = self.check_truth("compete", None, 100)
        for step in self.check_known(events):
            self.assertGreater(step["cpu"]["runnable_ms"], 10)
            self.assertGreater(step["cpu"]["switches"]["involuntary"], 0)

    @measured_again
    def check_fsync(self, disk):
        events, truths = waited(["fsync " + os.path.join(disk.path, "file")] * 3,
                                prepare=disk.slow_down)
        self.check_sums(events)
        blocked = [wall - cpu - delay for wall, cpu, delay in truths]
        self.assertGreater(min(blocked), 150 * MS)  # 4 MiB, of which a part may be written at once
        self.check_known(events)
        for step, truth, (wall, _, _) in zip(steps(events), blocked, truths):
            if step["cpu"] is None:
                continue
            found = parts(step["cpu"])
            around = ns(step["duration_ms"]) - wall
            asleep = {kind: found[kind] for kind in KINDS if kind != "disk"}
            if abs(found["disk"] - truth) > max(truth // 20, 200 * US) + around or \
                    max(asleep.values()) > 200 * US + around:
                raise Disturbed((found, truth, around))

    def test_fsync(self):
        """On a disk that writes 16 MiB per second."""
        with slow_disk.mounted(self.directory, 16 << 20) as disk:
            self.check_fsync(disk)

    @measured_again
    def test_nested_steps(self):
        events, _ = waited(["nested 20"], lost=0)
        self.check_sums(events)
        inner, outer = steps(events)
        done = completed(events)[0]
        self.assertGreaterEqual(paused(inner["cpu"]), nearly(20))
        self.assertGreaterEqual(paused(outer["cpu"]), paused(inner["cpu"]) + nearly(20))
        self.assertGreaterEqual(paused(done["cpu"]), paused(outer["cpu"]))
        for kind in KINDS:
            self.assertGreaterEqual(outer["cpu"]["blocked_ms"][kind],
                                    inner["cpu"]["blocked_ms"][kind])
        self.assertEqual(done["cpu"]["threads_ms"], done["total_duration_ms"])

    @measured_again
    def test_threads_of_a_command(self):
        """The command is measured in its own thread, and in the outermost steps of the others."""
        events, _ = waited(["threads 20"], lost=0)
        self.check_sums(events)
        done = completed(events)[0]
        outermost = sum(ns(step["duration_ms"]) for step in named(events, "worker"))
        self.assertEqual(len(named(events, "worker")), 2)
        self.assertEqual(ns(done["cpu"]["threads_ms"]), ns(done["total_duration_ms"]) + outermost)
        self.assertGreaterEqual(paused(done["cpu"]), nearly(60), done)

    @measured_again
    def test_many_threads_and_filters(self):
        """Whatever is filtered, a command is measured whole."""
        for filters in (["--min-duration", "1ms"], ["--step-type", "None"]):
            events, _ = waited(["threads 5"] * 3, *filters, lost=0)
            check_books(self, events)
            for done in completed(events):
                self.assertGreaterEqual(paused(done["cpu"]), nearly(15), (filters, done))
                self.assertGreater(done["cpu"]["threads_ms"], done["total_duration_ms"], filters)

    def test_a_switch_that_the_kernel_hides(self):
        """A kernel may hide the context switches of a process, such as the one that controls its
        virtual machine. A thread that gets the processor from there seems to be off it."""
        events, _ = waited(["threads 2"] * 1000)
        self.check_sums(events)
        known = [step for step in steps(events) if step["cpu"]]
        self.assertGreater(len(known), 4000)
        for step in known:
            self.assertGreaterEqual(paused(step["cpu"]), nearly(2), step)

    @measured_again
    def test_what_is_not_known_is_null(self):
        cases = {
            "handed 5": {"step": [None], "command": None},
            "carried 5": {"step": [], "command": None},
            "suspended 5": {"step": [None], "command": True},
            "apart 5": {"step": [True, True], "command": None},
        }
        for order, expected in cases.items():
            events, _ = waited([order], lost=0)
            self.check_sums(events)
            known = [step["cpu"] and True for step in steps(events)]
            self.assertEqual(known, expected["step"], order)
            self.assertIs(completed(events)[0]["cpu"] and True, expected["command"], order)
            self.assertNotIn("breakdowns_lost", events[-1], order)

    @measured_again
    def test_attached_in_the_middle(self):
        with Runner(target("waiter")) as runner:
            runner.do("open")
            tracer = Tracer("-p", str(runner.pid), "--breakdown")
            runner.do("close")
            runner.do("sleep 1")
            events = exact(tracer, lost=0)
        self.assertEqual([step["cpu"] is None for step in steps(events)], [True, False])
        self.assertEqual([done["cpu"] is None for done in completed(events)], [True, False])

    @measured_again
    def test_too_many_open_spans(self):
        """The command and 30 steps; the ones that began last are measured."""
        events, _ = waited(["deep 30", "sleep 1"], lost=15)
        self.check_sums(events)
        known = [step["cpu"] is not None for step in named(events, "deep")]
        self.assertEqual(known, [True] * 16 + [False] * 14)
        self.assertEqual([done["cpu"] is None for done in completed(events)], [True, False])
        self.assertEqual(events[-1]["breakdowns_lost"], 15)

    def test_aborted(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--breakdown")
            runner.order("die exit")
            events = tracer.ended()
        self.assertEqual([event["cpu"] for event in steps(events) + completed(events)
                          if event["outcome"] == "aborted"], [None] * 3)

    @measured_again
    def test_forks(self):
        """Steps in children are measured, and are no part of the command in the parent."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--breakdown")
            runner.do("spread 2")
            events = exact(tracer, lost=0)
        self.check_sums(events)
        self.assertEqual([step["cpu"] is None for step in steps(events)], [False] * 3)
        done = completed(events)[0]
        self.assertEqual(done["cpu"]["threads_ms"], done["total_duration_ms"])

    def test_under_load(self):
        """Eight threads that preempt each other: whatever is known adds up, and nearly all is."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--breakdown", "--buffer", "64M")
            runner.do("threads 100")
            events = exact(tracer)
        check_books(self, events)
        self.check_sums(events)
        self.assertGreater(len(self.check_known(events)), 3900)
        for done in completed(events):
            if done["cpu"]:
                self.assertEqual(done["cpu"]["threads_ms"], done["total_duration_ms"])


class Tables(EndToEnd):
    @measured_again
    def test_sums_of_a_recording(self):
        """`latency` and `record` observe the same run, each with its own programs in the kernel."""
        with Runner(target("waiter")) as runner:
            tracer = Tracer("-p", str(runner.pid), "--breakdown")
            table = Table("-p", str(runner.pid), "--breakdown", "--json", "--by", "name")
            for order in ("sleep 20", "burn 10", "pipe 20", "sleep 20", "handed 5"):
                runner.do(order)
            rows = {row["by"]["step_name"]: row for row in rows_of(table.stop())}
            events = exact(tracer, lost=0)
        for name, count in (("sleep", 2), ("burn", 1), ("pipe", 1)):
            self.assertEqual((rows[name]["count"], len(named(events, name))), (count, count))
            if not rows[name]["cpu"] or rows[name]["cpu"]["measured"] < count:
                raise Disturbed(rows[name])
        for name, kind in (("sleep", "sleep"), ("burn", None), ("pipe", "pipe")):
            cpu, known = rows[name]["cpu"], named(events, name)
            found = parts(cpu)
            self.assertEqual(sum(found.values()), ns(cpu["threads_ms"]))
            self.assertEqual(ns(cpu["threads_ms"]), sum(ns(step["duration_ms"]) for step in known))
            for part in found:
                recorded = sum(parts(step["cpu"])[part] for step in known)
                self.assertLessEqual(abs(found[part] - recorded), max(recorded // 20, 200 * US))
            if kind:
                self.assertGreater(found[kind], 0)
        self.assertIsNone(rows["handed"]["cpu"])

    @measured_again
    def test_the_text(self):
        with Runner(target("waiter")) as runner:
            table = Table("-p", str(runner.pid), "--breakdown")
            runner.do("sleep 50")
            text = table.stop()
        if re.search(r"WaitStep .* - +- +- +-\n", text):
            raise Disturbed(text)
        self.assertRegex(text, r" CPU +RUNNABLE +BLOCKED +WAITS FOR\n")
        self.assertRegex(text, r"WaitStep .* %  +\d+\.\d %  +\d+\.\d %  +sleep\n")

    @measured_again
    def test_top(self):
        """The shares are those of a recording of the same run."""
        with Runner(target("waiter")) as runner:
            tracer = Tracer("-p", str(runner.pid), "--breakdown")
            top = Table("--once", "--duration", "1h", "--breakdown", "--sort", "cpu", "-p",
                        str(runner.pid), command="top")
            for order in ("sleep 100", "burn 100"):
                runner.do(order)
            text = top.stop()
            events = exact(tracer, lost=0)
        found = re.search(r"▼CPU +WAITS FOR\n\S+ .* (\d+) % +sleep (\d+) %\n", text)
        if not found:
            raise Disturbed(text)
        sums = [parts(done["cpu"]) for done in completed(events)]
        whole = sum(sum(part.values()) for part in sums)
        for share, kind in zip(found.groups(), ("on_cpu", "sleep")):
            recorded = 100 * sum(part[kind] for part in sums) / whole
            self.assertLessEqual(abs(int(share) - recorded), 2, (text, sums))

    def test_top_needs_the_option(self):
        status, _, said = run("top", "--once", "--sort", "waits")
        self.assertEqual(status, 2)
        self.assertIn("--sort waits needs --breakdown", said)

    def test_wrong_usage(self):
        status, _, said = run("latency", "--breakdown", "--ends-only")
        self.assertEqual(status, 2)
        self.assertIn("--breakdown and --ends-only exclude", said)


class Lines(EndToEnd):
    def test_the_header_says_it(self):
        self.assertIs(record(["go 1"], "--breakdown")[0][0]["breakdown"], True)
        events = record(["go 1"])[0]
        self.assertIs(events[0]["breakdown"], False)
        self.assertNotIn("cpu", steps(events)[0])

    def test_chosen_fields(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--breakdown", "--fields",
                            "cpu.on_cpu_ms,cpu.blocked_ms.lock")
            runner.do("go 1")
            tracer.process.send_signal(2)
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8") as file:
                lines = [json.loads(line) for line in file]
        step = steps(lines)[0]
        self.assertEqual(set(step), {"event", "execution_id", "cpu"})
        self.assertEqual((set(step["cpu"]), set(step["cpu"]["blocked_ms"])),
                         ({"on_cpu_ms", "blocked_ms"}, {"lock"}))

    def test_compact_lines(self):
        with Runner(target("waiter")) as runner:
            tracer = Tracer("-p", str(runner.pid), "--breakdown", "--format", "compact")
            runner.do("sleep 50")
            runner.do("handed 1")
            tracer.process.send_signal(2)
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8") as file:
                text = file.read()
        self.assertRegex(text, r"sleep WaitStep +\S+ ms  cpu \d+ %, sleep \d+ %")
        self.assertRegex(text, r"handed WaitStep +\S+ ms  cpu \?")

    def test_wrong_usage(self):
        for arguments, words in ((["--ends-only"], "--breakdown and --ends-only exclude"),
                                 (["--fields", "seed"], "--fields seed leaves out")):
            status, _, said = run("record", "-p", "1", "--breakdown", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
