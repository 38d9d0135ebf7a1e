# SPDX-License-Identifier: BSD-2-Clause
"""ai.generate in steprun serve: models that answer, that do not, and that answer with anything. The
other workers go on."""
import collections
import http.server
import json
import os
import socket
import sqlite3
import threading
import unittest

from harness import ROOT, Tracer, completed, resident_kib, steps
from server import Later, Serving

LARGE = 50 << 20
FAILURES = {  # what the model does, and the category of the failure
    "invalid": "network", "half": "network", "empty": "network", "no-choice": "network",
    "list": "network", "status-500": "network", "status-401": "permission",
    "status-504": "timeout", "redirect": "network", "reset": "network", "hang-up": "network",
    "large": "limit", "endless": "limit", "long-head": "network",
}


class Model(http.server.BaseHTTPRequestHandler):
    """The first word of a question says what the model does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        length = int(self.headers["Content-Length"])
        question = json.loads(self.rfile.read(length))["messages"][-1]["content"]
        self.server.asked[self.path] += 1
        self.server.questions[question] += 1
        word = question.split()[0]
        self.close_connection = word not in ("good", "slow")
        try:
            getattr(self, word.replace("-", "_"), self.status)(question)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self, body, status=200, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def good(self, question):
        self.answer(json.dumps({
            "choices": [{"message": {"role": "assistant", "content": question.upper()}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2}}).encode())

    def slow(self, question):
        self.server.release.wait()
        self.good(question)

    def invalid(self, _):
        self.answer(b"{not json")

    def half(self, _):
        self.answer(b'{"choices":[{"message":{"content":"x"}}')

    def empty(self, _):
        self.answer(b"")

    def no_choice(self, _):
        self.answer(b'{"choices":[]}')

    def list(self, _):
        self.answer(b'[[[["choices"]]]]')

    def redirect(self, question):
        self.send_response(307)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def reset(self, _):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1" + bytes(7))
        self.connection.close()

    def hang_up(self, _):
        pass

    def large(self, _):
        self.send_response(200)
        self.send_header("Content-Length", str(LARGE))
        self.end_headers()
        for _ in range(LARGE >> 16):
            self.wfile.write(b'"' * 65536)

    def endless(self, _):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            self.wfile.write(b"10000\r\n%s\r\n" % (b" " * 65536))

    def long_head(self, _):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.wfile.write(b"X-Long: %s\r\n" % (b"a" * 65536))

    def status(self, question):
        self.answer(b'{"error":"SECRET"}', int(question.split()[0].split("-")[1]))

    def log_message(self, format, *arguments):  # pylint: disable=redefined-builtin
        pass


class Models(Serving):
    def setUp(self):
        super().setUp()
        self.model = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Model)
        self.model.handle_error = lambda *_: None
        self.model.daemon_threads = True
        self.model.asked, self.model.questions = collections.Counter(), collections.Counter()
        self.model.release = threading.Event()
        thread = threading.Thread(target=self.model.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(self.model.server_close)
        self.addCleanup(self.model.shutdown)
        self.addCleanup(self.model.release.set)

    def serve(self, *more, url=None, **options):
        url = url or "http://127.0.0.1:%d/v1" % self.model.server_address[1]
        return super().serve("--ai-url", url, "--ai-model", "m", *more, **options)

    def ask(self, server, question, cache=False):
        answer = server.execute("ask", arguments={"body": question, "cache": cache})
        self.assertEqual(answer.status, 200)
        return answer.json

    def expect_good(self, server, question="good day"):
        self.assertEqual(self.ask(server, question)["outputs"]["ask"], question.upper())


class Answers(Models):
    def test_miss_hit_and_expiry(self):
        clock = self.path("clock")
        self.set_clock(clock, "2025-03-01T08:00:00Z")
        server = self.serve("--clock", clock)
        tracer = Tracer("-p", str(server.pid))
        asked = []
        for time, cache in (("08:00:00", 60), ("08:00:00", 60), ("08:00:59", 60), ("08:01:00", 60),
                            ("08:01:30", 60), ("08:01:30", False), ("08:01:30", 30)):
            self.set_clock(clock, "2025-03-01T%sZ" % time)
            result = self.ask(server, "good morning", cache)
            self.assertEqual(result["outputs"]["ask"], "GOOD MORNING", result)
            asked.append(self.model.questions["good morning"])
        self.assertEqual(asked, [1, 1, 1, 2, 2, 3, 3])
        self.assertEqual([step["ai"]["cache"] for step in steps(tracer.stop())],
                         ["miss", "hit", "hit", "miss", "hit", "off", "hit"])

    def set_clock(self, path, time):
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(time + " 0\n")
        os.rename(path + ".new", path)

    def test_workers_share_the_cache(self):
        server = self.serve("--workers", "4")
        calls = [Later(self.ask, server, "good %d" % (number % 5), 600) for number in range(40)]
        self.assertEqual([call.result()["outputs"]["ask"] for call in calls],
                         ["GOOD %d" % (number % 5) for number in range(40)])
        before = self.model.asked.copy()
        for number in range(5):
            self.ask(server, "good %d" % number, 600)
        self.assertEqual(self.model.asked, before)


class Failures(Models):
    def expect_failure(self, result, category):
        self.assertEqual((result["success"], result["error"]["category"], result["error"]["step"]),
                         (False, category, "ask"), result)
        self.assertNotIn("SECRET", json.dumps(result))

    def test_each(self):
        server = self.serve("--workers", "1")
        for word, category in FAILURES.items():
            with self.subTest(word):
                self.expect_failure(self.ask(server, word + " SECRET"), category)
                self.expect_good(server)
        self.assertEqual(set(self.model.asked), {"/v1/chat/completions"})

    def test_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
        server = self.serve(url="http://127.0.0.1:%d/v1" % port)
        self.expect_failure(self.ask(server, "good day"), "network")
        self.assertEqual(server.execute("/say x").status, 200)

    def test_slow(self):
        """Its worker waits; the others do not."""
        server = self.serve("--workers", "2")
        waiting = Later(self.ask, server, "slow one")
        server.wait_for(running=1)
        for number in range(20):
            self.expect_good(server, "good %d" % number)
            self.assertEqual(server.execute("/save %d" % number).json["success"], True)
        self.assertTrue(waiting.is_alive())
        self.model.release.set()
        self.assertEqual(waiting.result()["outputs"]["ask"], "SLOW ONE")

    def test_slower_than_the_deadline(self):
        server = self.serve("--workers", "1", "--timeout", "200ms")
        self.expect_failure(self.ask(server, "slow one"), "timeout")
        self.expect_good(server)

    def test_the_end_while_models_think(self):
        server = self.serve("--workers", "3", "--grace", "100ms")
        tracer = Tracer("-p", str(server.pid))
        calls = [Later(self.ask, server, "slow %d" % number) for number in range(6)]
        server.wait_for(running=3, queued=3)
        self.assertEqual(server.stop(), 0)
        for call in calls:
            self.assertEqual(call.result()["error"]["category"], "cancelled")
        self.assertEqual(len(completed(tracer.ended())), 6)

    def storm(self, server, rounds):
        """All kinds at once. Each good question has its own answer."""
        words = [*FAILURES] + ["good"] * len(FAILURES)
        calls = [Later(self.some, server, words[number % len(words):] + words, number, rounds)
                 for number in range(8)]
        self.assertEqual(sum(call.result() for call in calls), 8 * rounds)

    def some(self, server, words, number, rounds):
        good = 0
        for at in range(rounds):
            question = "%s %d-%d" % (words[at], number, at)
            result = self.ask(server, question, 600 if at % 3 == 0 else False)
            if words[at] == "good":
                good += result["outputs"]["ask"] == question.upper()
            else:
                good += result["error"]["category"] == FAILURES[words[at]]
        return good

    def test_all_at_once(self):
        server = self.serve("--workers", "4")
        self.expect_good(server)
        before = resident_kib(server.pid)
        self.storm(server, len(FAILURES) * 2)
        self.assertLess(resident_kib(server.pid) - before, 100 * 1024)
        self.expect_good(server)
        self.assertEqual(server.stop(), 0)

    def test_a_cache_that_cannot_be_read(self):
        """The step does not need it. Every worker could say so; one of them does."""
        server = self.serve("--workers", "4")
        self.expect_uncached(server)

    def expect_uncached(self, server):
        connection = sqlite3.connect(self.database)
        connection.execute("DROP TABLE ai_cache")
        connection.close()
        calls = [Later(self.ask, server, "good %d" % number, 600) for number in range(16)]
        self.assertEqual([call.result()["outputs"]["ask"] for call in calls],
                         ["GOOD %d" % number for number in range(16)])
        self.assertEqual(server.stop(), 0, server.words)
        self.assertEqual("\n".join(server.words).count("(said once)"), 1)


if "STEPRUN_TSAN" in os.environ:
    class Threads(Failures):
        """The same with ThreadSanitizer. At its first finding, the server ends."""

        PROGRAM = os.path.join(ROOT, os.environ["STEPRUN_TSAN"])

        def serve(self, *more, **options):
            environment = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1"}
            return super().serve(*more, program=self.PROGRAM, env=environment, **options)


if __name__ == "__main__":
    unittest.main()
