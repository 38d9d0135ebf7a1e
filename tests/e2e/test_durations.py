# SPDX-License-Identifier: BSD-2-Clause
"""Durations are what the runner measured itself; the cost of the probes is not part of them."""
import statistics
import unittest

from harness import EndToEnd, check_books, completed, record, steps


class Durations(EndToEnd):
    def test_a_step_of_twenty_milliseconds(self):
        events, answers = record(["sleep 20"])
        measured = [int(line.split()[1]) / 1e6 for line in answers[0]]
        reported = [step["duration_ms"] for step in steps(events)]
        self.assertEqual(len(measured), 20)
        differences = [abs(a - b) for a, b in zip(measured, reported, strict=True)]
        # The runner may lose its processor between its own clock and that of the step. Most steps
        # must agree to a hundredth of their duration.
        self.assertLess(statistics.median(differences), 0.2)
        self.assertGreaterEqual(min(reported), 20)

    def test_a_step_that_does_nothing(self):
        """Its duration is one reading of the clock and a little more. The time from one step to the
        next has two readings of the clock and two probes. A duration with a probe in it would be
        about half of that. All three are medians: the runner loses its processor now and then."""
        events, answers = record(["idle 1000"])
        clock_ns = int(answers[0][0].split()[1])
        reported_ns = [step["duration_ms"] * 1e6 for step in steps(events)]
        self.assertEqual(len(reported_ns), 1000)
        stamps = [step["monotonic_ns"] for step in steps(events)]
        whole_ns = statistics.median(after - before for before, after in zip(stamps, stamps[1:]))
        self.assertGreater(whole_ns, 2 * clock_ns)
        self.assertLess(statistics.median(reported_ns) - clock_ns, (whole_ns - 2 * clock_ns) / 5)

    def test_totals_fit_the_steps(self):
        events, _ = record(["sleep 3"])
        check_books(self, events)
        total = completed(events)[0]["total_duration_ms"]
        self.assertGreater(total, sum(step["duration_ms"] for step in steps(events)))


if __name__ == "__main__":
    unittest.main()
