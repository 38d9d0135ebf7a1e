# SPDX-License-Identifier: BSD-2-Clause
"""docs/latency.md: its commands are executed, and find what the page says."""
import json
import os
import re
import shlex
import subprocess
import unittest

from harness import PATIENCE_S, ROOT, STEPTRACE, Runner, Scenario, target, wait_until

PID = "4711"


def blocks():
    """Each command of the page as a list of words, and the lines that the page shows for it."""
    found = []
    with open(os.path.join(ROOT, "docs", "latency.md"), encoding="utf-8") as page:
        for line in page:
            if line.startswith("    $ sudo steptrace "):
                found.append((shlex.split(line)[3:], []))
            elif line.startswith("    ") and found:
                found[-1][1].append(line.strip())
    return found


def first_words(lines, count):
    """What is in the first columns of a table, without its head and without histograms."""
    return {tuple(line.split()[:count]) for line in lines[1:] if "|" not in line}


class Guide(Scenario):
    def setUp(self):
        super().setUp()
        self.shop = Runner([target("shop"), os.path.join(self.directory, "report")])
        self.addCleanup(self.shop.close)
        self.shop.lines.until("open")

    def run_block(self, words, status=0):
        words = [str(self.shop.pid) if word == PID else word for word in words]
        done = subprocess.run([STEPTRACE, *words], capture_output=True, text=True,
                              timeout=PATIENCE_S)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def check_table(self, words, lines):
        """The same rows. Their order and their figures are those of the machine."""
        output = self.run_block(words).splitlines()
        columns = words[words.index("--by") + 1].count(",") + 1
        rows = [line for line in output if not line[:1].isdigit()]  # what was not seen
        self.assertLessEqual(first_words(lines, columns), first_words(rows, columns))
        if "--histogram" in words:
            self.assertTrue(any("|█" in line for line in output), output)
        if "--breakdown" in words:
            self.check_causes(lines, output)

    def check_causes(self, lines, output):
        """The last column: what the steps wait for."""
        written, seen = [{tuple(line.split()[:2]): line.split()[-1] for line in table[1:]}
                         for table in (lines, output)]
        self.assertEqual(written["order.place", "stock"], "lock")
        self.assertEqual(written["triage", "ask"], "network")
        self.assertEqual(written["report.save", "store"], "disk")
        for step in written:
            if step[1] in ("stock", "ask") or (step[1] == "store" and self.has_disk()):
                self.assertEqual(seen[step], written[step], step)

    def has_disk(self):
        """In memory, fsync() does not wait."""
        kind = subprocess.run(["stat", "-f", "-c", "%T", self.directory], check=True,
                              capture_output=True, text=True).stdout
        return kind.strip() not in ("tmpfs", "ramfs")

    def check_event(self, words):
        events = [json.loads(line) for line in self.run_block(words).splitlines()]
        found = [event for event in events
                 if event["event"] == "dsl.step.executed" and event["cpu"]]
        self.assertGreater(len(found), 0)
        for step in found:
            self.assertGreaterEqual(step["duration_ms"], 20)
        waited = sum(step["cpu"]["blocked_ms"]["lock"] for step in found)
        self.assertGreater(waited, sum(step["duration_ms"] for step in found) / 4)

    def check_stacks(self, words, lines):
        """Each row of the page: the functions in this order, and what the thread waits for."""
        output = self.run_block(words).splitlines()
        for line in lines:
            names = line.rsplit(" ", 1)[0].split(";")
            pattern = ".*".join(re.escape(name) for name in names if name != "…")
            self.assertTrue([row for row in output if re.fullmatch(pattern + " [0-9]+", row)],
                            (line, output))

    # Without ">" where a tracer of another test was attached.
    HANGS = r"^ *(> )?[0-9].* triage +AiGenerateStep ask .* recvfrom "

    def check_hang(self, words, lines):
        self.shop.order("hang")
        self.shop.lines.until("hangs")
        self.shop.lines.until("hangs")

        def is_found():
            output = subprocess.run([STEPTRACE, *[str(self.shop.pid) if word == PID else word
                                                  for word in words]], capture_output=True,
                                    text=True, timeout=PATIENCE_S).stdout
            found = [line for line in output.splitlines() if re.search(self.HANGS, line)]
            return len(found) == len(lines) - 1
        wait_until(is_found, "both threads wait for the model, for a second")
        self.run_block(words, status=3)

    def test_every_command_of_the_page(self):
        checks = {"latency": self.check_table, "record": lambda words, _: self.check_event(words),
                  "profile": self.check_stacks, "inflight": self.check_hang}
        found = blocks()
        self.assertEqual([words[0] for words, _ in found],
                         ["latency"] * 4 + ["record", "profile", "inflight", "latency"])
        for words, lines in found:
            with self.subTest(" ".join(words)):
                checks[words[0]](words, lines)


if __name__ == "__main__":
    unittest.main()
