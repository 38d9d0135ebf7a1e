# SPDX-License-Identifier: BSD-2-Clause
"""The probes as other tools see them: readelf and bpftrace."""
import re
import signal
import subprocess
import unittest

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
    def test_lists_them(self):
        done = subprocess.run(["bpftrace", "-l", "usdt:%s:*" % target("spans")],
                              capture_output=True, text=True, timeout=PATIENCE_S)
        for probe in PROBES:
            self.assertIn("steptrace:%s\n" % probe, done.stdout)

    def test_counts_them(self):
        with Runner() as runner:
            program = " ".join(
                "usdt:%s:steptrace:%s { @[probe] = count(); @first = arg0; }" % (target("spans"), probe)
                for probe in ("command__start", "step__done", "command__done"))
            tracer = subprocess.Popen(
                ["bpftrace", "-p", str(runner.pid), "-e", 'BEGIN { printf("ready\\n"); } ' + program],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)
            said = Lines(tracer.stdout, "bpftrace")
            said.until("ready")
            # "ready" is said before the last probe is in place: the semaphore counts them.
            while runner.do("enabled") != ["enabled 1"]:
                continue
            runner.do("go 50")
            tracer.send_signal(signal.SIGINT)
            text = "\n".join(said.rest())
            tracer.wait(PATIENCE_S)
        counts = dict(re.findall(r"steptrace:(\w+)\]: (\d+)", text))
        self.assertEqual(counts, {"command__start": "50", "step__done": "250",
                                  "command__done": "50"})


if __name__ == "__main__":
    unittest.main()
