# SPDX-License-Identifier: BSD-2-Clause
"""Several ring buffers, one stream: with the same events as one buffer, in the order of time."""
import unittest

import needs
from harness import (EndToEnd, Runner, Tracer, check_books, completed, run, runner_events,
                     started, steps)

EXECUTIONS = 400


class Rings(EndToEnd):
    def record(self, rings, *orders):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--rings", str(rings))
            for order in orders:
                runner.do(order)
            return tracer.stop()

    def check_order(self, events):
        """An execution's start comes before its steps, these come as they were taken, and then its
        end; whichever processors they were on."""
        seen = {}
        for event in runner_events(events):
            seen.setdefault(event["execution_id"], []).append(event)
        for of_one in seen.values():
            self.assertEqual(of_one[0]["event"], "command.execution.started")
            self.assertEqual(of_one[-1]["event"], "command.execution.completed")
            self.assertTrue(of_one[-1]["complete"])
            stamps = [event["monotonic_ns"] for event in of_one]
            self.assertEqual(stamps, sorted(stamps))

    def test_order_on_all_processors(self):
        needs.processors(2)
        for rings in (1, 2, 8):
            with self.subTest(rings=rings):
                events = self.record(rings, "hop %d" % EXECUTIONS)
                self.assertEqual(len(started(events)), EXECUTIONS)
                self.assertEqual(len(steps(events)), 5 * EXECUTIONS)
                self.assertEqual(len(completed(events)), EXECUTIONS)
                self.assertGreater(len({event["source"]["cpu"] for event in steps(events)}), 1)
                self.check_order(events)
                self.assertEqual(check_books(self, events)["lost"], 0)

    def test_threads(self):
        events = self.record(4, "threads 50")
        self.assertEqual(len(completed(events)), 400)
        self.check_order(events)
        check_books(self, events)

    def test_many_records_one_write(self):
        """While there is always something to read the reader sleeps nevertheless, and then has a
        lot."""
        commands = 4000
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            before = self.writes(tracer)
            runner.do("go %d" % commands)
            tracer.written('"command.execution.completed"', "complete")
            writes = self.writes(tracer) - before
            events = tracer.stop()
        check_books(self, events)
        self.assertLess(writes, len(runner_events(events)) / 40)

    def writes(self, tracer):
        with open("/proc/%d/io" % tracer.process.pid, encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("syscw"))

    def test_numbers_that_are_none(self):
        for value in ("0", "65", "many", ""):
            status, _, words = run("record", "--rings", value)
            self.assertEqual(status, 2)
            self.assertIn("--rings", words)


if __name__ == "__main__":
    unittest.main()
