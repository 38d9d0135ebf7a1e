# SPDX-License-Identifier: BSD-2-Clause
"""The line of progress of report, export and trace. The recordings come through a FIFO that is
written until the terminal shows what is expected, so that nothing depends on the time."""
import os
import pty
import re
import select
import selectors
import subprocess
import time
import unittest

import made_recordings
from harness import PATIENCE_S, STEPTRACE, Scenario

SHOWN = re.compile(rb"\rsteptrace: read (\d+) MB ")
FOREIGN = (b"x" * 4095 + b"\n") * 64  # no events: every line is skipped
ENDLESS = b"x" * (1 << 18)


class Reading:
    """A command that reads a FIFO. Its standard error is a terminal, or a pipe."""

    def __init__(self, path, arguments, out_on_terminal=False, err_on_terminal=True):
        os.mkfifo(path)
        self.main, other = pty.openpty()
        self.process = subprocess.Popen(
            [STEPTRACE, *arguments, path], stdout=other if out_on_terminal else subprocess.DEVNULL,
            stderr=other if err_on_terminal else subprocess.PIPE)
        os.close(other)
        self.shown = b""
        # Opening waits for the command.
        self.fifo = os.open(path, os.O_WRONLY)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.main, selectors.EVENT_READ)

    def write(self, data):
        while data:
            data = data[os.write(self.fifo, data):]
            if self.selector.select(0):
                self.take()

    def take(self):
        """False at the end."""
        try:
            data = os.read(self.main, 1 << 16)
        except OSError:
            data = b""
        self.shown += data
        return bool(data)

    def numbers(self):
        return [int(number) for number in SHOWN.findall(self.shown)]

    def end(self, lines=b""):
        self.write(lines)
        os.close(self.fifo)
        while self.take():
            pass
        _, err = self.process.communicate(timeout=PATIENCE_S)
        os.close(self.main)
        self.selector.close()
        return err


class Progress(Scenario):
    def setUp(self):
        super().setUp()
        self.lines = "".join(made_recordings.lines_of(3)).encode()
        execution = re.search(rb'"execution_id":"([^"]*)"', self.lines).group(1).decode()
        self.commands = {"report": ["report"], "compare": ["report", "--compare", self.save()],
                         "export": ["export", "--to", "chrome"], "trace": ["trace", execution]}

    def save(self):
        path = os.path.join(self.directory, "events.ndjson")
        with open(path, "wb") as file:
            file.write(self.lines)
        return path

    def begin(self, name, arguments, **options):
        reading = Reading(os.path.join(self.directory, name), arguments, **options)
        reading.write(self.lines)
        return reading

    def feed(self, readings, data):
        """Until the line of the first one has moved."""
        deadline = time.monotonic() + PATIENCE_S
        while len(set(readings[0].numbers())) < 2:
            self.assertLess(time.monotonic(), deadline, readings[0].shown)
            for reading in readings:
                reading.write(data)

    def test_moves_over_skipped_lines(self):
        for name, arguments in self.commands.items():
            for kind, data in (("lines", FOREIGN), ("one line", ENDLESS)):
                with self.subTest(name, skipped=kind):
                    reading = self.begin("%s of %s" % (kind, name), arguments)
                    self.feed([reading], data)
                    reading.end()
                    numbers = reading.numbers()
                    self.assertEqual(numbers, sorted(numbers))
                    # What follows are warnings.
                    self.assertRegex(reading.shown, rb"MB \r\x1b\[K(steptrace: [^\r]*\r\n)*$")
                    self.assertEqual(reading.process.returncode, 0, reading.shown)

    def test_none_on_a_pipe(self):
        for name, arguments in self.commands.items():
            with self.subTest(name):
                seen = self.begin(name, arguments)
                piped = self.begin(name + " to a pipe", arguments, err_on_terminal=False)
                self.feed([seen, piped], FOREIGN)
                seen.end()
                self.assertNotIn(b"\r", piped.end())

    def test_none_in_exported_text(self):
        """When the terminal gets the text."""
        arguments = self.commands["export"]
        seen = self.begin("seen", arguments)
        written = self.begin("written", arguments, out_on_terminal=True)
        self.feed([seen, written], FOREIGN)
        seen.end()
        written.end()
        self.assertIn(b"traceEvents", written.shown)
        self.assertEqual(written.numbers(), [])


class Share(Scenario):
    def test_of_a_file(self):
        """Of a regular file, the share is known. It is large, and read until the line appears."""
        path = os.path.join(self.directory, "large.ndjson")
        with open(path, "wb") as file:
            file.write("".join(made_recordings.lines_of(3)).encode())
            file.truncate(1 << 36)  # a hole: one line of NUL bytes, and no room on the disk
        main, other = pty.openpty()
        process = subprocess.Popen([STEPTRACE, "report", path], stdout=subprocess.DEVNULL,
                                   stderr=other)
        os.close(other)
        shown = b""
        while not re.search(rb"read \d+ %, [1-9]\d+ of 68719 MB ", shown):
            readable, _, _ = select.select([main], [], [], PATIENCE_S)
            self.assertTrue(readable, shown)
            shown += os.read(main, 1 << 16)
        process.kill()
        process.wait(PATIENCE_S)
        os.close(main)


if __name__ == "__main__":
    unittest.main()
