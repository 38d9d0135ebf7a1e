# SPDX-License-Identifier: BSD-2-Clause
"""steptrace latency: tables of durations, compared with the events of a recording at the same
time."""
import collections
import json
import math
import os
import re
import subprocess
import unittest

import validate
from harness import (STEPTRACE, Lines, PATIENCE_S, Runner, Scenario, Tracer, completed, run, steps,
                     target)

PERCENTILES = {"p50_ms": 0.5, "p90_ms": 0.9, "p99_ms": 0.99, "p999_ms": 0.999}
ERROR = 1 / 128  # what steptrace(8) promises


class Table:
    """A `steptrace latency` that has attached."""

    def __init__(self, *arguments, command="latency", **options):
        self.process = subprocess.Popen([STEPTRACE, command, *arguments], bufsize=0,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
        Tracer.running.append(self.process)
        self.words = Lines(self.process.stderr, "steptrace")
        self.words.until("attached to")

    def stop(self):
        """What was printed."""
        self.process.terminate()
        return self.end()

    def end(self):
        text = self.process.stdout.read().decode()
        assert self.process.wait(PATIENCE_S) == 0, self.words.rest()
        return text


def rows_of(text):
    return [event for event in map(json.loads, text.splitlines())
            if event["event"] == "latency.row"]


def exact(durations, fraction):
    return sorted(durations)[max(math.ceil(fraction * len(durations)), 1) - 1]


class Truth(Scenario):
    def compare(self, orders, by, events_of, key_of, duration):
        """Every row is as the events say: counts, sums and extremes exactly, percentiles within the
        promised error."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            table = Table("-p", str(runner.pid), "--json", "--by", by)
            for order in orders:
                runner.do(order)
            text = table.stop()
            events = tracer.stop()
        expected = collections.defaultdict(list)
        for event in events_of(events):
            expected[key_of(event)].append(event[duration])
        rows = {tuple(row["by"].values()): row for row in rows_of(text)}
        self.assertEqual(set(rows), set(expected))
        for key, durations in expected.items():
            row = rows[key]
            self.assertEqual(row["count"], len(durations))
            self.assertEqual(sum(bucket[2] for bucket in row["buckets"]), len(durations))
            self.assertEqual((row["min_ms"], row["max_ms"]), (min(durations), max(durations)))
            self.assertAlmostEqual(row["sum_ms"], sum(durations), 5)
            for name, fraction in PERCENTILES.items():
                value = exact(durations, fraction)
                self.assertLessEqual(abs(row[name] - value), ERROR * value + 1e-6, (key, name))
            for low, high, count in row["buckets"]:
                inside = [each for each in durations if low <= each < high]
                self.assertEqual(len(inside), count, (key, low, high))
        return rows, text

    def test_steps(self):
        rows, text = self.compare(
            ["go 2000", "nested", "sleep 1", "sleep 3", "fail", "threads 40"], "command,step",
            steps, lambda event: (event["command_slug"], event["step_type"]), "duration_ms")
        self.assertGreaterEqual(len(rows), 4)
        self.assertEqual(validate.validate_lines(text.splitlines(keepends=True)), [])

    def test_commands(self):
        rows, _ = self.compare(["go 500", "fail", "sleep 2"], "command,outcome,user", completed,
                               lambda event: (event["command_slug"], event["outcome"],
                                              event["user_id"]), "total_duration_ms")
        failed = {key: row for key, row in rows.items() if row["failures"]}
        self.assertEqual({key[1] for key in failed}, {"failure"})


class Keys(Scenario):
    def test_of_the_process(self):
        with Runner() as runner:
            table = Table("-p", str(runner.pid), "--json", "--by", "uid,exe,pid")
            runner.do("go 3")
            rows = rows_of(table.stop())
        self.assertEqual([row["by"] for row in rows],
                         [{"uid": os.getuid(), "exe": target("spans"), "pid": runner.pid}])

    def test_more_than_the_limit(self):
        with Runner() as runner:
            table = Table("-p", str(runner.pid), "--json", "--limit", "1", "--by", "command")
            for order in ("go 3", "nested", "tool"):
                runner.do(order)
            rows = rows_of(table.stop())
        self.assertEqual([row["other"] for row in rows], [False, True])
        self.assertEqual(sum(row["count"] for row in rows), 3 + 2 + 1)
        self.assertEqual(rows[1]["by"], {"command_slug": None})

    def test_filters_are_those_of_record(self):
        with Runner() as runner:
            table = Table("-p", str(runner.pid), "--failed", "--json", "--by", "command")
            runner.do("go 3")
            runner.do("fail")
            rows = rows_of(table.stop())
        self.assertEqual([(row["count"], row["failures"]) for row in rows], [(1, 1)])


class Ways(Scenario):
    def test_each_interval(self):
        with Runner() as runner:
            table = Table("-p", str(runner.pid), "--interval", "100ms")
            out = Lines(table.process.stdout, "the table")
            runner.do("go 7")
            out.until(r"fragment.update  DatabaseUpdateStep       35 ")
            runner.do("go 2")
            out.until(r"fragment.update  DatabaseUpdateStep       10 ")
            table.process.terminate()
            self.assertEqual(table.process.wait(PATIENCE_S), 0)

    def test_of_a_command(self):
        """The exit status is that of the command."""
        for orders, program, expected, words in (("go 4\nquit\n", target("spans"), 0, "STEP "),
                                                 ("", "/bin/false", 1, "no step ended\n"),
                                                 ("", "/bin/true", 1, "no step ended\n")):
            path = os.path.join(self.directory, os.path.basename(program))
            done = subprocess.run([STEPTRACE, "latency", "-o", path, "--", program], input=orders,
                                  text=True, capture_output=True, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, expected, done.stderr)
            with open(path, encoding="utf-8") as file:
                self.assertIn(words, file.read())

    def test_nothing_ended(self):
        with Runner() as runner:
            self.assertEqual(Table("-p", str(runner.pid)).stop(), "no step ended\n")

    def test_a_histogram(self):
        with Runner() as runner:
            table = Table("-p", str(runner.pid), "--histogram", "--duration", "1h")
            runner.do("sleep 2")
            runner.do("sleep 2")
            text = table.stop()
        bars = re.findall(r"(?m)^ +[0-9.]+ m?s \|([█▏▎▍▌▋▊▉ ]{40})\| (\d+)$", text)
        rows = re.findall(r"(?m)^\S+ +\S+Step +(\d+) ", text)
        self.assertEqual(sum(int(count) for _, count in bars), sum(map(int, rows)), text)
        self.assertIn("█" * 40, [bar for bar, _ in bars])

    def test_wrong_use(self):
        for arguments, words in ((["--by", "steps"], "does not know 'steps'"),
                                 (["--by", "step,step"], "has 'step' twice"),
                                 (["--limit", "0"], "--limit"), (["--interval", "1ms"], "100ms"),
                                 (["--histogram", "--json"], "--histogram draws for people"),
                                 (["--count", "3"], "--count"), (["-p", "1", "-a"], "")):
            status, out, said = run("latency", *arguments)
            self.assertEqual((status, out), (2, ""), arguments)
            self.assertIn(words, said)

    def test_help(self):
        status, out, _ = run("latency", "--help")
        self.assertEqual(status, 0)
        self.assertRegex(out, r"(?s)usage: steptrace latency .*--by KEY.*--histogram.*Exit status")
        self.assertFalse([line for line in re.split("\n", out) if len(line) > 80])


if __name__ == "__main__":
    unittest.main()
