# SPDX-License-Identifier: BSD-2-Clause
"""Durations: what the runner measured itself, and nothing of what watching costs."""
import statistics
import unittest

from harness import EndToEnd, check_books, completed, record, steps


class Durations(EndToEnd):
    def test_a_step_of_twenty_milliseconds(self):
        events, answers = record(["sleep 20"])
        measured = [int(line.split()[1]) / 1e6 for line in answers[0]]
        reported = [step["duration_ms"] for step in steps(events)]
        self.assertEqual(len(measured), 20)
        differences = [abs(a - b) for a, b in zip(measured, reported)]
        # A step may be torn from its processor between its two clocks; most must not be.
        self.assertLess(statistics.median(differences), 0.2)
        self.assertGreater(min(reported), 19.9)

    def test_a_step_that_does_nothing(self):
        events, _ = record(["idle 1000"])
        reported = [step["duration_ms"] for step in steps(events)]
        self.assertEqual(len(reported), 1000)
        self.assertLess(statistics.median(reported), 0.002)

    def test_totals_fit_the_steps(self):
        events, _ = record(["sleep 3"])
        check_books(self, events)
        total = completed(events)[0]["total_duration_ms"]
        self.assertGreater(total, sum(step["duration_ms"] for step in steps(events)))


if __name__ == "__main__":
    unittest.main()
