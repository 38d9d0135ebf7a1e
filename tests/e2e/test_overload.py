# SPDX-License-Identifier: BSD-2-Clause
"""--max-cpu: what is left out is announced, counted and over when the load is."""
import bisect
import collections
import time
import unittest

from harness import (EndToEnd, Runner, Tracer, check_books, completed, of_kind, run, started, steps)

STEPS = 5


class Overload(EndToEnd):
    def overload(self, percent, burst):
        """The events of a recording that was overloaded until it degraded, and then was not; and
        how many commands there were."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--max-cpu", percent)
            commands = 0
            while not any("are allowed" in line for line in tracer.words):
                runner.do("go %d" % burst)
                commands += burst
                tracer.words += tracer.lines.so_far()
                time.sleep(0.004)
            tracer.written('"event":"trace.degraded"', '"level":"all"')
            runner.do("go 3")
            return tracer.stop(), commands + 3

    def check_each(self, events):
        """Each completed event says what is missing of its execution, and no other event does."""
        begun = {event["execution_id"] for event in started(events)}
        seen = collections.Counter(event["execution_id"] for event in steps(events))
        for event in completed(events):
            execution = event["execution_id"]
            self.assertEqual(event["steps_lost"], STEPS - seen[execution])
            self.assertEqual(event["complete"], execution in begun and seen[execution] == STEPS)

    def check_sampled(self, events):
        """While steps are sampled an execution has all of its steps or none."""
        changes = [event["monotonic_ns"] for event in of_kind(events, "trace.degraded")]
        levels = [None] + [event["level"] for event in of_kind(events, "trace.degraded")]
        begun = {event["execution_id"]: event["monotonic_ns"] for event in started(events)}
        seen = collections.Counter(event["execution_id"] for event in steps(events))
        for event in completed(events):
            at = begun.get(event["execution_id"], 0)
            level = bisect.bisect(changes, at)
            # the kernel is told a moment before the stream is
            apart = min((abs(change - at) for change in changes), default=0)
            if levels[level] == "steps_sampled" and apart > 50e6 \
                    and bisect.bisect(changes, event["monotonic_ns"]) == level:
                self.assertIn(seen[event["execution_id"]], (0, STEPS))

    def test_down_and_up_again(self):
        for percent, burst in (("0.4", 20), ("1%", 60)):
            with self.subTest(percent=percent):
                events, commands = self.overload(percent, burst)
                degraded = of_kind(events, "trace.degraded")
                self.assertGreater(len(degraded), 1)
                self.assertNotEqual(degraded[0]["level"], "all")
                self.assertGreater(degraded[0]["cpu_percent"], degraded[0]["max_cpu_percent"])
                self.assertEqual(degraded[-1]["level"], "all")
                self.check_each(events)
                self.check_sampled(events)
                stopped = check_books(self, events)
                self.assertEqual(stopped["hits"], commands * (STEPS + 2))
                self.assertGreater(stopped["lost_by_reason"]["degraded"], 0)
                said = sum(event["lost"] for event in of_kind(events, "trace.lost")
                           if event["reason"] == "degraded")
                self.assertEqual(said, stopped["lost_by_reason"]["degraded"])
                for event in completed(events)[-3:]:
                    self.assertTrue(event["complete"])

    def test_limits_that_are_none(self):
        for value in ("0", "101", "much", "", "-5"):
            status, _, words = run("record", "-a", "--max-cpu", value)
            self.assertEqual(status, 2)
            self.assertIn("--max-cpu 5", words)


if __name__ == "__main__":
    unittest.main()
