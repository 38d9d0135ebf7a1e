# SPDX-License-Identifier: BSD-2-Clause
"""Files and FIFOs as outputs: they rotate, come and go, stall and fill up."""
import glob
import gzip
import json
import os
import signal
import subprocess
import time

import validate
from harness import (PATIENCE_S, Lines, Runner, STEPTRACE, check_books, of_kind, read_events, run,
                     runner_events, target, wait_until)
from outputs import Outputs


class Files(Outputs):
    def test_several_at_once(self):
        plain, packed = self.path("a.ndjson"), self.path("b.ndjson.gz")
        done = subprocess.run([STEPTRACE, "record", "-o", plain, "-o", packed, "-o", "-", "--",
                               target("older")], capture_output=True, text=True, check=True)
        events = read_events(plain)
        self.assertEqual(len(runner_events(events)), 3)
        check_books(self, events)
        with gzip.open(packed, "rt", encoding="utf-8") as file:
            self.assertEqual([json.loads(line) for line in file], events)
        self.assertEqual([json.loads(line) for line in done.stdout.splitlines()], events)

    def rotated(self, path, keep, ending=""):
        """All events, the oldest file first."""
        names = ["%s.%d%s" % (path, number, ending) for number in range(keep, 0, -1)]
        names.append(path + ending)
        return [name for name in names if os.path.exists(name)]

    def test_rotated_by_size(self):
        """Nothing is lost or doubled between the files, and each can be read alone."""
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--rotate-size", "64K")
            runner.do("go 300")
            self.stop(tracer)
        files = self.rotated(path, 1000)
        events = []
        for number, name in enumerate(files):
            part = read_events(name)
            self.assertEqual((part[0]["event"], part[0]["part"]), ("trace.started", number + 1))
            self.assertLessEqual(os.stat(name).st_size, 64 * 1024)
            events += part
        self.assertGreater(len(files), 15)
        self.assertEqual(len(check_books(self, events)["lost_by_kind"]), 6)
        self.assertEqual(len(runner_events(events)), 2100)
        self.assertEqual(check_books(self, events)["lost"], 0)

    def test_rotated_by_age(self):
        """Also when nothing happens any more. A file with nothing but its header is not rotated."""
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--rotate-age", "300ms")
            runner.do("go 2")
            self.await_header(path)
            before = sorted(glob.glob(path + "*"))
            time.sleep(1)
            self.assertEqual(sorted(glob.glob(path + "*")), before)
            runner.do("go 1")
            wait_until(lambda: len(glob.glob(path + "*")) > len(before), "another file")
            self.stop(tracer)
        parts = [read_events(name) for name in self.rotated(path, 100)]
        self.assertEqual([part[0]["part"] for part in parts], list(range(1, len(parts) + 1)))
        self.assertEqual([part for part in parts[:-1] if len(part) == 1], [])
        self.assertEqual(sum(len(runner_events(part)) for part in parts), 21)
        check_books(self, [event for part in parts for event in part])

    def await_header(self, path):
        """Waits until the events of two commands are in former files and the newest one has nothing
        but a header."""
        def is_there():
            former = [name for name in self.rotated(path, 100) if name != path]
            count = sum(len(runner_events(read_events(name))) for name in former)
            with open(path, encoding="utf-8") as file:
                return count == 14 and file.read().count("\n") == 1
        wait_until(is_there, "a file with a header and nothing else")

    def test_some_are_kept(self):
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path + ".gz", "--rotate-size", "32K", "--keep", "2")
            for _ in range(8):
                runner.do("go 300")
            self.stop(tracer)
        names = sorted(glob.glob(path + "*"))
        self.assertEqual(names, [path + ".1.gz", path + ".2.gz", path + ".gz"])
        for name in names:
            with gzip.open(name, "rt", encoding="utf-8") as file:
                lines = file.readlines()
            self.assertEqual(validate.validate_lines(lines), [])
            self.assertLessEqual(os.stat(name).st_size, 32 * 1024)

    def test_moved_and_told(self):
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path)
            runner.do("go 1")
            self.await_text(path, "command.execution.completed")
            os.rename(path, path + ".old")
            tracer.send_signal(signal.SIGHUP)
            wait_until(lambda: os.path.exists(path), "a new file")
            runner.do("go 2")
            self.stop(tracer)
        old, new = read_events(path + ".old"), read_events(path)
        self.assertEqual((len(runner_events(old)), len(runner_events(new))), (7, 14))
        self.assertEqual(new[0]["part"], 2)
        check_books(self, old + new)

    def test_removed_and_not_told(self):
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path)
            os.unlink(path)

            def comes_back():
                runner.do("go 1")
                return os.path.exists(path)
            wait_until(comes_back, "a new file")
            self.stop(tracer)
        self.assertEqual(read_events(path)[-1]["event"], "trace.stopped")

    def test_one_that_fails_is_spoken_of_at_once(self):
        disk, whole = self.disk("256k"), self.path("whole")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", os.path.join(disk, "events"), "-o", whole)
            runner.do("go 300")
            self.said.until("No space left on device; nothing more is written there, "
                            "the other outputs continue")
            runner.do("go 1")
            self.stop(tracer, status=1)
        self.assertEqual(len(runner_events(read_events(whole))), 2107)

    def test_removed_where_we_may_make_none(self):
        """What is written into a file that has no name any more is lost, and the tracer says so."""
        folder, whole = self.path("folder"), self.path("whole")
        os.mkdir(folder, 0o755)
        path = os.path.join(folder, "events")
        for policy, words in (("block", "nothing more is written there"),
                              ("drop", "lines are dropped")):
            with self.subTest(policy), Runner() as runner:
                tracer = self.trace(runner, "-o", path, "--when-full", policy, "-o", whole)
                runner.do("go 1")
                self.await_text(path, "command.execution.completed")
                os.unlink(path)
                lines = []

                def is_said():
                    runner.do("go 1")
                    lines.extend(self.said.so_far())
                    return any("was removed" in line and words in line for line in lines)
                wait_until(is_said, "removed")
                self.stop(tracer, status=1)
                self.assertIn("Permission denied", self.words)

    def test_a_disk_that_stays_full(self):
        """With --when-full drop the recording goes on, but an output without its end is a
        failure."""
        disk = self.disk("128k")
        path = os.path.join(disk, "events")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--when-full", "drop")
            for _ in range(20):
                runner.do("go 100")
                time.sleep(0.05)
            self.stop(tracer, status=1)
        self.assertLessEqual(self.words.count("lines are dropped"), 1)
        self.assertIn("No space left on device", self.words)
        self.assertGreater(len(read_events(path)), 100)

    def test_a_pipe_that_nobody_reads_yet(self):
        path = self.path("pipe")
        os.mkfifo(path)
        with Runner() as runner:
            process = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid), "-o", path,
                                        "--count", "1"], stderr=subprocess.PIPE, bufsize=0)
            said = Lines(process.stderr, "steptrace")
            said.until("waiting for a reader of")
            with open(path, encoding="utf-8") as pipe:
                said.until("attached to")
                runner.do("go 1")
                lines = pipe.readlines()
            said.rest()
            self.assertEqual(process.wait(PATIENCE_S), 0)
        self.assertEqual(len(runner_events([json.loads(line) for line in lines])), 1)

    def test_a_folder_that_is_not_ours_any_more(self):
        os.chmod(self.directory, 0o755)
        status, _, words = run("record", "-o", self.path("e"), "--rotate-size", "1M",
                               "--", target("older"))
        self.assertEqual(status, 1)
        self.assertIn("may not make files in", words)
        self.assertEqual(os.listdir(self.directory), [])

    def looks(self, path):
        """Owner, group and mode of all files of an output."""
        files = [os.stat(name) for name in self.rotated(path, 100)]
        return {(file.st_uid, file.st_gid, file.st_mode & 0o7777) for file in files}

    def test_all_files_look_the_same(self):
        """Root makes the first one, and the user nobody those after it."""
        path = self.path("events.ndjson")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--rotate-size", "16K", "--file-mode", "644",
                                "--file-group", "12345")
            runner.do("go 100")
            self.stop(tracer)
        self.assertGreater(len(self.rotated(path, 100)), 3)
        self.assertEqual(self.looks(path), {(65534, 12345, 0o644)})

    def test_the_group_of_a_file_that_is_there(self):
        path = self.path("events.ndjson")
        with open(path, "wb"):
            os.chown(path, 65534, 12345)
            os.chmod(path, 0o660)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--rotate-size", "16K")
            runner.do("go 100")
            self.stop(tracer)
        self.assertGreater(len(self.rotated(path, 100)), 3)
        self.assertEqual(self.looks(path), {(65534, 12345, 0o660)})

    def test_a_member_that_was_cut_off(self):
        path = self.path("events.gz")
        with open(path, "wb") as file:
            file.write(gzip.compress(b"{}\n" * 1000)[:-5])
        status, _, words = run("record", "-o", path, "--", target("older"))
        self.assertEqual(status, 1)
        self.assertIn("was cut off", words)

    def test_full_and_not_any_more(self):
        """With --when-full drop events are written again when there is room again, and trace.lost
        says what is missing."""
        disk, whole = self.disk("16m"), self.path("whole")
        path, ballast = os.path.join(disk, "events"), os.path.join(disk, "ballast")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", path, "--when-full", "drop", "-o", whole)
            with open(ballast, "wb") as file:
                file.write(b"x" * 15900 * 1024)
            runner.do("go 300")
            self.said.until("lines are dropped")
            os.unlink(ballast)

            def goes_on():
                runner.do("go 1")
                return '"trace.lost"' in open(path, encoding="utf-8").read()
            wait_until(goes_on, "a trace.lost")
            self.stop(tracer)
        events, everything = read_events(path), read_events(whole)
        stopped = check_books(self, events)
        self.assertGreater(stopped["lost_by_reason"]["not_written"], 0)
        self.assertEqual(sum(event["lost"] for event in of_kind(events, "trace.lost")),
                         stopped["lost_by_reason"]["not_written"])
        self.assertEqual(check_books(self, everything)["lost"], 0)
        self.assertEqual(stopped["hits"], everything[-1]["hits"])

    def test_begun_before_anything_happens(self):
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.path("a"), "-o", self.path("b.gz"))
            self.await_text(self.path("a"), '"part":1')
            wait_until(lambda: b'"part":1' in self.unpacked(self.path("b.gz")), "a header")
            self.stop(tracer)

    def unpacked(self, path):
        with open(path, "rb") as file:
            return gzip.decompress(file.read())


class Fifos(Outputs):
    """The reader of a FIFO leaves in the middle of a line."""

    def setUp(self):
        super().setUp()
        self.fifo, self.whole = self.path("fifo"), self.path("whole")
        os.mkfifo(self.fifo, 0o644)

    def leave_in_a_line(self, runner, *arguments):
        """The first reader takes the header and some bytes of the next line."""
        holder = os.open(self.fifo, os.O_RDWR)
        tracer = self.trace(runner, "-o", self.fifo, *arguments, "-o", self.whole)
        reader = os.open(self.fifo, os.O_RDONLY)
        os.close(holder)
        runner.do("go 5")
        self.await_text(self.whole, '"steps_executed"')
        taken = b""
        while b"\n" not in taken:
            taken += os.read(reader, 1)
        os.read(reader, 50)
        os.close(reader)
        return tracer

    def test_the_next_one_begins_with_a_line(self):
        with Runner() as runner:
            tracer = self.leave_in_a_line(runner, "--when-full", "drop")
            runner.do("go 1")
            self.said.until("the reader of %s closed it" % self.fifo)
            with open(self.fifo, encoding="utf-8") as reader:
                runner.do("go 2")
                self.await_text(self.whole, '"steps_executed"')
                tracer.send_signal(signal.SIGINT)
                lines = reader.readlines()
            self.said.rest()
            self.assertEqual(tracer.wait(PATIENCE_S), 0)
        self.assertEqual(validate.validate_lines(lines), [])
        events = [json.loads(line) for line in lines]
        self.assertEqual((events[0]["event"], events[0]["part"]), ("trace.started", 2))
        stopped = events[-1]
        lost = stopped["lost_by_reason"]["not_written"]
        self.assertEqual(sum(event["lost"] for event in of_kind(events, "trace.lost")), lost)
        self.assertEqual(len(runner_events(events)), stopped["events"])
        self.assertEqual(stopped["events"] + lost, stopped["hits"])

    def test_nothing_of_the_line_stays(self):
        """With --when-full block this is the end of the output."""
        with Runner() as runner:
            tracer = self.leave_in_a_line(runner, "--when-full", "block")
            runner.do("go 1")
            self.said.until("nothing more is written there")
            reader = os.open(self.fifo, os.O_RDONLY | os.O_NONBLOCK)
            with self.assertRaises(BlockingIOError):
                os.read(reader, 1)
            os.close(reader)
            self.stop(tracer, status=1)

    def test_one_that_may_not_be_read(self):
        """Root opens it, and the user nobody could not empty it."""
        os.chmod(self.fifo, 0o600)
        with Runner() as runner:
            reader = os.open(self.fifo, os.O_RDWR)
            tracer = self.trace(runner, "-o", self.fifo)
            self.assertIn("may not read the FIFO '%s'" % self.fifo, "\n".join(self.said_first))
            self.stop(tracer)
            os.close(reader)


class CommandLine(Outputs):
    def test_names_that_are_none(self):
        for where, words in (("udp:nowhere:1", "for a file of that name write './udp:nowhere:1'"),
                             ("tcp:nowhere", "is not tcp:HOST:PORT"),
                             ("tcp:::1:99", "is not tcp:HOST:PORT"),
                             ("tcp:127.0.0.1:71534", "port is 65535"),
                             ("unix:" + "x" * 200, "the path of a socket has"),
                             ("unix:", "the path of a socket has")):
            status, _, said = run("record", "-o", where, "--", target("older"))
            self.assertEqual(status, 2)
            self.assertIn(words, said)
        status, _, said = run("record", "-o", self.path("a"), "-o", self.path("a"),
                              "--", target("older"))
        self.assertEqual(status, 2)
        self.assertIn("is named twice", said)
        done = subprocess.run([STEPTRACE, "record", "-o", "-", "-o", "/dev/stdout",
                               "--", target("older")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is named twice", done.stderr)
        same = os.path.join(self.directory, ".", "a")
        status, _, said = run("record", "-o", self.path("a"), "-o", same, "--", target("older"))
        self.assertEqual(status, 2)
        self.assertIn("is named twice", said)
        self.assertEqual(os.listdir(self.directory), [])
        for arguments, words in ((("--when-full", "drop"), "must come after the -o"),
                                 (("--rotate-size", "1M"), "need a file as output"),
                                 (("-o", "/dev/null", "--rotate-size", "1M"),
                                  "need a file as output"),
                                 (("-o", "unix:x", "-o", "-", "--rotate-age", "1h"),
                                  "need a file as output"),
                                 (("-o", "x", "--keep", "3"), "--keep needs --rotate"),
                                 (("-o", "x", "--when-full", "maybe"),
                                  "--when-full must be block or drop"),
                                 (("--rotate-size", "3"), "--rotate-size 256M"),
                                 (("-o", "x", "--file-mode", "0755"), "--file-mode 640"),
                                 (("-o", "x", "--file-mode", "040"), "--file-mode 640"),
                                 (("-o", "x", "--file-mode", "rw"), "--file-mode 640"),
                                 (("-o", "x", "--file-group", "no such"), "there is no group"),
                                 (("-o", "-", "--file-mode", "600"), "need a file as output"),
                                 (("-o", "tcp:x:1", "--tcp-timeout", "2h"), "--tcp-timeout 1m"),
                                 (("-o", "unix:x", "--tcp-timeout", "1s"), "needs a TCP output"),
                                 (("-o", "tcp:x:1", "--tls-ca", "x"), "need -o tls:HOST:PORT"),
                                 (("-o", "tls:x:1", "--tls-key", "x"), "--tls-key needs"),
                                 (("--metrics", "127.0.0.1:99999"), "--metrics is ADDRESS:PORT"),
                                 (("--rotate-age", "0"), "--rotate-age 24h"),
                                 (("--keep", "0"), "--keep 7"),
                                 (("--queue", "1"), "--queue 32M")):
            status, _, said = run("record", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(words, said)


if __name__ == "__main__":
    import unittest
    unittest.main()
