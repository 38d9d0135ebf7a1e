# SPDX-License-Identifier: BSD-2-Clause
"""Spans that the runner suspended, aborted or cancelled: what is told, and what filters keep."""
import time
import unittest

from harness import EndToEnd, Tracer, check_books, completed, steps
from spans import Forger, Step, child_of

SUSPENDED = 1 << 7
MS = 1000000


class Suspended(EndToEnd):
    def shown(self, spans, *arguments, **done):
        """The events of a command with these steps: [(type, members of the span)]"""
        with Forger() as forger:
            tracer = Tracer("-p", str(forger.pid), *arguments)
            command, at = forger.begin()
            for kind, values in spans:
                forger.show("step__done", child_of(command, at, Step, type=kind, **values))
            for name, value in {"outcome": 1, **done}.items():
                setattr(command, name, value)
            forger.change(at, command)
            forger.fire("command__done", at)
            events = tracer.stop()
        check_books(self, events)
        return events

    def lasting(self, milliseconds, suspended=0, flags=0):
        end = time.monotonic_ns()
        return {"start_ns": end - milliseconds * MS, "end_ns": end, "flags": flags,
                "suspended_ns": suspended * MS}

    def test_it_is_no_part_of_the_duration(self):
        events = self.shown([(b"Long", self.lasting(10, 4, SUSPENDED)),
                             (b"Unset", self.lasting(10, 4)),
                             (b"TooLong", self.lasting(10, 11, SUSPENDED))],
                            steps_successful=3, **self.lasting(20, 5, SUSPENDED))
        told = {step["step_type"]: (step["duration_ms"], step.get("suspended_ms", "absent"))
                for step in steps(events)}
        self.assertEqual(told, {"Long": (6, 4), "Unset": (10, "absent"), "TooLong": (None, None)})
        done = completed(events)[0]
        self.assertEqual((done["total_duration_ms"], done["suspended_ms"]), (15, 5))
        self.assertIs(done["complete"], True)

    def test_min_duration_does_not_count_it(self):
        spans = [(b"Works", self.lasting(10, 4, SUSPENDED)), (b"Waits", self.lasting(10, 6,
                                                                                     SUSPENDED)),
                 (b"Unset", self.lasting(10, 6)), (b"TooLong", self.lasting(10, 11, SUSPENDED))]
        for suspended, wanted in ((0, 1), (16, 0)):
            with self.subTest(suspended=suspended):
                events = self.shown(spans, "--min-duration", "5ms",
                                    **self.lasting(20, suspended, SUSPENDED))
                self.assertEqual([step["step_type"] for step in steps(events)],
                                 ["Works", "Unset"])
                self.assertEqual(len(completed(events)), wanted)

    def test_outcomes_of_the_runner(self):
        spans = [(b"Step%d" % outcome, {"outcome": outcome}) for outcome in range(1, 6)]
        counts = {"steps_successful": 1, "steps_failed": 1, "steps_skipped": 1,
                  "steps_aborted": 1, "steps_cancelled": 1}
        words = ["success", "failure", "skipped", "aborted", "cancelled"]
        events = self.shown(spans, outcome=5, error_category=9, **counts)
        self.assertEqual([step["outcome"] for step in steps(events)], words)
        done = completed(events)[0]
        self.assertEqual((done["outcome"], done["error_category"], done["steps_executed"]),
                         ("cancelled", "cancelled", 5))
        self.assertIs(done["complete"], True)
        self.assertNotIn("aborted", done)

    def test_failed_keeps_what_is_aborted(self):
        spans = [(b"Step%d" % outcome, {"outcome": outcome}) for outcome in range(1, 6)]
        for outcome, wanted in ((4, ["aborted"]), (5, [])):
            with self.subTest(outcome=outcome):
                events = self.shown(spans, "--failed", outcome=outcome)
                self.assertEqual([step["outcome"] for step in steps(events)],
                                 ["failure", "aborted"])
                self.assertEqual([done["outcome"] for done in completed(events)], wanted)


if __name__ == "__main__":
    unittest.main()
