# SPDX-License-Identifier: BSD-2-Clause
"""A process that dies while the ring buffer is full: the kernel cannot report its end."""
import os
import signal
import unittest

from harness import PATIENCE_S, EndToEnd, Runner, Tracer, aborted, check_books, started


class Vanished(EndToEnd):
    def test_is_looked_for(self):
        """The buffer is full of steps, so that no end of a command is among what is lost: it is
        certain that the command never ended."""
        with Runner() as runner:
            os.sched_setaffinity(runner.pid, {min(os.sched_getaffinity(0))})
            tracer = Tracer("-p", str(runner.pid), "--buffer", "64K", "--rings", "1")
            runner.do("open")
            tracer.written("command.execution.started")
            tracer.freeze()
            for _ in range(200):
                runner.do("step 0")
            for _ in range(12):
                runner.do("run /bin/true")  # the ends of children fill what is left
            runner.process.send_signal(signal.SIGKILL)
            runner.process.wait(PATIENCE_S)
            tracer.thaw()
            events = tracer.ended()
        stopped = check_books(self, events)
        self.assertGreater(stopped["lost_by_kind"]["dsl.step.executed"], 0)
        self.assertEqual(stopped["lost_by_kind"]["command.execution.completed"], 0)
        gone = aborted(events)
        self.assertEqual([event["event"] for event in gone], ["command.execution.completed"])
        self.assertEqual(gone[0]["execution_id"], started(events)[0]["execution_id"])
        self.assertEqual(gone[0]["aborted"]["cause"], "unknown")
        self.assertEqual((gone[0]["complete"], gone[0]["steps_lost"]), (False, None))


if __name__ == "__main__":
    unittest.main()
