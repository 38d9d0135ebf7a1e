# SPDX-License-Identifier: BSD-2-Clause
"""steptrace report: every number is computed again by tests/oracle/report.py from the same file."""
import glob
import gzip
import json
import os
import pty
import random
import re
import subprocess
import sys
import unittest

import made_recordings
from harness import (BUILD, PATIENCE_S, ROOT, STEPTRACE, Runner, Scenario, Tracer, run, target,
                     wait_until)
from test_overdue import all_reached
from test_runner import ModelServer
from workers import Workshop

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
import report as oracle  # noqa: E402


# Prints the peak memory of a command in KiB.
PEAK = ("import resource, subprocess, sys; "
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")


class Reports(Scenario):
    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, data):
        if not isinstance(data, (bytes, str)):
            data = "".join(data)
        with open(self.path(name), "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return self.path(name)

    def report(self, *arguments, status=0, **options):
        got, out, said = run("report", *arguments, **options)
        self.assertEqual(got, status, said)
        return said if status else out

    def check(self, *paths, arguments=(), given=None, **options):
        """`paths` are in the order in which they are read, and `given` as they are named."""
        out = self.report("--json", *arguments, *(given or paths))
        self.assertEqual(oracle.check(out, paths, **options), [])
        self.report(*arguments, *(given or paths))
        return json.loads(out)


    def write_every_row(self, name):
        """As many rows as there can be, each with durations of every length, and executions that
        never end."""
        with open(self.path(name), "w", encoding="utf-8") as file:
            for octave in range(53):
                ms = made_recordings.ms(1 << octave)
                for row in range(2000):
                    file.write('{"event":"dsl.step.executed","execution_id":"x%d.%d",'
                               '"command_slug":"c%d","step_type":"T","duration_ms":%s,'
                               '"step":{"name":"n"}}\n'
                               % (octave, row, row, ms))
                    file.write('{"event":"command.execution.completed","command_slug":"c%d",'
                               '"total_duration_ms":%s,"outcome":"aborted"}\n' % (row, ms))
                for row in range(400):
                    file.write('{"event":"tool.invocation.completed","tool_slug":"t%d",'
                               '"duration_ms":%s}\n' % (row, ms))
        return self.path(name)

    def peak_kib(self, *arguments):
        """From a small process: the memory of the one that forks counts, too."""
        done = subprocess.run([sys.executable, "-c", PEAK, STEPTRACE, *arguments],
                              capture_output=True, text=True, check=True)
        return int(done.stdout)


class Recorded(Reports, Workshop):
    """On recordings of real runners."""

    def keep(self, tracer):
        tracer.process.send_signal(2)
        self.assertEqual(tracer.wait(), 0, tracer.words)
        return self.write("recorded", tracer.text())

    def test_every_event(self):
        """Failures, tools, answers of a model, fragments, nested steps, rejected requests, a
        schedule, and a runner that dies in the middle of a step."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            for order in ("go 5", "fail", "tool", "nested", "reject", "names", "text", "change",
                          "sleep 20"):
                runner.do(order)
            runner.order("die kill")
            runner.process.wait(PATIENCE_S)
            self.assertEqual(tracer.wait(), 0, tracer.words)
        told = self.check(self.write("recorded", tracer.text()))
        for section in ("commands", "steps", "errors", "aborted", "ai", "mutations", "tools",
                        "schedules", "rejected", "slowest"):
            self.assertTrue(told[section], section)
        self.assertEqual(told["aborted"][0]["cause"], "SIGKILL")

    def test_jobs_and_models(self):
        """Jobs that succeed, fail and are tried again; a step that asks a model, twice."""
        tracer = self.tracer()
        for command in ("note", "fail", "note"):
            self.execute("dispatch", command=command, arguments={"body": "x"}, queue="mail",
                         max_attempts=1)
        self.work_until_empty(status=1)
        with ModelServer("--delay-ms", "5") as model:
            for _ in range(2):
                self.run_steprun("exec", os.path.join(ROOT, "tests", "packs", "summarize"),
                                 "cheese", "--db", self.database, "--ai-url", model.url,
                                 "--ai-model", "test")
        told = self.check(self.keep(tracer))
        self.assertEqual(told["queues"][0]["queue"], "mail")
        self.assertEqual(told["queues"][0]["count"], 3)
        self.assertEqual([row["cache_hits"] + row["cache_misses"] for row in told["ai"]], [2])
        self.assertEqual(told["ai"][0]["cache_hits"], 1)
        self.assertTrue([row for row in told["errors"] if row["command"] == "fail"])

    def test_losses(self):
        """The buffer is full while the tracer is stopped."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--buffer", "64K")
            tracer.freeze()
            runner.do("go 3000")
            tracer.thaw()
            runner.do("go 5")
            tracer.process.send_signal(2)
            self.assertEqual(tracer.wait(), 0, tracer.words)
        told = self.check(self.write("recorded", tracer.text()))
        self.assertGreater(told["coverage"]["lost"], 0)
        self.assertRegex(self.report(self.path("recorded")), r"lost events: [1-9]")

    def test_overdue(self):
        """A command and its step that hang, with two times; the report counts each once."""
        with Runner(target("hanging")) as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "50ms,100ms")
            runner.do("stack sleep")
            all_reached(tracer, (50, 100), runner.pid)
            tracer.process.send_signal(2)
            self.assertEqual(tracer.wait(), 0, tracer.words)
        told = self.check(self.write("recorded", tracer.text()))
        self.assertEqual({row["overdue"] for row in told["overdue"]}, {"command", "step"})
        for row in told["overdue"]:
            self.assertEqual((row["count"], row["executions"]), (2, 1), row)
            self.assertGreater(row["max_ns"], 100 * 10**6)

    def test_rotated_parts(self):
        """Compressed ones, named in any order; and one that is missing."""
        os.chmod(self.directory, 0o777)
        path = self.path("events.ndjson.gz")
        with Runner() as runner:
            process = subprocess.Popen(
                [STEPTRACE, "record", "-p", str(runner.pid), "-o", path, "--rotate-size", "64K",
                 "--keep", "1000"], stderr=subprocess.PIPE, text=True)
            while "attached" not in process.stderr.readline():
                pass
            for _ in range(30):
                runner.do("go 100")
            wait_until(lambda: len(glob.glob(path + "*") + glob.glob(self.path("*.gz"))) > 3,
                       "several parts")
            process.send_signal(2)
            process.communicate(timeout=PATIENCE_S)
        paths = sorted(glob.glob(self.path("events*")), key=self.part_of)
        self.assertGreater(len(paths), 2)
        told = self.check(*paths, given=random.Random(3).sample(paths, len(paths)))
        trace, = told["coverage"]["traces"]
        self.assertEqual(trace["parts"], len(paths))
        self.assertEqual(trace["hits"], trace["events"] + trace["lost"])
        self.check(paths[0], *paths[2:])
        self.assertIn("1 of %d parts are missing" % len(paths),
                      self.report(paths[0], *paths[2:]))

    def part_of(self, path):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            return json.loads(file.readline())["part"]


class Made(Reports):
    """On recordings from a seed."""

    def test_ten_thousand_commands(self):
        path = self.write("one", made_recordings.lines_of(10000, 5))
        told = self.check(path)
        self.assertEqual(sum(row["count"] for row in told["commands"]), 10000)
        self.assertTrue(told["bottlenecks"]["commands"])

    def test_any_seed(self):
        for seed in range(12):
            apart_ns = 10 ** random.Random(seed).randrange(6, 14)
            with self.subTest(seed):
                self.check(self.write("any", made_recordings.lines_of(
                    150, seed, apart_ns=apart_ns, slugs=1 + seed)),
                    arguments=["--slowest", str(seed * 3), "--slow-step", "20ms",
                               "--slow-command", "100ms"],
                    slowest=seed * 3, slow_step_ns=20 * 10**6, slow_command_ns=100 * 10**6)

    def test_overdue_of_any_age(self):
        """Reports of commands, of steps and of both, with ages that are known, bounds, or not
        known; and everything that a trace says of itself."""
        rng, lines = random.Random(5), list(made_recordings.lines_of(300, 5))
        maker = made_recordings.Maker(5)
        ids = [maker.id() for _ in range(40)]
        for _ in range(400):
            def age():
                at_least = rng.randrange(10**12) if rng.random() < 0.8 else 0
                return {"age_ms": None if rng.random() < 0.3 else
                        made_recordings.Raw(made_recordings.ms(at_least)),
                        "age_at_least_ms": made_recordings.Raw(made_recordings.ms(at_least))}
            step = made_recordings.Raw(made_recordings.as_line({
                "step_type": rng.choice("AB"), "name": rng.choice((None, "n")),
                "step_id": rng.choice(ids + [None]), "index": 0, **age()}).strip())
            lines.insert(rng.randrange(1, len(lines) - 1), made_recordings.as_line({
                "event": "command.execution.overdue", "correlation_id": None,
                "execution_id": rng.choice(ids + [None]), "command_slug": rng.choice("cd"),
                "threshold_ms": 5, "overdue": rng.choice((["command"], ["step"],
                                                          ["command", "step"])),
                **maker.common(maker.passed(1)), **age(), "step": step}))
        for event in ({"event": "trace.degraded", "level": "steps_sampled"},
                      {"event": "trace.degraded", "level": "all"},
                      {"event": "trace.clock", "ahead_ns": 5}, {"event": "trace.detached"},
                      {"event": "trace.attached"}, {"event": "trace.attached", "exe": "x"}):
            lines.insert(rng.randrange(1, len(lines)), made_recordings.as_line(event))
        stopped = json.loads(lines[-1])
        lines[-1] = json.dumps({**stopped, "filtered": {"a": 2, "b": "3", "c": 0}}) + "\n"
        path = self.write("one", lines)
        told = self.check(path)
        self.assertEqual(sum(row["count"] for row in told["overdue"] if row["step_type"]),
                         sum('"step"]' in line for line in lines))
        trace, = told["coverage"]["traces"]
        self.assertEqual([trace[name] for name in ("filtered", "degraded", "clock_changes",
                                                   "attached", "detached")], [5, 1, 1, 2, 1])
        shown = self.report(path)
        for words in ("Overdue (open for too long)", "5 events left out by filters",
                      "details left out 1 times", "the wall clock was set 1 times"):
            self.assertIn(words, shown)

    def test_two_hosts(self):
        paths = []
        for host, ahead in (("web-1", 0), ("web-2", 7)):
            lines = [line.replace(str(made_recordings.START_NS),
                                  str(made_recordings.START_NS + ahead))
                     for line in made_recordings.lines_of(300, ahead, host=host)]
            paths.append(self.write(host, lines))
        told = self.check(*paths, given=paths[::-1])
        self.assertEqual([trace["host"] for trace in told["coverage"]["traces"]],
                         ["web-1", "web-2"])

    def test_what_is_selected(self):
        path = self.write("one", made_recordings.lines_of(2000, 9))
        start, end = made_recordings.START_NS + 10**10, made_recordings.START_NS + 9 * 10**10
        arguments = ["--since", oracle.time_of_ns(start), "--until", oracle.time_of_ns(end),
                     "--command", "command-*.run", "--command", "!command-3*"]
        told = self.check(path, arguments=arguments, since_ns=start, until_ns=end,
                          matches=lambda slug: bool(re.fullmatch(r"command-(?!3).*\.run", slug)))
        self.assertGreater(len(told["commands"]), 2)

    def test_other_writers(self):
        """jq and Python write other blanks, and other numbers."""
        lines = list(made_recordings.lines_of(200, 4))
        spaced = [json.dumps(json.loads(line)) + "\r\n" for line in lines]
        told = self.check(self.write("spaced", spaced))
        self.assertEqual(told["coverage"]["slow_lines"], len(lines))
        self.check(self.write("seed", (re.sub(r',"timestamp".*?("source":\{.*?\}|(?=\}$))', "",
                                              line) for line in lines[1:-1]
                                       if "trace." not in line)))

    def test_standard_input(self):
        data = gzip.compress("".join(made_recordings.lines_of(100)).encode())
        done = subprocess.run([STEPTRACE, "report", "--json", "-"], input=data,
                              capture_output=True, check=True)
        self.assertEqual(json.loads(done.stdout)["coverage"]["events"],
                         json.loads(self.report("--json", self.write(
                             "one", data)))["coverage"]["events"])


class Hostile(Reports):
    """Counted and said, never a wrong table in silence."""

    def test_foreign_lines(self):
        lines = list(made_recordings.lines_of(100, 2))
        middle = len(lines) // 2
        lines[middle:middle] = ["\n", "Nov 24 host kernel: words\n", '{"level":"info"}\n',
                                "\0\0\x7fELF\n", lines[3][:80] + lines[4], lines[5], lines[5],
                                '{"event":"x","y":"%s"}\n' % ("z" * 2**20),
                                '{"event":"moon.phase","new":[1,{}]}\n']
        path = self.write("foreign", "".join(lines) + lines[8][:100])
        told = self.check(path)
        self.assertEqual(told["coverage"]["skipped"],
                         {"empty": 1, "not_json": 2, "not_event": 1, "binary": 1, "torn": 1,
                          "too_long": 1, "repeated": 2})
        self.assertEqual(told["coverage"]["events_other"], 1)
        shown = self.report(path)
        for words in ("skipped 2 lines: they repeat an earlier line", "they are torn",
                      "1 events are of kinds"):
            self.assertIn(words, shown)

    def test_time_that_runs_backwards(self):
        lines = list(made_recordings.lines_of(50, 2))
        told = self.check(self.write("backwards", [lines[0]] + lines[:0:-1]))
        self.assertGreater(told["coverage"]["backwards"], 100)

    def test_ids_that_repeat(self):
        lines = "".join(made_recordings.lines_of(50, 2))
        same = "00000000-0000-4000-8000-000000000001"
        told = self.check(self.write("ids", re.sub('"execution_id":"[^"]*"',
                                                   '"execution_id":"%s"' % same, lines)))
        self.assertEqual(told["coverage"]["ended_repeatedly"], 49)

    def test_copies(self):
        path = self.write("one", made_recordings.lines_of(50, 2))
        with open(path, "rb") as file:
            copy = self.write("two.gz", gzip.compress(file.read()))
        told, alone = (json.loads(self.report("--json", *paths))
                       for paths in ((path, copy), (path,)))
        self.assertEqual(told["commands"], alone["commands"])
        self.assertEqual(told["coverage"]["files_copied"], 1)
        self.assertIn("left out", self.report(path, copy))

    def test_damaged_gzip(self):
        data = gzip.compress("".join(made_recordings.lines_of(500, 2)).encode())
        path = self.write("torn.gz", data[:len(data) // 2])
        self.assertEqual(json.loads(self.report("--json", path))["coverage"]["files_damaged"], 1)
        self.assertIn("damaged gzip file", self.report(path))

    def test_nothing(self):
        for name, data, words in (
                ("empty", "", "no event of a runner"),
                ("binary", bytes(range(256)) * 100, "no event of a runner"),
                ("compact", "TIME (UTC)     PID  ID\n", "compact format"),
                ("own", made_recordings.Maker(1).started(), "no event of a runner")):
            with self.subTest(name):
                self.assertIn(words, self.report(self.write(name, data), status=1))
        path = self.write("one", made_recordings.lines_of(5))
        self.assertIn("none of the events", self.report("--command", "no", path, status=1))
        self.assertIn("none of the events", self.report("--since", "2031-01-01", path, status=1))
        self.assertIn("cannot open", self.report(self.path("missing"), status=1))
        self.assertIn("is a directory", self.report(self.directory, status=1))

    def test_wrong_usage(self):
        for arguments in ((), ("--since", "noon", "x"), ("--rows", "0", "x"), ("--xml", "x"),
                          ("--json", "--html", "x"),
                          ("--since", "2026-01-02", "--until", "2026-01-01", "x")):
            with self.subTest(arguments):
                self.report(*arguments, status=2)

    def test_more_rows_than_are_kept(self):
        path = self.path("large")
        maker = made_recordings.Maker(3)
        with open(path, "w", encoding="utf-8") as file:
            file.write(maker.started())
            for index in range(6000):
                maker.slugs = ["c-%d" % (index % 2000)]
                lines = list(maker.command())
                file.writelines(lines[:-1] if index % 2 else lines)
        rows = json.loads(self.report("--json", path))["commands"]
        self.assertEqual(sum(row["count"] for row in rows), 3000)
        self.assertEqual(len(rows), 1001)
        self.assertTrue(rows[-1]["is_other"])

    @unittest.skipIf("address" in BUILD, "a sanitizer needs more memory")
    def test_memory(self):
        path = self.write_every_row("large")
        for form in ((), ("--html",)):
            with self.subTest(form):
                self.assertLess(self.peak_kib("report", *form, path), 128 << 10)


class Terminal(Reports):
    def shown(self, columns, *arguments):
        """What a terminal of that width gets."""
        main, other = pty.openpty()
        subprocess.run(["stty", "cols", str(columns)], stdin=other, check=True)
        process = subprocess.Popen([STEPTRACE, "report", *arguments], stdout=other, stderr=other,
                                   env={**os.environ, "TERM": "xterm"})
        os.close(other)
        data = b""
        while True:
            try:
                chunk = os.read(main, 65536)
            except OSError:
                break
            data += chunk
        os.close(main)
        self.assertEqual(process.wait(PATIENCE_S), 0)
        return data.decode()

    def test_lines_fit(self):
        path = self.write("one", made_recordings.lines_of(300, 6))
        for columns in (80, 120):
            text = re.sub("\x1b\\[[0-9]*m", "", self.shown(columns, path))
            self.assertEqual([line for line in text.split("\r\n") if len(line) > columns], [])

    def test_a_pipe_gets_whole_names(self):
        path = self.write("one", (line.replace("command-0", "command-" + "x" * 90)
                                  for line in made_recordings.lines_of(50, 6)))
        self.assertIn("x" * 90, self.report(path))
        self.assertNotIn("\x1b", self.report(path))
        self.assertIn("…", self.shown(80, path))


if __name__ == "__main__":
    unittest.main()
