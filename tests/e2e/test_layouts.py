# SPDX-License-Identifier: BSD-2-Clause
"""Runners with an older, a newer and an unknown header, and one that lies."""
import os
import tempfile
import unittest

from harness import EndToEnd, check_books, completed, read_events, run, started, steps, target


def trace(kind):
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "events")
        status, _, words = run("record", "-o", path, "--", target("older"), kind)
        assert status == 0, words
        return read_events(path)


class Layouts(EndToEnd):
    def test_the_oldest_runner(self):
        events = trace("oldest")
        self.assertEqual(len(started(events)), 1)
        step = steps(events)[0]
        self.assertEqual(step["step_type"], "OlderStep")
        self.assertEqual(step["step"]["name"], "")  # its span ends before that field
        self.assertEqual(step["duration_ms"], 0.002)
        self.assertEqual(step["correlation_id"], step["execution_id"])
        self.assertIs(completed(events)[0]["complete"], True)
        self.assertEqual(check_books(self, events)["hits"], 3)

    def test_an_older_runner(self):
        """What the header got later is not set, whatever lies behind the span."""
        for kind in ("older", "close"):
            with self.subTest(kind=kind):
                events = trace(kind)
                step, done = steps(events)[0], completed(events)[0]
                self.assertEqual(step["step"]["name"], "unknown to it")
                self.assertEqual(step["duration_ms"], 0.002)
                self.assertEqual(done["steps_executed"], 1)
                self.assertNotIn("queue", started(events)[0])
                self.assertNotIn("suspended_ms", {**step, **done})
                self.assertIs(done["complete"], True)
                self.assertEqual(check_books(self, events)["hits"], 3)

    def test_a_newer_runner(self):
        events = trace("newer")
        self.assertEqual(steps(events)[0]["step"]["name"], "unknown to it")
        self.assertEqual(check_books(self, events)["events"], 3)

    def test_an_unknown_layout_is_reported(self):
        stopped = check_books(self, trace("alien"))
        self.assertEqual(stopped["events"], 0)
        self.assertEqual(stopped["lost_by_reason"]["unknown_layout"], 3)

    def test_a_pointer_to_nowhere(self):
        stopped = check_books(self, trace("nowhere"))
        self.assertEqual(stopped["events"], 0)
        self.assertEqual(stopped["lost_by_reason"]["unreadable"], 1)


if __name__ == "__main__":
    unittest.main()
