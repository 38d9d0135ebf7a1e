# SPDX-License-Identifier: BSD-2-Clause
"""Lines for people: what a terminal gets, and what a file gets."""
import fcntl
import json
import os
import re
import struct
import subprocess
import termios
import unittest

import needs
from harness import (PATIENCE_S, STEPTRACE, Lines, Runner, Scenario, read_events, target,
                     wait_until)

COLOUR = re.compile(r"\033\[[0-9]*m")


class Terminal:
    """A recording of one runner whose standard output is a terminal of this width."""

    def __init__(self, columns, *arguments, words="go 1\n", environment=()):
        self.arguments, self.words = arguments, words
        self.environment = {key: value for key, value in os.environ.items()
                            if key not in ("NO_COLOR", "TERM")}
        self.environment.update(environment)
        self.columns = columns

    def record(self):
        """What the terminal shows, as lines."""
        ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, self.columns, 0, 0))
        with Runner() as runner:
            process = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid),
                                        *self.arguments], stdout=theirs, stderr=subprocess.PIPE,
                                       env=self.environment, bufsize=0)
            os.close(theirs)
            Lines(process.stderr, "steptrace").until("attached to")
            for words in self.words.splitlines():
                runner.do(words)
            process.terminate()
            shown = self.read(ours)
            assert process.wait(PATIENCE_S) == 0
            process.stderr.close()
        return shown.replace("\r\n", "\n").splitlines()

    @staticmethod
    def read(fd):
        data = b""
        with open(fd, "rb", buffering=0) as terminal:
            try:
                while chunk := terminal.read(65536):
                    data += chunk
            except OSError:  # EIO: the last writer has closed it
                pass
        return data.decode()


class Compact(Scenario):
    def test_a_terminal_gets_lines_for_people(self):
        lines = Terminal(80, environment={"TERM": "xterm"}).record()
        self.assertTrue(lines[0].startswith("\033[1mTIME (UTC) "), lines[0])
        self.assertEqual(len(lines), 8)
        self.assertIn("done  success", lines[-1])
        self.assertIn("5 steps", lines[-1])

    def test_it_fits_every_width(self):
        for columns in (60, 80, 100, 137):
            with self.subTest(columns=columns):
                lines = Terminal(columns, words="go 1\nfail\nnested\ntool\nreject\n").record()
                widest = max(len(COLOUR.sub("", line)) for line in lines)
                self.assertLessEqual(widest, columns)
                self.assertGreater(widest, columns * 0.7)
                self.assertEqual(any("failure: database" in line for line in lines), columns > 60)

    def test_a_terminal_that_becomes_narrower(self):
        ours, theirs = os.openpty()
        self.addCleanup(os.close, theirs)
        self.resize(theirs, 200)
        with Runner() as runner:
            process = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid)], stdout=theirs,
                                       stderr=subprocess.PIPE, bufsize=0)
            Lines(process.stderr, "steptrace").until("attached to")
            shown = Lines(open(ours, "rb", buffering=0), "the terminal")
            runner.do("go 1")
            self.assertGreater(max(map(len, shown.until("done "))), 90)
            self.resize(theirs, 60)
            wait_until(lambda: self.width_of_a_command(runner, shown) <= 60, "lines fit again")
            process.terminate()
            self.assertEqual(process.wait(PATIENCE_S), 0)
            process.stderr.close()
            shown.selector.close()
            shown.pipe.close()

    @staticmethod
    def resize(fd, columns):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    @staticmethod
    def width_of_a_command(runner, shown):
        runner.do("go 1")
        return max(len(line.rstrip()) for line in shown.until("done "))

    def test_colours(self):
        for environment, has_colours in (({"TERM": "xterm"}, True), ({}, True),
                                         ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False),
                                         ({"TERM": "dumb"}, False)):
            with self.subTest(environment=environment):
                lines = Terminal(100, words="fail\n", environment=environment).record()
                failed = [line for line in lines if "failure: database" in line]
                self.assertEqual(len(failed), 1)
                self.assertEqual("\033[31m" in failed[0], has_colours)
                self.assertEqual(any("\033" in line for line in lines), has_colours)

    def test_a_terminal_can_get_json(self):
        for arguments in (("--format", "json"), ("--fields", "outcome"), ("--fields", "seed")):
            with self.subTest(arguments=arguments):
                lines = Terminal(80, *arguments).record()
                self.assertEqual(json.loads(lines[0])["event"], "trace.started")
                self.assertEqual(len(lines), 1 + 1 + 7 + 1)

    def test_another_output_decides_for_json(self):
        """All outputs have the same format: a file beside the terminal gets JSON."""
        path = os.path.join(self.directory, "events")
        lines = Terminal(80, "-o", path, "-o", "-").record()
        self.assertEqual(json.loads(lines[0])["event"], "trace.started")
        self.assertEqual(len(read_events(path)), len(lines))

    def record_to_file(self, *arguments, words="go 1"):
        path = os.path.join(self.directory, "events")
        with Runner() as runner:
            process = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid), "-o", path,
                                        *arguments], stderr=subprocess.PIPE, bufsize=0)
            Lines(process.stderr, "steptrace").until("attached to")
            answers = [runner.do(line) for line in words.splitlines()]
            process.terminate()
            self.assertEqual(process.wait(PATIENCE_S), 0)
            process.stderr.close()
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        os.unlink(path)
        return lines, answers

    def test_a_file_gets_json(self):
        lines, _ = self.record_to_file()
        self.assertEqual(json.loads(lines[0])["event"], "trace.started")

    def test_a_file_gets_whole_texts_without_colours(self):
        lines, _ = self.record_to_file("--format", "compact", words="go 1\nfail")
        self.assertTrue(lines[0].startswith("TIME (UTC) "))
        self.assertNotIn("\033", "".join(lines))
        self.assertNotIn("…", "".join(lines))
        self.assertRegex(lines[1], r"^\d\d:\d\d:\d\d\.\d{6} ")

    def test_ids(self):
        lines, _ = self.record_to_file("--ids", words="go 1")
        for line in lines[1:]:
            found = re.search(r"  execution ([0-9a-f-]{36})(  req \S+)?  thread \d+$", line)
            self.assertIsNotNone(found, line)
            self.assertIn("  %s  " % found[1][-8:], line)

    def test_four_threads_differ(self):
        lines, _ = self.record_to_file("--format", "compact", words="threads 4 10")
        ids = {line.split()[2] for line in lines[1:]}
        self.assertEqual(len(ids), len([line for line in lines if " started" in line]))
        self.assertGreaterEqual(len(ids), 4)

    def test_each_part_has_titles(self):
        needs.other_users()
        os.chown(self.directory, 65534, 65534)  # the user that the tracer becomes
        path = os.path.join(self.directory, "part")
        subprocess.run([STEPTRACE, "record", "-o", path, "--format", "compact", "--rotate-size",
                        "4K", "--", target("spans")], input=b"go 30\n", check=True,
                       capture_output=True, timeout=PATIENCE_S)
        parts = sorted(name for name in os.listdir(self.directory) if name.startswith("part"))
        self.assertGreater(len(parts), 3)
        for name in parts:
            with open(os.path.join(self.directory, name), encoding="utf-8") as file:
                self.assertTrue(file.readline().startswith("TIME (UTC) "))
                self.assertFalse(any(line.startswith("TIME") for line in file))

    def test_options_that_exclude_each_other(self):
        for arguments in (("--format", "json", "--ids"), ("--fields", "seed", "--ids"),
                          ("--fields", "outcome", "--format", "compact")):
            done = subprocess.run([STEPTRACE, "record", "-x", target("spans"), *arguments],
                                  capture_output=True, timeout=PATIENCE_S)
            self.assertEqual(done.returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main()
