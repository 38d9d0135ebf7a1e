# SPDX-License-Identifier: BSD-2-Clause
"""steptrace export --from: an export that was interrupted goes on, and nothing is missing."""
import gzip
import json
import os
import re
import signal
import subprocess
import threading
import unittest

from exports import Exporting
from harness import PATIENCE_S
from made_recordings import lines_of
from recordings import READING

COMMANDS = 2000  # a recording of a few megabytes: more than the buffers between two programs hold


def execution_of(row):
    return json.loads(row).get("execution_id")


class Resume(Exporting):
    def setUp(self):
        super().setUp()
        self.lines = list(lines_of(COMMANDS))
        self.whole = self.write(self.lines, "whole.ndjson")

    def export(self, *arguments, to="clickhouse", **options):
        output, self.said = self.tool("export", "--to", to, *arguments, **options)
        return output.splitlines()

    def interrupt(self, sent, text, to="clickhouse"):
        """(rows, place): SIGTERM while it waits for what follows `text`."""
        os.mkfifo(self.path("fifo"))
        process = subprocess.Popen([READING, "export", "--to", to, self.path("fifo")],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        output = []
        reader = threading.Thread(target=lambda: output.append(process.stdout.read()))
        reader.start()
        with open(self.path("fifo"), "wb", buffering=0) as fifo:
            fifo.write(text)
            process.send_signal(sent)
            reader.join(PATIENCE_S)
            said = process.stderr.read().decode()
            self.assertEqual(process.wait(PATIENCE_S), 1, said)
        os.unlink(self.path("fifo"))
        process.stdout.close()
        process.stderr.close()
        place, = re.findall(r"interrupted: .* --from (1:\d+)$", said, re.MULTILINE)
        return output[0].decode().splitlines(), place

    def check(self, place, first, whole):
        """The rest has each execution that it has the end of as a whole."""
        rest = self.export("--from", place, self.whole)
        self.assertEqual(sorted(set(first + rest)), sorted(set(whole)))
        ends = {execution_of(row) for row in rest if '"command.execution.completed"' in row
                and row not in first}
        self.assertGreater(len(ends), 0)
        of_ends = [row for row in whole if execution_of(row) in ends]
        self.assertEqual([row for row in rest if execution_of(row) in ends], of_ends)
        self.assertLess(len(first) + len(rest), len(whole) + 100)

    def test_an_interrupted_export_goes_on(self):
        whole = self.export(self.whole)
        text = "".join(self.lines).encode()
        for sent, share in ((signal.SIGINT, 0.5), (signal.SIGTERM, 0.77)):
            with self.subTest(sent):
                first, place = self.interrupt(sent, text[:int(len(text) * share)])
                self.assertEqual(first, whole[:len(first)])
                self.assertGreater(len(first), 100)
                self.check(place, first, whole)

    def test_a_table_goes_on_without_a_header(self):
        header, *whole = self.export(self.whole, to="csv")
        first, place = self.interrupt(signal.SIGINT, "".join(self.lines[:6000]).encode(), to="csv")
        rest = self.export("--from", place, self.whole, to="csv")
        self.assertEqual(first[0], header)
        self.assertEqual(sorted(set(first[1:] + rest)), sorted(set(whole)))

    def test_the_oldest_open_execution_is_the_place(self):
        """An old one is open, and others have ended since."""
        old, *_ = [line for line in self.lines if '"command.execution.started"' in line]
        execution = json.loads(old)["execution_id"]
        kept = [line for line in self.lines
                if execution not in line or '"command.execution.completed"' not in line]
        _, place = self.interrupt(signal.SIGINT, "".join(kept).encode())
        self.assertEqual(place, "1:%d" % "".join(self.lines).encode().index(old.encode()))

    def test_every_place_is_found(self):
        lines, at = self.lines[:400], 0
        whole = self.write(lines, "some.ndjson")
        with gzip.open(self.path("some.gz"), "wb") as file:
            file.write("".join(lines).encode())
        rows = self.export(whole)
        for number, line in enumerate(lines):
            if number % 40 == 1 or number == len(lines) - 1:
                for path in (whole, self.path("some.gz")):
                    self.assertEqual(self.export("--from", "1:%d" % at, path),
                                     rows[:1] + rows[number:])
            at += len(line.encode())
        self.assertEqual(self.export("--from", "1:%d" % at, whole), rows[:1])

    def test_parts(self):
        paths = [self.write(self.made(3, host=host, day=day), host)
                 for day, host in ((2, "second"), (1, "first"))]
        rows = self.export(*paths)
        count = len(rows) // 2
        self.assertEqual(self.export("--from", "2:0", *paths), rows[:1] + rows[count:])

    def test_a_place_that_is_none(self):
        path = self.write(self.lines[:100], "some.ndjson")
        for arguments, words, status in (
                (("--from", "1:7", path), "no line of '%s' begins at byte 7" % path, 1),
                (("--from", "1:99999999", path), "begins at byte 99999999", 1),
                (("--from", "2:0", path), "there is no part 2: the recording has 1 file(s)", 1),
                (("--from", "2:0", path, path), "no line of", 1),
                (("--from", "0:0", path), "--from cannot be '0:0': give PART:BYTE", 2),
                (("--from", "12", path), "--from cannot be '12'", 2),
                (("--from", "1:x", path), "--from cannot be '1:x'", 2)):
            with self.subTest(arguments):
                self.export(*arguments, status=status)
                self.assertIn(words, self.said)
        self.export("--from", "1:0", path, to="chrome", status=2)
        self.assertIn("--to chrome has one document for the whole recording", self.said)


if __name__ == "__main__":
    unittest.main()
