# SPDX-License-Identifier: BSD-2-Clause
"""Sockets as outputs: their other side comes, goes, stalls, moves and vanishes."""
import collections
import datetime
import json
import os
import signal
import socket
import struct
import subprocess
import time

import needs
from harness import (PATIENCE_S, Lines, Runner, STEPTRACE, check_books, completed, of_kind,
                     read_events, resident_kib, runner_events, started, steps, wait_until)
from outputs import Outputs, Reader, enter_network, lines_of, set_loopback


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
            self.assertEqual(check_books(self, events)["lost"], 0)

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
        self.assertEqual(check_books(self, events)["lost"], 0)

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

    def test_one_that_root_only_may_open(self):
        path = self.path("socket")
        reader = Reader(path)
        os.chmod(path, 0o600)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", "unix:" + path)
            words = "cannot be reached (Permission denied): steptrace has given up root and " \
                    "tries as user 65534"
            if not any(words in line for line in self.said_first):
                self.said.until(words)
            os.chmod(path, 0o666)
            self.said.until("is connected")
            self.stop(tracer)
        self.assertEqual(reader.events()[-1]["event"], "trace.stopped")

    def test_what_the_peer_had_not_taken(self):
        """It takes no more, and resets the connection. What its kernel had acknowledged is what
        lies in its buffer."""
        with socket.create_server(("127.0.0.1", 0)) as listener, Runner() as runner:
            where = "tcp:%s:%d" % listener.getsockname()
            tracer = self.trace(runner, "-o", where, "-o", self.path("whole"))
            first = listener.accept()[0]
            runner.do("go 3000")
            self.await_text(self.path("whole"), "command.execution.completed")
            wait_until(lambda: lines_of(self.path("whole")) >= 21000, "all of it")
            taken = self.settled(first)
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            first.close()
            second = listener.accept()[0]
            tracer.send_signal(signal.SIGINT)
            with second.makefile(encoding="utf-8") as file:
                lines = file.readlines()
            second.close()
            self.said.rest()
            self.assertEqual(tracer.wait(PATIENCE_S), 0)
        events = [json.loads(line) for line in lines]
        before = [json.loads(line) for line in taken[:taken.rindex(b"\n")].splitlines()]
        lost = events[-1]["lost_by_reason"]["not_written"]
        self.assertGreater(lost, 0)
        self.assertEqual(sum(event["lost"] for event in of_kind(events, "trace.lost")), lost)
        self.assertEqual(len(runner_events(before)) + len(runner_events(events)) + lost, 21000)
        self.assertEqual(events[-1]["events"] + lost, events[-1]["hits"])

    def settled(self, connection):
        """What lies in the buffer of the connection when it is full. It is not taken out."""
        seen = b""
        while True:
            time.sleep(0.5)
            now = connection.recv(1 << 24, socket.MSG_PEEK)
            if len(now) == len(seen):
                return now
            seen = now

    def test_a_peer_that_vanishes(self):
        """It answers nothing any more, and does not say so: the loopback interface goes down."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.addCleanup(os.close, own)
        enter_network(self, own)
        with socket.create_server(("127.0.0.1", 0)) as listener, Runner() as runner:
            where = "tcp:%s:%d" % listener.getsockname()
            tracer = self.trace(runner, "-o", where, "--tcp-timeout", "1s")
            first = listener.accept()[0]
            set_loopback(up=False)
            runner.do("go 1")
            self.said.until("cannot be reached")
            set_loopback(up=True)
            with listener.accept()[0] as second:
                self.said.until("is connected")
                runner.do("go 1")
                self.stop(tracer)
                with second.makefile(encoding="utf-8") as file:
                    events = [json.loads(line) for line in file]
            first.close()
        self.assertEqual(events[0]["part"], 2)
        self.assertEqual(events[-1]["events"] + events[-1]["lost_by_reason"]["not_written"],
                         events[-1]["hits"])

    def test_a_collector_that_moved(self):
        """Its name has another address when it is gone. /etc/hosts is one of our own, in a mount
        namespace of the tracer."""
        needs.namespaces("--mount")
        hosts = self.path("hosts")
        first = Reader(("127.0.0.2", 0))
        port = first.socket.getsockname()[1]
        self.write_hosts(hosts, "127.0.0.2")
        with Runner() as runner:
            script = "mount --bind '%s' /etc/hosts && exec '%s' record -p %d -o tcp:%s:%d" % (
                hosts, STEPTRACE, runner.pid, "collector.steptrace.test", port)
            tracer = subprocess.Popen(["unshare", "-m", "sh", "-c", script],
                                      stderr=subprocess.PIPE, bufsize=0)
            self.addCleanup(lambda: tracer.poll() is None and tracer.kill())
            self.said = Lines(tracer.stderr, "steptrace")
            self.said.until("attached to")
            wait_until(lambda: first.has("trace.started"), "a header")
            second = Reader(("127.0.0.3", port))
            self.write_hosts(hosts, "127.0.0.3")
            first.connection.shutdown(socket.SHUT_RDWR)
            first.close()
            self.said.until("cannot be reached")
            runner.do("go 1")
            wait_until(lambda: second.has("completed"), "events")
            self.stop(tracer)
        events = second.events()
        self.assertEqual(events[0]["part"], 2)
        self.assertEqual(len(runner_events(events)), 7)

    def write_hosts(self, path, address):
        """In place: the file is mounted over another one."""
        with open(path, "w", encoding="ascii") as file:
            file.write("127.0.0.1 localhost\n%s collector.steptrace.test\n" % address)

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
        self.assertEqual(stopped["hits"], stopped["events"] + stopped["lost"])
        self.assertEqual({event["reason"] for event in told}, {"not_written"})
        self.assertEqual(sum(event["lost"] for event in told), stopped["lost"])
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


if __name__ == "__main__":
    import unittest
    unittest.main()
