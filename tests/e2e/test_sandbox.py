# SPDX-License-Identifier: BSD-2-Clause
"""Runners with a sandbox that kills them at a system call that is not allowed."""
import json
import os
import re
import subprocess
import tempfile
import unittest

from harness import (PATIENCE_S, EndToEnd, completed, read_events, run, steps, target)


class Sandbox(EndToEnd):
    def test_forked_children_live_and_are_told(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events")
            status, output, words = run("record", "-o", path, "--", target("sandboxed"), "fork")
            self.assertEqual(status, 0, words)
            events = read_events(path)
        self.assertEqual(re.findall(r"child \d+ (\d+)", output), ["0", "0"])
        self.assertEqual([(each["outcome"], each["complete"]) for each in completed(events)],
                         [("success", True)] * 2)
        self.assertEqual(len({each["step_id"] for each in steps(events)}), 10)

    def sandbox_of(self, kind):
        """What doctor says about the sandbox of such a process."""
        process = subprocess.Popen([target("sandboxed"), kind], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, text=True)
        try:
            word = process.stdout.readline().strip()
            if word != "ready":
                self.skipTest("the kernel refuses seccomp: %s" % word)
            _, output, _ = run("doctor", "--json", "-p", str(process.pid))
        finally:
            process.stdin.close()
            process.wait(PATIENCE_S)
            process.stdout.close()
        return next(each for each in json.loads(output)["findings"] if each["name"] == "sandbox")

    def test_doctor_tells_of_a_filter(self):
        found = self.sandbox_of("filter")
        self.assertIn("a seccomp filter", found["text"])

    def test_doctor_warns_of_the_strict_mode(self):
        found = self.sandbox_of("strict")
        self.assertEqual(found["verdict"], "warn")
        self.assertIn("mode in 1 thread: the kernel kills the process", found["text"])
        self.assertIn("do not trace this process", found["advice"])


if __name__ == "__main__":
    unittest.main()
