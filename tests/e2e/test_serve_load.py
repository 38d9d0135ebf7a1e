# SPDX-License-Identifier: BSD-2-Clause
"""steprun serve under load: nothing is lost, everything is told once, and no sanitizer complains.

STEPRUN_TSAN and STEPRUN_ASAN name programs that are built with a sanitizer, as .ci/run does it:

    make SANITIZE=thread build/thread/steprun
    STEPRUN_TSAN=build/thread/steprun tests/run-e2e test_serve_load.Threads
"""
import collections
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import unittest

from harness import (PATIENCE_S, ROOT, STEPRUN, Tracer, check_books, completed, of_kind, started,
                     wait_until)
from server import Later, Serving, read_all, request_bytes, statuses, write_pack

CLIENTS = 64
# What ends a connection that the server has closed.
ENDS = (ConnectionResetError, BrokenPipeError)
EXECUTE = b'{"command":"/say x"}'

def post(body, *headers):
    """A function that makes the request with the given id."""
    return lambda ident: request_bytes(body, b"X-Correlation-ID: " + ident, *headers)


# What a client sends, and the status of the answer. None: the client does not wait for one.
KINDS = {
    "valid": (post(EXECUTE), 200),
    "writes": (post(b'{"command":"/save x"}'), 200),
    "fails": (post(b'{"command":"/fails"}'), 200),
    "dry": (post(b'{"command":"/save","arguments":{"body":"x"},"dry_run":true}'), 200),
    "chunked": (lambda ident: post(b"", b"Transfer-Encoding: chunked")(ident) +
                b"14\r\n%s\r\n0\r\n\r\n" % EXECUTE, 200),
    "health": (lambda ident: request_bytes(b"", method=b"GET", path=b"/healthz"), 200),
    "malformed": (post(b'{"command":'), 400),
    "invalid": (post(b'{"command":"/say","dry_run":1}'), 400),
    "user": (post(EXECUTE, b"X-User-ID: \xff"), 400),
    "unclear": (post(EXECUTE, b"Content-Length: 5"), 400),
    "unknown": (post(b'{"command":"/unknown"}'), 404),
    "nowhere": (lambda ident: request_bytes(EXECUTE, path=b"/" + ident), 404),
    "oversized": (post(b" " * ((1 << 20) + 1)), 413),
    "broken": (lambda ident: b"\0\r\n\r\n", None),
    "cut": (lambda ident: post(EXECUTE)(ident)[:int(ident[1:8]) % 100 + 1], None),
    "gone": (lambda ident: request_bytes(EXECUTE), None),
    "reset": (lambda ident: request_bytes(EXECUTE), None),
}
# How often, of a hundred; the rest is valid.
WEIGHTS = {"writes": 10, "fails": 3, "dry": 3, "chunked": 5, "health": 3, "malformed": 5,
           "invalid": 5, "user": 2, "unclear": 2, "unknown": 5, "nowhere": 2, "oversized": 1,
           "broken": 1, "cut": 3, "gone": 3, "reset": 3}


class Client(threading.Thread):
    """Sends requests of all kinds on connections that it keeps, until it has sent `count` of them
    or the server has ended."""

    def __init__(self, server, number, count):
        super().__init__(daemon=True)
        self.server, self.number, self.count = server, number, count
        self.random, self.socket, self.rest = random.Random(number), None, b""
        self.sent = 0
        self.answers = collections.Counter()  # by their status
        self.execution_ids, self.correlation_ids, self.wrong = [], set(), []
        self.start()

    def run(self):
        kinds = list(WEIGHTS) + ["valid"]
        weights = list(WEIGHTS.values()) + [100 - sum(WEIGHTS.values())]
        try:
            while self.sent < self.count:
                kind = self.random.choices(kinds, weights)[0]
                self.send(kind, 1 if self.random.random() < 0.8 else self.random.randint(2, 8))
        except (ConnectionRefusedError, *ENDS):
            pass  # no connection is accepted any more
        except Exception as error:  # pylint: disable=broad-except
            self.wrong.append(repr(error))
        self.close()

    def send(self, kind, times):
        """`times` requests without waiting for answers in between."""
        make, status = KINDS[kind]
        self.socket = self.socket or self.server.socket()
        data = b"".join(make(b"c%07d-%d" % (self.sent + n, self.number)) for n in range(times))
        self.sent += times
        try:
            for piece in self.pieces(data):
                self.socket.sendall(piece)
        except ENDS:
            pass  # the server has refused one of the first requests; there are answers to read
        if status is None:
            self.leave(kind)
        else:
            self.take_answers(status, times)

    def pieces(self, data):
        """The data as a whole; or in a few pieces; or, of a slow client, byte for byte."""
        choice = self.random.random()
        size = len(data) if choice < 0.85 or len(data) > 10000 else \
            self.random.randint(1, len(data)) if choice < 0.99 else 1
        return [data[at:at + size] for at in range(0, len(data), size)]

    def leave(self, kind):
        if kind == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + bytes(7))
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket, self.rest = None, b""

    def take_answers(self, status, times):
        for _ in range(times):
            head, body = self.take_answer()
            if head is None:
                return
            got = int(head[9:12])
            self.answers[got] += 1
            if got not in (status, 503):
                self.wrong.append((got, status))
            self.execution_ids += re.findall(rb'"execution_id":"([^"]+)"', body)
            self.correlation_ids |= set(re.findall(rb"\r\nX-Correlation-ID: (\S+)", head))
            if b"\r\nConnection: close" in head:  # what was sent behind it is not answered
                self.close()
                return

    def take_answer(self):
        """Head and body; (None, None): the connection has ended."""
        data, length = self.rest, None
        while length is None or len(data) < length:
            if length is None and b"\r\n\r\n" in data:
                head = data[:data.index(b"\r\n\r\n")]
                length = len(head) + 4 + int(re.search(rb"\r\nContent-Length: (\d+)",
                                                       head).group(1))
                continue
            more = self.receive()
            if not more:
                if data:
                    self.wrong.append("half an answer")
                self.close()
                return None, None
            data += more
        self.rest = data[length:]
        return head, data[len(head) + 4:length]

    def receive(self):
        try:
            return self.socket.recv(65536)
        except ENDS:
            return b""


class Load(Serving):
    def setUp(self):
        super().setUp()
        write_pack(self.packs, "fails", "slash: /fails",
                   "{id: a, type: fragment.update, with: {id: 999999999, data: {title: x}}}")

    def expect_no_complaint(self, server):
        said = "\n".join(server.words)
        self.assertNotRegex(said, "(?i)sanitizer|runtime error")
        self.assertNotIn("warning", said)

    def send_all(self, server, count, meanwhile=lambda: None):
        """All clients together; `meanwhile` is called when they have begun."""
        clients = [Client(server, number, count // CLIENTS + 1) for number in range(CLIENTS)]
        meanwhile()
        for client in clients:
            client.join(PATIENCE_S)
            self.assertFalse(client.is_alive(), "a client waits for an answer")
        self.assertEqual([wrong for client in clients for wrong in client.wrong][:10], [])
        self.assertGreater(len(clients), 0)
        return clients

    def check_events(self, events, clients):
        """Every answer has one event, or one at the beginning and one at the end. Clients that did
        not wait for their answers have caused some more."""
        check_books(self, events)
        self.assertEqual(events[-1]["lost"], 0)
        begun = [event["execution_id"] for event in started(events)]
        refused = of_kind(events, "command.validation.failed")
        told = begun + [event["execution_id"] for event in refused]
        answered = [ident.decode() for client in clients for ident in client.execution_ids]
        self.assertEqual(sorted(event["execution_id"] for event in completed(events)),
                         sorted(begun))
        self.assertEqual((len(set(told)), len(set(answered))), (len(told), len(answered)))
        self.assertEqual(set(answered) - set(told), set())
        self.assertTrue(all(re.fullmatch(r"[a-z_]+", event["reason"]) for event in refused))

    def unanswered(self, events, clients):
        """The executions of clients that waited for their answers, and did not get them."""
        answered = {ident.decode() for client in clients for ident in client.correlation_ids}
        return {event["correlation_id"] for event in started(events)
                if event["correlation_id"].startswith("c")
                and "-" in event["correlation_id"]
                and len(event["correlation_id"]) < 16} - answered


    def stop_after_some(self, server, how):
        """When some hundred rows more are written."""
        connection = sqlite3.connect(self.database)
        self.addCleanup(connection.close)
        count = lambda: connection.execute("SELECT count(*) FROM fragments").fetchone()[0]
        before = count()
        wait_until(lambda: count() > before + 300, "rows are written")
        server.process.send_signal(how)


class Plain(Load):
    def test_requests_of_all_kinds(self):
        server = self.serve("--backlog", "200")
        tracer = Tracer("-p", str(server.pid), "--buffer", "64M")
        clients = self.send_all(server, 10000)
        server.wait_for(running=0, queued=0)
        self.assertEqual(server.execute("/say x").status, 200)
        self.assertEqual(server.stop(), 0)
        self.expect_no_complaint(server)
        events = tracer.ended()
        self.check_events(events, clients)
        self.assertEqual(self.unanswered(events, clients), set())
        answers = sum((client.answers for client in clients), collections.Counter())
        self.assertEqual(set(answers), {200, 400, 404, 413})
        executed = int(re.search(r"(\d+) commands executed", server.words[-1]).group(1))
        self.assertEqual(len(started(events)), executed)
        self.assertGreater(executed, 5000)

    def test_a_queue_that_overflows(self):
        server = self.serve("--workers", "1", "--backlog", "1")
        tracer = Tracer("-p", str(server.pid), "--buffer", "64M")
        clients = self.send_all(server, 3000)
        self.assertEqual(server.stop(), 0)
        events = tracer.ended()
        self.check_events(events, clients)
        self.assertEqual(self.unanswered(events, clients), set())
        reasons = collections.Counter(event["reason"] for event in
                                      of_kind(events, "command.validation.failed"))
        answers = sum((client.answers for client in clients), collections.Counter())
        self.assertGreater(answers[503], 100)
        self.assertGreaterEqual(reasons["overloaded"], answers[503])

    def test_the_end_in_the_middle(self):
        """Each request that was accepted is answered, and has its end."""
        for how, grace in ((signal.SIGTERM, "10s"), (signal.SIGINT, "0")):
            with self.subTest(how):
                server = self.serve("--backlog", "200", "--grace", grace)
                tracer = Tracer("-p", str(server.pid), "--buffer", "64M")
                clients = self.send_all(server, 10**6, lambda: self.stop_after_some(server, how))
                self.assertEqual(server.wait(), 0)
                self.assertNotIn("did not read", "\n".join(server.words))
                events = tracer.ended()
                self.check_events(events, clients)
                self.assertEqual(self.unanswered(events, clients), set())
                self.assertGreater(len(started(events)), 1000)


class Foreign(Load):
    """Load tools that do not know the server."""

    def run_tool(self, *arguments):
        if not shutil.which(arguments[0]):
            self.skipTest("%s is not installed" % arguments[0])
        done = subprocess.run(arguments, capture_output=True, text=True, check=True,
                              timeout=PATIENCE_S)
        return done.stdout

    def test_wrk(self):
        server = self.serve("--backlog", "200")
        with open(self.path("post.lua"), "w", encoding="ascii") as file:
            file.write("wrk.method = 'POST'\nwrk.body = '%s'\n" % EXECUTE.decode())
        said = self.run_tool("wrk", "-t1", "-c64", "-d2s", "-s", self.path("post.lua"),
                             "http://127.0.0.1:%d/api/commands/execute" % server.port)
        count = int(re.search(r"(\d+) requests in", said).group(1))
        self.assertNotRegex(said, "Non-2xx|Socket errors")
        self.assertGreater(count, 1000)
        server.wait_for(running=0, queued=0)
        self.assertEqual(server.stop(), 0)
        executed = int(re.search(r"(\d+) commands executed, 0 of them failed",
                                 server.words[-1]).group(1))
        self.assertGreaterEqual(executed, count)

    def test_ab(self):
        """It speaks HTTP/1.0."""
        server = self.serve("--backlog", "200")
        with open(self.path("body"), "wb") as file:
            file.write(EXECUTE)
        for more in ((), ("-k",)):
            said = self.run_tool("ab", "-q", "-n", "2000", "-c", "32", *more, "-p",
                                 self.path("body"), "-T", "application/json",
                                 "http://127.0.0.1:%d/api/commands/execute" % server.port)
            self.assertRegex(said, r"Complete requests: +2000\nFailed requests: +0\n")
            self.assertNotIn("Non-2xx", said)
            self.assertEqual("Keep-Alive requests:    2000" in said, "-k" in more)
        self.assertEqual(server.stop(), 0)
        self.assertIn("4000 commands executed, 0 of them failed; 0 requests refused",
                      server.words[-1])


class Sanitized(Load):
    """The same load without a tracer. The program says what is wrong, and ends with another status
    than 0. Not a test by itself."""

    def load_and_end(self, program, **environment):
        server = self.serve("--backlog", "200", program=os.path.join(ROOT, program),
                            env={**os.environ, **environment})
        self.send_all(server, 5000)
        self.send_all(server, 10**6, lambda: self.stop_after_some(server, signal.SIGTERM))
        status = server.wait()
        self.expect_no_complaint(server)
        self.assertEqual(status, 0, "\n".join(server.words))

    def one_worker(self, program, **environment):
        """Most are refused, and the clients do not wait for what they sent."""
        server = self.serve("--backlog", "1", "--workers", "1", "--grace", "0",
                            program=os.path.join(ROOT, program),
                            env={**os.environ, **environment})
        self.send_all(server, 2000)
        server.process.send_signal(signal.SIGINT)
        status = server.wait()
        self.expect_no_complaint(server)
        self.assertEqual(status, 0, "\n".join(server.words))


if "STEPRUN_TSAN" in os.environ:
    class Threads(Sanitized):
        PROGRAM = {"program": os.environ["STEPRUN_TSAN"], "TSAN_OPTIONS": "halt_on_error=0"}

        def test_data_races(self):
            self.load_and_end(**self.PROGRAM)

        def test_data_races_of_one_worker(self):
            self.one_worker(**self.PROGRAM)


if "STEPRUN_ASAN" in os.environ:
    class Memory(Sanitized):
        PROGRAM = {"program": os.environ["STEPRUN_ASAN"], "ASAN_OPTIONS": "detect_leaks=1"}

        def test_leaks(self):
            self.load_and_end(**self.PROGRAM)

        def test_leaks_of_one_worker(self):
            self.one_worker(**self.PROGRAM)


if __name__ == "__main__":
    unittest.main()
