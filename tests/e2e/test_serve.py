# SPDX-License-Identifier: BSD-2-Clause
"""steprun serve: commands that come by HTTP, traced."""
import json
import os
import re
import sqlite3
import unittest

from harness import (Tracer, check_books, completed, runner_events, started, steps, wait_until)
from server import Serving, answer_of, read_all, request_bytes, statuses, write_pack

UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")


class Commands(Serving):
    def said(self, answer):
        self.assertEqual((answer.status, answer.json["success"]), (200, True), answer)
        return answer.json["outputs"]["say"]

    def test_names(self):
        server = self.serve()
        for name in ("echo", "/echo", "/say", "say", "e", "/e", "/repeat", " \t/echo"):
            self.assertEqual(self.said(server.execute(name)), {})
        for name in ("Echo", "/", "", "//say", "../packs/echo", "ech", "echo\u00a0x"):
            self.assertIn(server.execute(name).status, (400, 404))

    def test_the_first_in_search_order_wins(self):
        """A slug before triggers, a slash trigger before aliases; then the first folder."""
        later = self.path("later")
        for folder, slug, triggers in (
                (self.packs, "first", "slash: /both, aliases: [/second, /alias]"),
                (later, "second", "slash: /both, aliases: [/alias]"),
                (later, "third", "slash: /alias"), (later, "echo", "slash: /later-echo")):
            write_pack(folder, slug, triggers, "{id: a, type: transform, template: %s}" % slug)
        server = self.serve("--packs", later)
        for name, slug in (("both", "first"), ("second", "second"), ("alias", "third"),
                           ("echo", "echo"), ("later-echo", "echo")):
            self.assertEqual(server.execute("/" + name).json["command"], slug)
        self.assertEqual(self.said(server.execute("echo")), {})
        self.assertEqual(server.execute("/later-echo").json["outputs"], {"a": "echo"})

    def test_arguments(self):
        server = self.serve()
        for command, expected in (
                ("/say", {}), ("/say buy  milk", {"body": "buy  milk"}),
                ('/say buy due:now with:"oat flakes"',
                 {"due": "now", "with": "oat flakes", "body": "buy"}),
                ("/say see https://x.example at 12:30", {"body": "see https://x.example at 12:30"}),
                ("/say \U0001f600 k:\u00e4", {"k": "\u00e4", "body": "\U0001f600"})):
            self.assertEqual(self.said(server.execute(command)), expected)
            self.assertEqual(self.said(server.execute(command, arguments=[])), expected)
        given = {"body": "due:now", "n": 2**63 - 1, "deep": [{"a": None}], "\u00e4": True}
        self.assertEqual(self.said(server.execute("say", arguments=given)), given)

    def test_a_dry_run(self):
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        self.assertEqual(server.execute("/save x", dry_run=True).status, 200)
        self.assertEqual(server.execute("/save y", dry_run=False).status, 200)
        self.assertEqual([event["dry_run"] for event in started(tracer.stop())], [True, False])
        self.assertEqual(self.rows("SELECT message FROM fragments"), [("y",)])

    def rows(self, query):
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def test_a_command_that_fails(self):
        answer = self.serve().execute("/fails-midway")
        self.assertEqual((answer.status, answer.json["success"]), (200, False))
        self.assertRegex(answer.json["execution_id"], UUID)

    def test_a_deadline(self):
        server = self.serve("--timeout", "200ms")
        answer = self.hold(server, "never").result()
        self.assertEqual((answer.status, answer.json["error"]["category"]), (200, "timeout"))

    def test_the_list_of_commands(self):
        write_pack(self.packs, "broken", "slash: /broken", "{id: a, type: dance}")
        answer = self.serve().ask("GET", "/api/commands")
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        by_slug = {command["slug"]: command for command in answer.json["commands"]}
        self.assertEqual(by_slug["echo"], {"slug": "echo", "name": "Echo", "version": "1.0.0",
                                           "triggers": ["/say", "/e", "repeat"],
                                           "input_mode": None})
        self.assertIn("triage", by_slug)
        self.assertNotIn("broken", by_slug)


class Events(Serving):
    """What a tracer sees of requests."""

    def test_an_execution(self):
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        answer = server.execute("/tr buy milk k:1", {"X-Correlation-ID": "req-00000042",
                                                     "X-User-ID": "mia"})
        events = tracer.stop()
        check_books(self, events)
        begin, = started(events)
        self.assertEqual((begin["command_slug"], begin["correlation_id"], begin["user_id"],
                          begin["request_source"], begin["execution_id"],
                          begin["arguments_count"]),
                         ("triage", "req-00000042", "mia", "api", answer.json["execution_id"], 2))
        self.assertEqual(answer.headers["X-Correlation-ID"], "req-00000042")
        self.assertEqual((len(steps(events)), completed(events)[0]["outcome"]), (5, "success"))

    def test_correlation_ids(self):
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        good, sent = ["a" * 8, "Az09-_.:", "x" * 128], []
        for given in good + ["a" * 7, "x" * 129, "with blank", "", "a/b/c/d/e", "\u00e4" * 8,
                             "{}{}{}{}"]:
            answer = server.execute("/say x", {"X-Correlation-ID": given.encode()})
            sent.append(answer.headers["X-Correlation-ID"])
        sent.append(server.execute("/say x").headers["X-Correlation-ID"])
        self.assertEqual(sent[:3], good)
        self.assertEqual([UUID.fullmatch(made) is None for made in sent[3:]], [False] * 8)
        self.assertEqual(len(set(sent)), len(sent))
        self.assertEqual([event["correlation_id"] for event in started(tracer.stop())], sent)

    def test_what_never_became_a_command(self):
        """One event for each, with the names of fields only. Answer and event have one id."""
        write_pack(self.packs, "broken", "slash: /broken", "{id: a, type: dance}")
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        cases = [  # body, status, reason, field, slug
            (b"{SECRET", 400, "malformed_request", None, None),
            (b"", 400, "malformed_request", None, None),
            (b'{"command":"/say \xff"}', 400, "malformed_request", None, None),
            (b'{"command":"/say \\u0000"}', 400, "malformed_request", None, None),
            (b"[" * 100000, 400, "malformed_request", None, None),
            (b'{"command":1}', 400, "invalid_argument", "command", None),
            (b'{"command":"/say SECRET","dry_run":"SECRET"}', 400, "invalid_argument", "dry_run",
             None),
            (b'{"command":"/say","arguments":"SECRET"}', 400, "invalid_argument", "arguments",
             "echo"),
            (b'{"command":"/say","arguments":{"SECRET":1,"SECRET":2}}', 400, "invalid_argument",
             "arguments", "echo"),
            (b'{"command":"/say","SECRET":1}', 400, "invalid_argument", None, None),
            (b'{"command":"/say","command":"/save"}', 400, "invalid_argument", "command", None),
            (b'{"command":"/nonesuch SECRET"}', 404, "unknown_command", None, "nonesuch"),
            (b'{"command":"SECRET"}', 404, "unknown_command", None, None),
            (b'{"command":"/broken SECRET"}', 500, "invalid_pack", None, "broken"),
            (b" " * (1 << 20) + b" ", 413, "too_large", None, None),
            (b" " * 3000000, 413, "too_large", None, None),
        ]
        answers = []
        for body, status, reason, field, slug in cases:
            with self.subTest(body[:60]):
                answers.append(server.post(body, {"X-User-ID": "mia"}))
                self.expect_refusal(answers[-1], status, reason, field)
                self.assertEqual(answers[-1].json["command"], slug)
        events = tracer.stop()
        check_books(self, events)
        self.assertNotIn("SECRET", json.dumps(events))
        self.assertEqual(
            [(event["event"], event["reason"], event["invalid_fields"], event["command_slug"],
              event["user_id"], event["request_source"], event["execution_id"],
              event["correlation_id"]) for event in runner_events(events)],
            [("command.validation.failed", reason, [field] if field else [], slug or "unnamed",
              "mia", "api", answer.json["execution_id"], answer.headers["X-Correlation-ID"])
             for (_, _, reason, field, slug), answer in zip(cases, answers)])

    def test_the_largest_body(self):
        server = self.serve()
        body = b'{"command":"/say x"}'
        self.assertEqual(server.post(body + b" " * ((1 << 20) - len(body))).status, 200)

    def test_what_is_only_read_makes_no_event(self):
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        for path, status in (("/healthz", 200), ("/api/commands", 200), ("/nowhere", 404),
                             ("/api/commands/execute", 405)):
            answer = server.ask("GET", path)
            self.assertEqual(answer.status, status)
        self.expect_refusal(server.ask("POST", "/nowhere"), 404, "unknown_path")
        self.assertEqual([event["reason"] for event in runner_events(tracer.stop())],
                         ["unknown_path"])


class Connections(Serving):
    def test_they_are_kept_open(self):
        server = self.serve()
        connection = server.connect()
        self.addCleanup(connection.close)
        places = set()
        for body, status in ((b'{"command":"/say x"}', 200), (b"{", 400), (b'{"command":"x"}', 404),
                             (b'{"command":"/say y"}', 200)):
            connection.request("POST", "/api/commands/execute", body)
            places.add(connection.sock.getsockname())
            self.assertEqual(answer_of(connection.getresponse()).status, status)
        self.assertEqual(len(places), 1)

    def test_requests_one_after_the_other_without_waiting(self):
        """The answers come in the order of the requests."""
        server, data = self.serve(), b""
        for number in range(20):
            data += request_bytes(b'{"command":"/say n%d"}' % number)
        got = server.raw(data + request_bytes(b"{", b"Connection: close"))
        self.assertEqual(statuses(got), [200] * 20 + [400])
        self.assertEqual(re.findall(rb'"body":"n(\d+)"', got),
                         [b"%d" % number for number in range(20)])

    def test_a_client_that_asks_before_it_sends(self):
        server = self.serve()
        body = b'{"command":"/say x"}'
        head = request_bytes(body, b"Expect: 100-continue", b"Connection: close")[:-len(body)]
        with server.socket() as client:
            client.sendall(head)
            self.assertEqual(statuses(client.recv(1024)), [100])
            client.sendall(body)
            self.assertEqual(statuses(read_all(client)), [200])
        with server.socket() as client:
            client.sendall(b"POST /api/commands/execute HTTP/1.1\r\nHost: localhost\r\n"
                           b"Expect: 100-continue\r\nContent-Length: 2000000\r\n\r\n")
            self.assertEqual(statuses(read_all(client)), [413])

    def test_clients_that_go_away_while_they_send(self):
        """Their places are free at once: a client that came before them is not yet idle for too
        long. That alone ends those of which only a part of the head has come, or of a body without
        a length."""
        server = self.serve()
        idle = self.open_files(server)
        for body in (b"{}", b" " * 100000, b" " * 2000000):
            with server.socket() as first:
                wait_until(lambda: self.open_files(server) == idle + 1, "it is connected")
                for _ in range(50):
                    with server.socket() as client:
                        client.sendall(request_bytes(body)[:-1])
                wait_until(lambda: self.open_files(server) <= idle + 1, "they are closed")
                first.setblocking(False)
                self.assertRaises(BlockingIOError, first.recv, 1)
            wait_until(lambda: self.open_files(server) == idle, "it is closed, too")
        for data in (b"P", b"POST /api/commands/execute HTTP/1.1\r\nHost: local", b"\r\n" * 99,
                     request_bytes(b"{}")[:-2],
                     b"POST /api/commands/execute HTTP/1.1\r\nHost: localhost\r\n"
                     b"Transfer-Encoding: chunked\r\n\r\nff\r\n{"):
            for _ in range(50):
                with server.socket() as client:
                    client.sendall(data)
        self.assertEqual(server.execute("/say x").status, 200)

    def test_clients_that_close_their_half(self):
        """They have sent all, and still want the answer."""
        server = self.serve()
        for _ in range(50):
            self.assertEqual(statuses(server.raw(request_bytes(b'{"command":"/say x"}'))), [200])

    def open_files(self, server):
        return len(os.listdir("/proc/%d/fd" % server.pid))


if __name__ == "__main__":
    unittest.main()
