# SPDX-License-Identifier: BSD-2-Clause
"""Runners that lie: the tracer does not crash, invents nothing, and honest runners are recorded
completely."""
import os
import random
import shutil
import tempfile
import unittest

from harness import (EndToEnd, Runner, Tracer, check_books, completed, resident_kib, run,
                     runner_events, started, steps, target)


def hostile():
    return Runner(target("hostile"))


class Hostile(EndToEnd):
    def told(self, *orders, arguments=()):
        """What is recorded of a hostile runner, while an honest one works beside it."""
        with hostile() as liar, Runner() as honest:
            tracer = Tracer("-p", "%d,%d" % (liar.pid, honest.pid), *arguments)
            for words in orders:
                liar.do(words)
                honest.do("go 2")
            rss_kib = resident_kib(tracer.process.pid)
            events = tracer.stop()
        stopped = check_books(self, events)
        self.check_honest([event for event in runner_events(events)
                           if event["source"]["pid"] == honest.pid], 2 * len(orders))
        theirs = [event for event in runner_events(events) if event["source"]["pid"] != honest.pid]
        return theirs, stopped, rss_kib

    def check_honest(self, events, commands):
        self.assertEqual(len(started(events)), commands)
        self.assertEqual(len(steps(events)), 5 * commands)
        for done in completed(events):
            self.assertEqual((done["outcome"], done["steps_executed"], done["complete"]),
                             ("success", 5, True))
        self.assertEqual(len(completed(events)), commands)

    def test_pointers_to_nowhere(self):
        theirs, stopped, _ = self.told("nowhere")
        self.assertEqual(theirs, [])
        # tool__start is not captured, and step__start makes no event.
        self.assertEqual(stopped["lost_by_reason"]["unreadable"], 6 * 6)

    def test_lengths(self):
        theirs, stopped, _ = self.told("lengths")
        self.assertEqual(theirs, [])
        self.assertEqual(stopped["lost_by_reason"]["invalid"], 4 * 3)

    def test_kinds_and_layouts(self):
        theirs, stopped, _ = self.told("kinds")
        self.assertEqual(theirs, [])
        self.assertEqual(stopped["lost_by_reason"]["invalid"], 255)
        self.assertEqual(stopped["lost_by_reason"]["unknown_layout"], 255)

    def test_owners(self):
        """A step whose command is nowhere, or is another one, is nobody's."""
        theirs, stopped, _ = self.told("owners")
        self.assertEqual(theirs, [])
        reasons = stopped["lost_by_reason"]
        self.assertEqual(reasons["unreadable"] + reasons["invalid"] + reasons["unattributed"], 7)

    def test_outcomes(self):
        theirs, stopped, _ = self.told("outcomes")
        self.assertEqual([event["event"] for event in theirs],
                         ["command.execution.started", "command.execution.completed"])
        self.assertEqual(stopped["lost_by_reason"]["invalid"], 251 + 1)

    def test_contradictions(self):
        theirs, _, _ = self.told("contradictions")
        done = completed(theirs)
        self.assertEqual([event["total_duration_ms"] for event in done], [None] * 3)
        self.assertFalse(any(event["complete"] for event in done))
        self.assertEqual({event["command_slug"] for event in theirs}, {"hostile"})

    def test_one_id_for_many(self):
        theirs, stopped, _ = self.told("twice")
        self.assertEqual(stopped["hits"], 14 + 3 * 200 * 3)
        self.assertEqual(len({event["execution_id"] for event in theirs}), 1)
        for event in completed(theirs):
            self.assertEqual(event["outcome"], "success")

    def test_without_end(self):
        """Bounded memory, and what is told at its end is bounded as well."""
        with hostile() as liar:
            tracer = Tracer("-p", str(liar.pid), "--format", "compact")
            liar.do("unending 100000")
            liar.do("unending 100000")
            rss_kib = resident_kib(tracer.process.pid)
            liar.order("quit")
            liar.process.stdin.close()
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8") as file:
                told = sum(" aborted " in line or line.endswith(" aborted\n") for line in file)
        self.assertLess(rss_kib, 400 * 1024)
        self.assertGreater(told, 1000)
        self.assertLessEqual(told, 65536 + 256)

    def test_random_spans(self):
        seed = random.randrange(1 << 30)
        _, stopped, rss_kib = self.told("random %d 200000" % seed, "random %d 1000" % (seed + 1))
        self.assertGreater(stopped["lost_by_reason"]["invalid"], 0, "seed %d" % seed)
        self.assertLess(rss_kib, 400 * 1024)

    def test_random_spans_for_a_person(self):
        seed = random.randrange(1 << 30)
        with hostile() as liar:
            tracer = Tracer("-p", str(liar.pid), "--format", "compact")
            liar.do("random %d 50000" % seed)
            tracer.process.terminate()
            self.assertEqual(tracer.wait(), 0)
            with open(tracer.path, encoding="utf-8", errors="strict") as file:
                text = file.read()
        self.assertRegex(text, r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$", "seed %d" % seed)

    def test_random_spans_under_filters(self):
        seed = random.randrange(1 << 30)
        self.told_filtered("random %d 50000" % seed, ["--command", "h*", "--step-type", "?*",
                                                      "--sample", "2"])
        self.told_filtered("random %d 50000" % seed, ["--failed", "--min-duration", "1ns"])

    def told_filtered(self, words, arguments):
        with hostile() as liar:
            tracer = Tracer("-p", str(liar.pid), *arguments)
            liar.do(words)
            check_books(self, tracer.stop())

    def test_spans_that_change_meanwhile(self):
        theirs, _, _ = self.told("race 100000")
        self.assertEqual(len(started(theirs)), 1)
        self.assertTrue(all(step["command_slug"] == "hostile" for step in steps(theirs)))


class Names(EndToEnd):
    NAME = b"r\n\"\x1b[31m\xff\\u0000;$(x)"

    def test_of_a_binary(self):
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(os.fsencode(directory), self.NAME)
            shutil.copy(target("spans"), program)
            with Runner(program) as runner:
                runner.do("go 1")
                for arguments in (("-p", str(runner.pid)), ("-x", program)):
                    tracer = Tracer(*arguments)
                    runner.do("go 1")
                    events = tracer.stop()
                    self.assertEqual(len(completed(events)), 1)
                    attached = [event for event in events if event["event"] == "trace.attached"]
                    self.assertEqual(len(attached), 1)
                    self.assertIn("\x1b[31m\ufffd\\u0000;$(x)", attached[0]["exe"])
                status, output, _ = run("list")
        self.assertEqual(status, 0)
        self.assertNotIn("\x1b", output)
        self.assertIn(r'r\n"\x1b[31m\xff\u0000;$(x)', output)

    def test_of_a_thread(self):
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(os.fsencode(directory), b"\xff\x1b\"\\")
            shutil.copy(target("spans"), program)
            with Runner(program) as runner:
                tracer = Tracer("-p", str(runner.pid))
                runner.do("go 1")
                events = tracer.stop()
        self.assertEqual({event["source"]["comm"] for event in runner_events(events)},
                         {"\ufffd\x1b\"\\"})


if __name__ == "__main__":
    unittest.main()
