# SPDX-License-Identifier: BSD-2-Clause
"""The probes as other tools see them: readelf and bpftrace."""
import re
import subprocess
import time
import unittest

import needs
from harness import PATIENCE_S, EndToEnd, Lines, Runner, target

PROBES = ["command__start", "command__done", "command__rejected", "step__start", "step__done",
          "tool__start", "tool__done", "fragment__changed"]


class Readelf(EndToEnd):
    def test_lists_each_probe_once(self):
        text = subprocess.run(["readelf", "-n", target("spans")], capture_output=True, text=True,
                              check=True).stdout
        self.assertEqual(sorted(re.findall(r"Name: (\w+)", text)), sorted(PROBES))
        self.assertEqual(set(re.findall(r"Provider: (\w+)", text)), {"steptrace"})
        self.assertEqual(len(set(re.findall(r"Semaphore: (0x[0-9a-f]+)", text))), 1)
        self.assertEqual(len(set(re.findall(r"Arguments: (\S+)", text))), 1)


class Bpftrace(EndToEnd):
    def setUp(self):
        needs.program("bpftrace")

    def test_lists_them(self):
        done = subprocess.run(["bpftrace", "-l", "usdt:%s:*" % target("spans")],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        for probe in PROBES:
            self.assertIn("steptrace:%s\n" % probe, done.stdout)

    def test_counts_them(self):
        """Once every probe is seen to be in place the counting begins; it ends by a probe, too."""
        counted = ("command__start", "step__done", "command__done")
        # Attached in this order: the one that is fired only once comes first.
        program = ('usdt:%s:steptrace:command__rejected { if (@phase == 0) { clear(@n); '
                   '@phase = 1; printf("cleared\\n"); } else { exit(); } } ' % target("spans"))
        program += " ".join(
            'usdt:%s:steptrace:%s { @n["%s"] = count(); if (arg0 != 0 && @phase == 0) '
            '{ printf("saw %s\\n"); } }' % (target("spans"), probe, probe, probe)
            for probe in counted)
        with Runner() as runner:
            tracer = subprocess.Popen(
                ["bpftrace", "-B", "none", "-p", str(runner.pid), "-e", program],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
            said = Lines(tracer.stdout, "bpftrace")
            self.do_until(runner, "go 1", said, ["saw " + probe for probe in counted])
            self.do_until(runner, "reject", said, ["cleared"], once=True)
            runner.do("go 50")
            runner.do("reject")
            text = "\n".join(said.rest())
            tracer.wait(PATIENCE_S)
        counts = dict(re.findall(r"@n\[(\w+)\]: (\d+)", text))
        self.assertEqual(counts, {"command__start": "50", "step__done": "250",
                                  "command__done": "50"})

    def do_until(self, runner, order, said, words, once=False):
        """Gives the order (again and again) until all the words were heard."""
        deadline = time.monotonic() + PATIENCE_S
        missing = set(words)
        if once:
            runner.do(order)
        while missing:
            self.assertLess(time.monotonic(), deadline, "bpftrace never said %r" % missing)
            if not once:
                runner.do(order)
            line = said.next(time.monotonic() + 0.2)
            while line is not None:
                missing.discard(line)
                line = said.next(time.monotonic()) if missing else None


if __name__ == "__main__":
    unittest.main()
