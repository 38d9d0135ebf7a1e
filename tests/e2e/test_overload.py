# SPDX-License-Identifier: BSD-2-Clause
"""--max-cpu: under load the tracer leaves events out, says so and counts them; full detail returns
when the load drops."""
import collections
import time
import unittest

from harness import (EndToEnd, Runner, Tracer, check_books, completed, of_kind, run, started, steps,
                     wait_until)

STEPS = 5
STAGE_S = 4  # with less load the tracer waits two seconds before it returns to more detail


class Overload(EndToEnd):
    def work(self, runner, burst, until, seconds=None):
        """Bursts of commands, until there is something in the output or for so many seconds.
        Returns how many commands."""
        commands, end = 0, time.monotonic() + (seconds or 0)

        def is_enough():
            nonlocal commands
            runner.do("go %d" % burst)
            commands += burst
            time.sleep(0.004)
            return until() or (seconds is not None and time.monotonic() > end)
        wait_until(is_enough, "the end of %d commands in a burst" % burst)
        return commands

    def overload(self, percent, burst):
        """The events of a recording under a load that is too much, then less and less, then none;
        and how many commands there were."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--max-cpu", percent)
            # until the kernel is known to have left something out
            commands = self.work(runner, burst, lambda: tracer.has_written('"reason":"degraded"'))
            while burst > 1 and not tracer.has_written('"level":"steps_sampled"'):
                burst //= 2
                commands += self.work(
                    runner, burst, lambda: tracer.has_written('"level":"steps_sampled"'), STAGE_S)
            wait_until(lambda: '"level":"all"' in self.last_change(tracer), "full detail again")
            runner.do("go 3")
            return tracer.stop(), commands + 3

    def last_change(self, tracer):
        with open(tracer.path, encoding="utf-8") as file:
            return [line for line in file if '"event":"trace.degraded"' in line][-1]

    def check_each(self, events):
        """Each completed event says what is missing of its execution, and no other event does."""
        begun = {event["execution_id"] for event in started(events)}
        seen = collections.Counter(event["execution_id"] for event in steps(events))
        for event in completed(events):
            execution = event["execution_id"]
            self.assertEqual(event["steps_lost"], STEPS - seen[execution])
            self.assertEqual(event["complete"], execution in begun and seen[execution] == STEPS)

    def check_sampled(self, events):
        """Where steps are sampled an execution has all of its steps or none. The runner executes
        one command after the other, so each change of the level cuts through one of them at
        most."""
        changes = of_kind(events, "trace.degraded")
        seen = collections.Counter(event["execution_id"] for event in steps(events))
        cut = [count for count in seen.values() if count != STEPS]
        self.assertLessEqual(len(cut), len(changes))
        return "steps_sampled" in {change["level"] for change in changes}

    def test_down_and_up_again(self):
        sampled = 0
        for percent, burst in (("0.4", 20), ("1%", 60)):
            with self.subTest(percent=percent):
                events, commands = self.overload(percent, burst)
                degraded = of_kind(events, "trace.degraded")
                self.assertGreater(len(degraded), 1)
                self.assertNotEqual(degraded[0]["level"], "all")
                self.assertGreater(degraded[0]["cpu_percent"], degraded[0]["max_cpu_percent"])
                self.assertEqual(degraded[-1]["level"], "all")
                self.check_each(events)
                sampled += self.check_sampled(events)
                stopped = check_books(self, events)
                self.assertEqual(stopped["hits"], commands * (STEPS + 2))
                self.assertGreater(stopped["lost_by_reason"]["degraded"], 0)
                said = sum(event["lost"] for event in of_kind(events, "trace.lost")
                           if event["reason"] == "degraded")
                self.assertEqual(said, stopped["lost_by_reason"]["degraded"])
                last = completed(events)[-3:]
                self.assertEqual([event["complete"] for event in last], [True] * 3)
        self.assertGreater(sampled, 0, "no load was one under which steps are sampled")

    def test_limits_that_are_none(self):
        for value in ("0", "101", "much", "", "-5"):
            status, _, words = run("record", "-a", "--max-cpu", value)
            self.assertEqual(status, 2)
            self.assertIn("--max-cpu 5", words)


if __name__ == "__main__":
    unittest.main()
