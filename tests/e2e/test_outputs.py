# SPDX-License-Identifier: BSD-2-Clause
"""Outputs that rotate, come and go, stall and fill up; none of them disturbs the others."""
import collections
import datetime
import glob
import gzip
import json
import os
import signal
import socket
import subprocess
import threading
import time

import validate
import needs
from harness import (PATIENCE_S, Lines, Runner, Scenario, STEPTRACE, check_books, completed,
                     of_kind, read_events, resident_kib, run, runner_events, started, steps, target,
                     wait_until)


class Reader:
    """A server of one connection at a time, which reads at once or when `reads` is set."""

    def __init__(self, address, reads=True):
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        if isinstance(address, str):
            os.chmod(address, 0o666)
        self.socket.listen()
        self.parts, self.reads = [], threading.Event()
        if reads:
            self.reads.set()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            self.connection, _ = self.socket.accept()
        except OSError:
            return
        self.parts.append(b"")
        self.reads.wait(PATIENCE_S)
        while True:
            try:
                data = self.connection.recv(65536)
            except OSError:
                return
            if not data:
                return
            self.parts[-1] += data

    def events(self):
        """What came through its connection, when that has ended."""
        self.thread.join(PATIENCE_S)
        self.close()
        lines = self.parts[-1].decode().splitlines(True)
        problems = validate.validate_lines(lines)
        assert not problems, problems[:3]
        return [json.loads(line) for line in lines]

    def has(self, word):
        return bool(self.parts) and word.encode() in self.parts[-1]

    def close(self):
        self.socket.close()
        if hasattr(self, "connection"):
            self.connection.close()


def lines_of(path):
    with open(path, "rb") as file:
        return file.read().count(b"\n")


class Outputs(Scenario):
    def setUp(self):
        """The tracer gives up root; it may make files here nevertheless."""
        super().setUp()
        os.chmod(self.directory, 0o777)

    def path(self, name):
        return os.path.join(self.directory, name)

    def trace(self, runner, *arguments, **options):
        process = subprocess.Popen([STEPTRACE, "record", "-p", str(runner.pid), *arguments],
                                   stderr=subprocess.PIPE, bufsize=0, **options)
        self.addCleanup(lambda: process.poll() is None and process.kill())
        self.said = Lines(process.stderr, "steptrace")
        self.said_first = self.said.until("attached to")
        return process

    def stop(self, process, status=0):
        process.send_signal(signal.SIGINT)
        self.words = "\n".join(self.said.rest())
        self.assertEqual(process.wait(PATIENCE_S), status, self.words)

    def disk(self, size):
        """A file system that is full after `size` bytes."""
        needs.mounts()
        disk = self.path("disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%s,mode=777" % size, "none", disk],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        return disk

    def await_text(self, path, word):
        wait_until(lambda: os.path.exists(path) and word in open(path, encoding="utf-8").read(),
                   "%s in %s" % (word, path))


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
        self.assertEqual(len(check_books(self, events)["lost"]), 6)
        self.assertEqual(len(runner_events(events)), 2100)
        self.assertEqual(sum(check_books(self, events)["lost"].values()), 0)

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
        self.assertEqual(sum(check_books(self, everything)["lost"].values()), 0)
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


class Sockets(Outputs):
    def test_there_from_the_start(self):
        for address, where in ((self.path("socket"), "unix:" + self.path("socket")),
                               (("127.0.0.1", 0), None)):
            reader = Reader(address)
            where = where or "tcp:127.0.0.1:%d" % reader.socket.getsockname()[1]
            with Runner() as runner:
                tracer = self.trace(runner, "-o", where)
                runner.do("go 100")
                self.stop(tracer)
            events = reader.events()
            self.assertEqual(events[0]["part"], 1)
            self.assertEqual(len(runner_events(events)), 700)
            self.assertEqual(sum(check_books(self, events)["lost"].values()), 0)

    def test_comes_later(self):
        path = self.path("socket")
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "unix:" + path)
            runner.do("go 100")
            if not any("cannot be reached" in line for line in self.said_first):
                self.said.until("cannot be reached")
            reader = Reader(path)
            wait_until(lambda: reader.has("command.execution.completed"), "events")
            self.stop(tracer)
        events = reader.events()
        self.assertEqual(len(runner_events(events)), 700)
        self.assertEqual(sum(check_books(self, events)["lost"].values()), 0)

    def test_goes_and_comes_back(self):
        path = self.path("socket")
        first = Reader(path)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "unix:" + path)
            runner.do("go 1")
            wait_until(lambda: first.has("command.execution.completed"), "events")
            first.connection.shutdown(socket.SHUT_RDWR)
            first.close()
            os.unlink(path)
            self.said.until("cannot be reached")
            runner.do("go 2")
            second = Reader(path)
            wait_until(lambda: second.has("command.execution.completed"), "events again")
            self.stop(tracer)
        events = second.events()
        self.assertEqual(events[0]["part"], 2)
        self.assertEqual(len(runner_events(events)), 14)

    def test_back_after_a_minute(self):
        """Connections are refused all the while. What finds no room in the queue is counted, and
        the memory does not grow."""
        first = Reader(("127.0.0.1", 0))
        address = first.socket.getsockname()
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "tcp:%s:%d" % address, "--queue", "64K")
            runner.do("go 1")
            wait_until(lambda: first.has("command.execution.completed"), "events")
            first.connection.shutdown(socket.SHUT_RDWR)
            first.close()
            runner.do("go 300")
            self.said.until("cannot be reached")
            before, gone_since = resident_kib(tracer.pid), time.monotonic()
            while time.monotonic() < gone_since + 60:
                runner.do("go 300")
                time.sleep(0.5)
            self.assertLess(resident_kib(tracer.pid) - before, 1024)
            second = Reader(address)
            wait_until(lambda: second.has('"trace.lost"'), "a trace.lost")
            runner.do("go 1")
            self.stop(tracer)
        events = second.events()
        stopped, told = events[-1], of_kind(events, "trace.lost")
        self.assertEqual(events[0]["part"], 2)
        self.assertEqual(stopped["hits"], stopped["events"] + sum(stopped["lost"].values()))
        self.assertEqual({event["reason"] for event in told}, {"not_written"})
        self.assertEqual(sum(event["lost"] for event in told), sum(stopped["lost"].values()))
        window = [datetime.datetime.fromisoformat(told[-1][end][:19]) for end in ("since", "until")]
        self.assertGreaterEqual((window[1] - window[0]).total_seconds(), 50)
        self.check_ends(events)

    def test_one_that_stalls_is_alone(self):
        """The other output has everything; the one that stalled says what it missed."""
        path, whole = self.path("socket"), self.path("whole")
        reader = Reader(path, reads=False)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "unix:" + path, "-o", whole, "--queue", "64K")
            runner.do("go 3000")
            self.await_text(whole, '"command.execution.completed"')
            wait_until(lambda: lines_of(whole) >= 21000, "all of it")
            reader.reads.set()
            runner.do("go 3000")

            def goes_on():
                runner.do("go 1")
                return reader.has('"trace.lost"')
            wait_until(goes_on, "a trace.lost")
            self.stop(tracer)
        events, everything = reader.events(), read_events(whole)
        stopped = check_books(self, events)
        self.assertGreater(stopped["lost_by_reason"]["not_written"], 0)
        self.assertEqual(stopped["hits"], check_books(self, everything)["events"])
        self.assertGreater(self.check_ends(events), 0)
        self.assertEqual(self.check_ends(everything), 0)

    def check_ends(self, events):
        """Each command.execution.completed says what of the execution is missing in this output.
        Returns how many say that something is."""
        begun = {event["execution_id"] for event in started(events)}
        seen = collections.Counter(event["execution_id"] for event in steps(events))
        for event in completed(events):
            lost = event["steps_executed"] - seen[event["execution_id"]]
            self.assertEqual((event["steps_lost"], event["complete"]),
                             (lost, lost == 0 and event["execution_id"] in begun))
        return sum(not event["complete"] for event in completed(events))

    def test_nobody_ever_comes(self):
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "unix:" + self.path("none"), "--queue", "64K")
            runner.do("go 1000")
            self.stop(tracer, status=1)
        self.assertIn("stopped because unix:", self.words)
        self.assertIn("0 events, 7000 lost (interrupted)", self.words)

    def test_names_that_are_none(self):
        for where, words in (("udp:nowhere:1", "for a file of that name write './udp:nowhere:1'"),
                             ("tcp:nowhere", "is not tcp:HOST:PORT"),
                             ("tcp:::1:99", "is not tcp:HOST:PORT"),
                             ("tcp:127.0.0.1:71534", "port is 65535"),
                             ("unix:" + "x" * 200, "the path of a socket has"),
                             ("unix:", "the path of a socket has")):
            status, _, said = run("record", "-o", where, "--", target("older"))
            self.assertEqual(status, 1)
            self.assertIn(words, said)
        status, _, said = run("record", "-o", self.path("a"), "-o", self.path("a"),
                              "--", target("older"))
        self.assertEqual(status, 1)
        self.assertIn("is named twice", said)
        done = subprocess.run([STEPTRACE, "record", "-o", "-", "-o", "/dev/stdout",
                               "--", target("older")],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              check=False)
        self.assertIn("is named twice", done.stderr)
        same = os.path.join(self.directory, ".", "a")
        status, _, said = run("record", "-o", self.path("a"), "-o", same, "--", target("older"))
        self.assertEqual(status, 1)
        self.assertIn("is named twice", said)
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
                                 (("--rotate-age", "0"), "--rotate-age 24h"),
                                 (("--keep", "0"), "--keep 7"),
                                 (("--queue", "1"), "--queue 32M")):
            status, _, said = run("record", *arguments)
            self.assertEqual(status, 2)
            self.assertIn(words, said)


if __name__ == "__main__":
    import unittest
    unittest.main()
