# SPDX-License-Identifier: BSD-2-Clause
"""steptrace report --compare: every number is computed again by tests/oracle/compare.py from the
single values of the two files."""
import gzip
import json
import os
import random
import re
import subprocess
import sys
import unittest

import made_recordings
from harness import BUILD, ROOT, STEPTRACE, Runner, Tracer, run
from made_recordings import Maker, Raw, as_line, ms
from test_report import Reports

sys.path.insert(0, os.path.join(ROOT, "tests", "oracle"))
import compare as oracle  # noqa: E402


class Durations(Maker):
    """Recordings with exactly these durations."""

    def ended(self, slug, ns, outcome="success"):
        now_ns = self.passed(10**6)
        duration = Raw("null" if ns is None else ms(ns))
        yield as_line({"event": "dsl.step.executed", "execution_id": self.id(),
                       "step_type": "NotifyStep", "command_slug": slug, "duration_ms": duration,
                       "outcome": outcome, **self.common(now_ns), "step": {"name": "tell"}})
        yield as_line({"event": "command.execution.completed", "execution_id": self.id(),
                       "command_slug": slug, "total_duration_ms": duration, "outcome": outcome,
                       **self.common(self.passed(1))})

    def whole(self, values, **stopped):
        """{slug: [(ns, outcome)]}"""
        lines = [self.started()]
        for slug, row in values.items():
            for value in row:
                lines.extend(self.ended(slug, *value))
        end = json.loads(self.stopped())
        return lines + [json.dumps({**end, **stopped}) + "\n"]


def spread(seed, count, times=1.0):
    rng = random.Random(seed)
    return [(int(10**7 * times * rng.lognormvariate(0, 0.5)),) for _ in range(count)]


class Compared(Reports):
    def make(self, name, values, seed=1, host="host-1", start="09:28:38", **stopped):
        """Another start is another trace."""
        lines = Durations(seed, host=host).whole(values, **stopped)
        lines[0] = lines[0].replace("09:28:38", start)
        return self.write(name, lines)

    def compare(self, old, new, *arguments, olds=(), **options):
        """Checks every number, and returns the JSON."""
        got, out, said = run("report", "--json", *(word for path in (old, *olds)
                                                   for word in ("--compare", path)), *arguments,
                             new)
        self.assertEqual(got, 0, said)
        self.assertEqual(oracle.check(out, [old, *olds], [new], **options), [])
        return json.loads(out)

    def doubts(self, told):
        return {doubt["name"]: (doubt["old"], doubt["new"]) for doubt in told["doubts"]}

    def verdicts(self, told):
        return {row["command"]: (row["durations"]["verdict"], row["failures"]["verdict"])
                for row in told["commands"]}


class Numbers(Compared):
    def test_made_recordings(self):
        """Two seeds, in both directions; failures, steps without a duration, and rare commands."""
        paths = [self.write(name, made_recordings.lines_of(1500, seed, slugs=slugs))
                 for name, seed, slugs in (("a", 1, 12), ("b", 2, 9))]
        for old, new in (paths, paths[::-1]):
            told = self.compare(old, new)
            self.assertGreater(told["tests"]["count"], 60)
        matches = re.compile(r"command-[0-3]\..*").fullmatch
        self.compare(*paths, "--command", "command-[0-3].*", matches=matches)

    def test_the_same_recording_twice(self):
        path = self.write("one", made_recordings.lines_of(1000, 3))
        told = self.compare(path, path)
        found = {row[part]["verdict"] for row in told["commands"] + told["steps"]
                 for part in ("durations", "failures")}
        self.assertEqual(found, {"no_difference_found", "too_few"})
        self.assertIn("same_trace", self.doubts(told))

    def test_what_is_told(self):
        """A shift of 20 % and one of -20 %, failures, new and gone commands, ties, one execution,
        and durations that are not known."""
        rare = [(10**6, "failure")] * 5 + [(10**6,)] * 995
        often = [(10**6, "aborted")] * 50 + [(10**6,)] * 950
        common = {"ties": [(5 * 10**6,)] * 500, "one": [(1,)], "zero": [(0,)] * 30}
        old = self.make("old", {"slower": spread(1, 1000), "faster": spread(2, 1000),
                                "worse": rare, "better": often, "gone": spread(3, 50),
                                "unknown": [(None,)] * 100, "few": spread(4, 19), **common})
        new = self.make("new", {"slower": spread(5, 1000, 1.2), "faster": spread(6, 1000, 0.8),
                                "worse": often, "better": rare, "new": spread(7, 50),
                                "unknown": [(None,)] * 100, "few": spread(8, 5000, 9), **common},
                        start="10:00:00")
        told = self.compare(old, new)
        none = "no_difference_found"
        self.assertEqual(self.verdicts(told), {
            "slower": ("slower", none), "faster": ("faster", none), "worse": (none, "more"),
            "better": (none, "fewer"), "new": ("new", "new"), "gone": ("gone", "gone"),
            "unknown": ("too_few", none), "few": ("too_few", "too_few"), "ties": (none, none),
            "one": ("too_few", "too_few"), "zero": (none, none)})
        slower, = (row for row in told["commands"] if row["command"] == "slower")
        p50 = slower["durations"]["p50"]
        self.assertLess(p50["low"], 1.2)
        self.assertGreater(p50["high"], 1.2)
        self.assertGreater(p50["low"], 1)
        self.assertEqual({row["step_type"] for row in told["steps"]}, {"NotifyStep"})
        self.assertEqual(told["doubts"], [])

    def test_none_in_common(self):
        old = self.make("old", {"a": spread(1, 30)})
        new = self.make("new", {"b": spread(1, 30)}, start="10:00:00")
        told = self.compare(old, new)
        self.assertEqual(self.verdicts(told), {"a": ("gone", "gone"), "b": ("new", "new")})
        self.assertEqual(told["tests"]["count"], 0)

    def test_steps_of_one_type_are_one_row(self):
        """Whatever their names are."""
        lines = self.make("old", {"a": spread(1, 100)})
        with open(lines, encoding="utf-8") as file:
            text = file.read().split('"name":"tell"')
        names = "".join(part + '"name":"n%d"' % (index % 7) for index, part in enumerate(text[:-1]))
        new = self.write("new", names + text[-1])
        told = self.compare(lines, new)
        self.assertEqual(len(told["steps"]), 1)

    def test_a_real_runner(self):
        paths = []
        for name in ("old", "new"):
            with Runner() as runner:
                tracer = Tracer("-p", str(runner.pid))
                runner.do("go 60")
                runner.do("fail")
                tracer.process.send_signal(2)
                self.assertEqual(tracer.wait(), 0, tracer.words)
            paths.append(self.write(name, tracer.text()))
        told = self.compare(*paths)
        self.assertTrue(told["commands"])
        self.assertEqual(self.doubts(told), {})


class Files(Compared):
    def test_parts_on_both_sides(self):
        """Repeated options, a quoted pattern, compressed parts, and standard input."""
        olds = [self.make("old.%d" % i, {"a": spread(i, 40)}, start="08:0%d:00" % i)
                for i in range(3)]
        with open(olds[2], "rb") as file:
            self.write("old.2", gzip.compress(file.read()))
        new = self.make("new", {"a": spread(9, 100)})
        told = self.compare(olds[0], new, olds=olds[1:])
        self.assertEqual(told["commands"][0]["old"]["count"], 120)
        pattern = json.loads(self.report("--json", "--compare", self.path("old.*"), new))
        for name in ("commands", "steps", "tests"):
            self.assertEqual(pattern[name], told[name])
        with open(new, "rb") as file:
            piped = subprocess.run([STEPTRACE, "report", "--json", "--compare",
                                    self.path("old.*"), "-"], stdin=file, capture_output=True,
                                   check=True)
        self.assertEqual(json.loads(piped.stdout)["commands"], told["commands"])

    def test_a_file_that_is_named_like_a_pattern(self):
        old = self.make("old[12]", {"a": spread(1, 30)})
        new = self.make("new", {"a": spread(2, 40)})
        self.make("old1", {"b": spread(3, 50)})
        self.compare(old, new)

    def test_a_pattern_that_the_shell_expands(self):
        """Then one part is the old recording, and the other parts are with the new one."""
        parts = []
        for part in (1, 2):
            maker = Durations(part, part=part)
            parts.append(self.write("part.%d" % part, maker.whole({"a": spread(part, 30)})))
        said = run("report", "--compare", *parts)[2]
        self.assertIn("the same trace", said)

    def test_wrong_usage(self):
        path = self.make("old", {"a": spread(1, 30)})
        for arguments in (("--compare", path), ("--fail-slower", "5", path),
                          ("--compare", path, "--fail-slower", "x", path), ("--compare",),
                          ("--compare", "-", "-")):
            with self.subTest(arguments):
                self.report(*arguments, status=2)
        for arguments in (("--compare", self.path("no"), path), ("--compare", path, "no"),
                          ("--compare", self.path("no*"), path),
                          ("--compare", path, "--command", "no", path)):
            with self.subTest(arguments):
                said = self.report(*arguments, status=1)
                self.assertRegex(said, "cannot open|the old recording")

    def test_foreign_lines(self):
        """As in every recording: skipped, counted and said."""
        lines = list(made_recordings.lines_of(300, 2))
        old = self.write("old", lines)
        lines[50:50] = ["\0\0\n", "words\n", "{}\n", "[1]\n", lines[60], lines[60],
                        '{"event":"x","y":"%s"}\n' % ("z" * 2**20)]
        new = self.write("new", "".join(lines) + lines[8][:90])
        told = self.compare(old, new)
        self.assertEqual(self.doubts(told)["skipped"], (0, 8))
        self.assertIn("longer than 1 MiB", run("report", "--compare", old, new)[2])

    def test_hostile_names(self):
        """Names that could control a terminal, that are no UTF-8, empty, and very long ones."""
        names = ["\x1b[31m\x07", "", "x" * 5000, "é" * 300, "a\nb", "\u202eabc"]
        old = self.make("old", {name: spread(1, 25) for name in names})
        new = self.make("new", {name: spread(2, 25) for name in names}, host="\x1b]0;x\x07")
        with open(new, "rb") as file:
            data = file.read().replace("é".encode(), b"\xff\xfe")
        new = self.write("new", data)
        status, out, said = run("report", "--compare", old, new)
        self.assertEqual(status, 0)
        self.assertNotRegex(out + said, "[\x00-\x09\x0b-\x1f]")
        json.loads(self.report("--json", "--compare", old, new))

    def test_numbers_that_are_too_large(self):
        lines = Durations(1).whole({"a": [(2**63,)] * 25 + [(2**64 - 1,)] * 25})
        old = self.write("old", lines)
        new = self.write("new", [re.sub(r'duration_ms":[0-9.]+', 'duration_ms":1e300', line)
                                 for line in lines] + ['{"event":"trace.stopped","filtered":'
                                                       '{"a":99999999999999999999,"b":-1}}\n'])
        for arguments in ((), ("--json",)):
            self.report(*arguments, "--compare", old, new)


    @unittest.skipIf("address" in BUILD, "a sanitizer needs more memory")
    def test_memory(self):
        """No more than a report may have."""
        path = self.write_every_row("large")
        peak = self.peak_kib("report", "--compare", path, path)
        self.assertLess(peak, 128 << 10)


class Doubts(Compared):
    """Said loudly: in the text, in the JSON and on standard error."""

    def check_doubt(self, name, counts, words, old, new):
        told = json.loads(self.report("--json", "--compare", old, new))
        self.assertEqual(self.doubts(told), {name: counts})
        _, out, said = run("report", "--compare", old, new)
        self.assertIn("WARNING: the recordings may not be comparable", out)
        self.assertIn(words, out)
        self.assertIn("may not be comparable", said)
        self.assertIn(words, said)

    def test_nothing_to_doubt(self):
        values = {"a": spread(1, 30)}
        old, new = self.make("old", values), self.make("new", values, start="10:00:00")
        status, out, said = run("report", "--compare", old, new)
        self.assertEqual((status, said), (0, ""))
        self.assertNotIn("WARNING", out)

    def test_each_doubt(self):
        values = {"a": spread(1, 30)}
        old = self.make("old", values)
        filtered = {"dsl.step.executed": 7, "command.execution.completed": "5"}
        new = {"start": "10:00:00"}
        for name, counts, words, path in (
                ("lost", (0, 12), "lost events: 0 in OLD, 12 in NEW",
                 self.make("lost", values, lost=12, **new)),
                ("filtered", (0, 12), "--min-duration", self.make("f", values, filtered=filtered,
                                                                  **new)),
                ("untraced", (0, 3), "could not be traced",
                 self.make("untraced", values, processes_untraced=3, **new)),
                ("hosts", (0, 0), "OLD is of host-1; NEW is of host-2",
                 self.make("host", values, host="host-2", **new))):
            with self.subTest(name):
                self.check_doubt(name, counts, words, old, path)

    def test_changed_lines(self):
        values = {"a": spread(1, 30)}
        old, new = self.make("old", values), self.make("new", values, start="10:00:00")
        with open(new, encoding="utf-8") as file:
            lines = file.readlines()
        degraded = as_line({"event": "trace.degraded", "timestamp": "2026-11-24T10:00:01Z",
                            "level": "steps_sampled"})
        back = degraded.replace("steps_sampled", "all")
        for name, counts, words, changed in (
                ("unfinished", (0, 1), "without trace.stopped", lines[:-1]),
                ("degraded", (0, 1), "--max-cpu", [*lines[:5], degraded, back, *lines[5:]]),
                ("parts_missing", (0, 1), "parts of rotated outputs",
                 [lines[0].replace('"part":1', '"part":2'), *lines[1:]]),
                ("breakdown", (0, 1), "--breakdown",
                 [lines[0].replace('"part"', '"breakdown":true,"part"'), *lines[1:]])):
            with self.subTest(name):
                self.check_doubt(name, counts, words, old, self.write("changed", changed))
        self.assertEqual(self.doubts(self.compare(old, self.write("changed", lines[1:]))),
                         {"unattributed": (0, 60), "hosts": (0, 0)})

    def test_a_recording_with_a_filter(self):
        """The tracer says itself what it left out."""
        paths = []
        for name, arguments in (("old", ()), ("new", ("--sample", "5"))):
            with Runner() as runner:
                tracer = Tracer("-p", str(runner.pid), *arguments)
                runner.do("go 60")
                tracer.process.send_signal(2)
                self.assertEqual(tracer.wait(), 0, tracer.words)
            paths.append(self.write(name, tracer.text()))
        told = self.compare(*paths)
        old, new = self.doubts(told)["filtered"]
        self.assertEqual(old, 0)
        self.assertGreater(new, 60)


class Status(Compared):
    def status(self, old, new, *arguments):
        return run("report", "--compare", old, *arguments, new)

    def test_slower_is_no_error(self):
        old = self.make("old", {"a": spread(1, 1000), "b": spread(2, 1000)})
        new = self.make("new", {"a": spread(3, 1000, 1.5), "b": spread(4, 1000)}, start="10:00:00")
        self.assertEqual(self.status(old, new)[0], 0)
        status, out, said = self.status(old, new, "--fail-slower", "20")
        self.assertEqual(status, 1)
        self.assertIn("2 of 4 commands and steps became slower by more than 20 %", said)
        self.assertIn("Slower", out)
        self.assertEqual(self.status(old, new, "--fail-slower", "60")[0], 0)
        self.assertEqual(self.status(new, old, "--fail-slower", "0")[0], 0)

    def test_too_few_to_fail(self):
        """Ten times as long, but with 19 executions."""
        old = self.make("old", {"a": spread(1, 1000)})
        new = self.make("new", {"a": spread(3, 19, 10)}, start="10:00:00")
        self.assertEqual(self.status(old, new, "--fail-slower", "0")[0], 0)


class Text(Compared):
    def test_tables(self):
        old = self.make("old", {"slow": spread(1, 500), "few": spread(2, 5), "same": spread(3, 500),
                                "gone": spread(4, 30)})
        new = self.make("new", {"slow": spread(1, 500, 2), "few": spread(2, 5),
                                "same": spread(5, 500), "new": spread(4, 30)}, start="10:00:00")
        out = self.report("--compare", old, new)
        tables = {lines[0].split("  ")[0]: lines[1:] for lines in (
            part.split("\n") for part in out.split("\n\n"))}
        for title, name in (("Slower", "slow"), ("New", "new"), ("Gone", "gone"),
                            ("No difference found", "same"),
                            ("Too few executions", "few")):
            self.assertEqual([line.split()[0] for line in tables[title] if line], [name, name])
        self.assertRegex(tables["Slower"][0], r" 500 +500 .*\+100\.0%.* <1e-9$")
        self.assertIn("Mann-Whitney", out)
        self.assertIn("Holm", out)
        self.assertIn("Fisher", out)
        self.assertIn("and 1 other rows", self.report("--rows", "1", "--compare", old, new))


if __name__ == "__main__":
    unittest.main()
