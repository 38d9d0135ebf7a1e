# SPDX-License-Identifier: BSD-2-Clause
"""Requests that want `steprun serve` to do something else than it seems: each is refused, and the
server goes on."""
import json
import unittest

from harness import (Tracer, check_books, of_kind, resident_kib, runner_events, started,
                     wait_until)
from server import Serving, read_all, request_bytes, statuses

BODY = b'{"command":"/say hi"}'
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
CLOSE = b"Connection: close"


def request(*headers, body=BODY, version=b"1.1", host=b"localhost"):
    """A POST with exactly these headers, and Host."""
    return b"\r\n".join([b"POST /api/commands/execute HTTP/" + version, b"Host: " + host,
                         *headers, b"", body])


class Hostile(Serving):
    def refused_by_server(self, server, data, status, reason, field=None):
        """One answer of the server itself, behind which the connection is closed."""
        answer = server.raw(data)
        self.assertEqual(statuses(answer), [status], answer)
        head, body = answer.split(b"\r\n\r\n", 1)
        error = json.loads(body)["error"]
        self.assertEqual((error["reason"], error["field"]), (reason, field), answer)
        return head

    def refused(self, server, data, status, reason, field=None):
        """By the server itself, or by its library: versions of it differ in how strict they are.
        Returns whether it was the server."""
        answer = server.raw(data)
        self.assertEqual(statuses(answer), [status], answer)
        body = answer.split(b"\r\n\r\n", 1)[1]
        if not body.startswith(b"{"):
            return False
        error = json.loads(body)["error"]
        self.assertEqual((error["reason"], error["field"]), (reason, field), answer)
        return True

    def refused_by_library(self, server, data, *allowed):
        """Mostly by it: it answers, or closes the connection. Its version 0.9.75 may write the head
        of the answer twice."""
        answer = server.raw(data)
        self.assertNotIn(b'"success":true', answer)
        self.assertLessEqual(set(statuses(answer)), set(allowed), answer)

    def expect_alive(self, server):
        self.assertEqual(server.execute("/say still here").json["outputs"],
                         {"say": {"body": "still here"}})


class Framing(Hostile):
    """Where a request ends: a proxy in front of the server must not see another end."""

    def test_a_length_that_is_not_clear(self):
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        cases = [request(LENGTH, LENGTH), request(b"Content-Length: 5", LENGTH),
                 request(LENGTH, CHUNKED, body=CHUNKS), request(CHUNKED, LENGTH, body=CHUNKS),
                 request(CHUNKED, CHUNKED, body=CHUNKS),
                 request(CHUNKED, b"Transfer-Encoding: identity", body=CHUNKS),
                 request(b"Transfer-Encoding: identity", LENGTH),
                 request(b"Transfer-Encoding: xchunked", body=CHUNKS),
                 request(b"Transfer-Encoding: gzip, chunked", body=CHUNKS),
                 request(b"Transfer-Encoding: chunked, identity", body=CHUNKS),
                 request(b"Transfer-Encoding:", LENGTH),
                 request(CHUNKED, body=CHUNKS, version=b"1.0")]
        count = 0
        for data in cases:
            # What follows would be a second request, if the first one had ended before it.
            for more in (b"", request(LENGTH)):
                with self.subTest(data):
                    count += self.refused(server, data + more, 400, "malformed_request")
        self.expect_alive(server)
        events = tracer.stop()
        check_books(self, events)
        self.assertEqual([(event["reason"], event["invalid_fields"]) for event in
                          of_kind(events, "command.validation.failed")],
                         [("malformed_request", [])] * count)
        self.assertEqual(len(started(events)), 1)

    def test_names_that_are_no_names(self):
        server = self.serve()
        for header in (b"Transfer-Encoding : chunked", b"Content-Length\t: 5", b" X-A: b",
                       b"X-User-ID : mia", b"X(A): b", b"X-\xc3\xa4: b", b"X\x01: b"):
            with self.subTest(header):
                data = b"\r\n".join([b"POST /api/commands/execute HTTP/1.1", b"Host: localhost",
                                     LENGTH, header, b"", BODY])
                if header.startswith(b" "):  # of the line before
                    self.refused_by_library(server, data, 400)
                else:
                    self.refused(server, data, 400, "malformed_request")
        self.expect_alive(server)

    def test_lengths_that_are_no_numbers(self):
        server = self.serve()
        for length in (b"+21", b"-1", b"21, 21", b"0x15", b"21x", b"", b"2 1", b"1e1",
                       b"18446744073709551637", b"9" * 400):
            with self.subTest(length):
                self.refused_by_library(server, request(b"Content-Length: " + length), 400, 413)
        self.expect_alive(server)

    def test_chunks_that_are_not_valid(self):
        server = self.serve()
        for chunks in (b"zz\r\n" + BODY, b"0x15\r\n" + BODY, b"-15\r\n" + BODY, b"\r\n" + BODY,
                       b"14\r\n%s\r\n0\r\n\r\n" % BODY, b"17\r\n%s\r\n0\r\n\r\n" % BODY,
                       b"ffffffffffffffff15\r\n" + BODY, b"15 \x00\r\n" + BODY):
            with self.subTest(chunks):
                self.refused_by_library(server, request(CHUNKED, body=chunks), 400, 413)
        # These are valid; the library may refuse the extension of a chunk.
        answer = server.raw(request(CHUNKED, CLOSE,
                                    body=b"15;name=value\r\n%s\r\n0\r\n\r\n" % BODY))
        self.assertIn(statuses(answer), ([200], [400]))
        for chunks in (CHUNKS, b"1\r\n{\r\n14\r\n%s\r\n0\r\n\r\n" % BODY[1:],
                       b"015\r\n%s\r\n0\r\nX-User-ID: eve\r\n\r\n" % BODY):
            with self.subTest(chunks):
                answer = server.raw(request(b"transfer-encoding: Chunked", CLOSE, body=chunks))
                self.assertEqual(statuses(answer), [200])

    def test_heads_that_are_too_long(self):
        server = self.serve()
        for data in (request_bytes(BODY, b"X-Long: " + b"a" * 100000),
                     request_bytes(BODY, b"X" * 100000 + b": a"),
                     request_bytes(BODY, *[b"X-%d: a" % i for i in range(5000)]),
                     request_bytes(BODY, path=b"/" + b"a" * 100000),
                     request_bytes(BODY, path=b"/?" + b"a=b&" * 20000)):
            self.refused_by_library(server, data, 400, 413, 414, 431)
        self.expect_alive(server)

    def test_other_protocols(self):
        server = self.serve()
        for data in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(512),
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"POST /api/commands/execute\r\n\r\n", bytes(range(256)) * 200,
                     b"POST /api/commands/execute FTP/1.1\r\nHost: localhost\r\n\r\n",
                     request(LENGTH, version=b"3.9")):
            with self.subTest(data[:40]):
                self.refused_by_library(server, data, 400, 414, 431, 505)
        self.expect_alive(server)


class Headers(Hostile):
    def test_headers_that_come_twice(self):
        """A proxy may have added the second one, and a client sent the first."""
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        pairs = {b"X-User-ID": (b"eve", b"mia"), b"X-Correlation-ID": (b"a" * 8, b"b" * 8),
                 b"Host": (b"localhost", b"evil.example"), b"Authorization": (b"Bearer x",) * 2,
                 b"Origin": (b"http://localhost", b"http://evil.example")}
        by_server = {}
        for name, values in pairs.items():
            with self.subTest(name):
                lines = [name.swapcase() + b": " + value for value in values]
                if name != b"Host":
                    lines.append(b"Host: localhost")
                by_server[name] = self.refused(
                    server, b"\r\n".join([b"POST /api/commands/execute HTTP/1.1", LENGTH, CLOSE,
                                          *lines, b"", BODY]),
                    400, "invalid_argument", name.decode())
        events = tracer.stop()
        self.assertEqual([event["invalid_fields"] for event in runner_events(events)],
                         [[name.decode()] for name in pairs if by_server[name]])
        self.assertTrue(by_server[b"X-User-ID"] and by_server[b"Origin"])

    def test_users_that_are_no_text(self):
        server = self.serve()
        for user in (b"", b" ", b"\xff", b"mia\xc0\x80", b"\xed\xa0\x80", b"m\tia", b"m\x7fia",
                     b"mia\rX-Evil: 1", b"m\x1b[2Jia", b"m\xc2\x85ia", b"m\xe2\x80\xaeia",
                     b"x" * 65, b"\xc3\xa4" * 33):
            with self.subTest(user):
                by_server = self.refused(server, request_bytes(BODY, b"X-User-ID: " + user, CLOSE),
                                         400, "invalid_argument", "X-User-ID")
                self.assertTrue(by_server or b"\r" in user)
        for user in (b"x" * 64, b"\xc3\xa4" * 32, b"a b", b"mia@example.org", b"  mia  "):
            with self.subTest(user):
                answer = server.raw(request_bytes(BODY, b"X-User-ID: " + user, CLOSE))
                self.assertEqual(statuses(answer), [200])

    def test_bytes_that_end_a_header(self):
        """A line feed ends a header, as RFC 9112 allows, and a NUL may. What follows is never part
        of the value."""
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        for header in (b"X-User-ID: mia\nX-Correlation-ID: 12345678", b"X-User-ID: mia\0eve",
                       b"X-User-ID: mia\r\n", b"X-\0User-ID: mia", b"X-User-ID: mia\0"):
            with self.subTest(header):
                answer = server.raw(request_bytes(BODY, header, CLOSE))
                self.assertIn(statuses(answer)[0], (200, 400))
                self.assertNotIn(b"eve", answer)
        events = tracer.stop()
        self.assertLessEqual({event["user_id"] for event in runner_events(events)},
                             {"mia", "local-default"})
        self.expect_alive(server)


class Places(Hostile):
    """Paths, hosts and origins."""

    def test_other_ways_to_write_the_path(self):
        server = self.serve()
        for path in (b"http://localhost/api/commands/execute",
                     b"http://evil.example/api/commands/execute", b"/api/commands/%65xecute",
                     b"/api%2fcommands%2fexecute", b"/api/commands/%2e/execute",
                     b"/api/commands/./execute", b"/x/../api/commands/execute",
                     b"//api/commands/execute", b"/api/commands/execute/", b"/API/commands/execute",
                     b"/api/commands/execute%00x", b"/api/commands/execute%", b"*", b"/",
                     b"/api/commands/execute;x", b"/api/commands/execute#x", b"execute"):
            with self.subTest(path):
                self.refused_by_server(server, request_bytes(BODY, CLOSE, path=path), 404,
                                       "unknown_path")
        self.expect_alive(server)

    def test_a_query_is_not_ignored(self):
        """?dry_run=true must not execute anything."""
        server = self.serve()
        for query in (b"?dry_run=true", b"?x", b"?dry_run=true&dry_run=false"):
            with self.subTest(query):
                self.refused_by_server(
                    server, request_bytes(BODY, CLOSE, path=b"/api/commands/execute" + query), 400,
                    "invalid_argument")
        self.assertEqual(server.ask("GET", "/healthz?verbose").status, 200)

    def test_methods(self):
        server = self.serve()
        for method in (b"GET", b"PUT", b"DELETE", b"HEAD", b"post", b"PATCH", b"TRACE", b"POSTS",
                       b"ET", b"G"):
            with self.subTest(method):
                answer = server.raw(request_bytes(BODY, CLOSE, method=method))
                self.assertEqual(statuses(answer), [405])
                self.assertIn(b"\r\nAllow: POST\r\n", answer)
        for path in ("/healthz", "/api/commands"):
            answer = server.post(b"") if path is None else server.ask("POST", path, b"{}")
            self.expect_refusal(answer, 405, "method_not_allowed")
            self.assertEqual(answer.headers["Allow"], "GET, HEAD")
            self.assertEqual(server.ask("HEAD", path)[::2], (200, b""))

    def test_a_name_that_points_here(self):
        """DNS rebinding: the browser believes that the page and the server have one host."""
        server = self.serve()
        for host in (b"evil.example", b"evil.example:8440", b"localhost.evil.example",
                     b"127.0.0.1.evil.example", b"127.0.0.1evil", b"127.evil", b"", b"[::1",
                     b"[::1].evil.example", b"localhost@evil.example", b"evil.example#localhost",
                     b"0.0.0.0", b"128.0.0.1", b"localhost:80.evil.example", b"127.0.0.1:80:x"):
            with self.subTest(host):
                self.refused_by_server(server, request_bytes(BODY, CLOSE, host=host), 403,
                                       "foreign_origin", "Host")
        for host in (b"localhost", b"LocalHost:8440", b"127.0.0.1", b"127.0.0.1:1", b"127.1.2.3",
                     b"[::1]", b"[::1]:8440"):
            with self.subTest(host):
                answer = server.raw(request_bytes(BODY, CLOSE, host=host))
                self.assertEqual(statuses(answer), [200])

    def test_pages_of_other_sites(self):
        server = self.serve()
        own = b"localhost:%d" % server.port
        for origin in (b"http://evil.example", b"null", b"", b"https://" + own, b"http://localhost",
                       b"http://localhost:1", own, b"http://%s.evil.example" % own,
                       b"http://%s/" % own, b"file://", b"http://evil.example " + own):
            with self.subTest(origin):
                self.refused_by_server(
                    server, request_bytes(BODY, b"Origin: " + origin, CLOSE, host=own), 403,
                    "foreign_origin", "Origin")
        answer = server.raw(request_bytes(BODY, b"Origin: http://" + own, CLOSE, host=own))
        self.assertEqual(statuses(answer), [200])
        # Also what only reads.
        answer = server.ask("GET", "/api/commands", headers={"Origin": "http://evil.example"})
        self.expect_refusal(answer, 403, "foreign_origin", "Origin")
        # A browser asks before it sends other headers.
        answer = server.raw(request_bytes(b"", b"Origin: http://evil.example", CLOSE,
                                          method=b"OPTIONS"))
        self.assertEqual(statuses(answer), [403])
        self.assertNotIn(b"Access-Control", answer)


class Bodies(Hostile):
    def test_deep_nesting(self):
        """What the parser takes, all other parts of the runner take, too."""
        server, seen = self.serve(), set()
        for depth in (100, 900, 990, 997, 1000, 1020, 5000, 100000):
            for left, right in (("[", "]"), ('{"a":', "}")):
                deep = left * depth + "1" + right * depth
                body = '{"command":"/say","arguments":{"deep":%s}}' % deep
                answer = server.raw(request_bytes(body.encode(), CLOSE))
                self.assertIn(answer[-2:-1], b"}")
                seen |= set(statuses(answer))
        self.assertEqual(seen, {200, 400})
        self.expect_alive(server)

    def test_many_members(self):
        server = self.serve()
        many = ",".join('"k%d":%d' % (number, number) for number in range(70000))
        answer = server.post('{"command":"/say","arguments":{%s}}' % many)
        self.assertEqual((answer.status, len(answer.json["outputs"]["say"])), (200, 70000))
        answer = server.post('{"command":"/say","arguments":{%s,"k5":1}}' % many)
        self.expect_refusal(answer, 400, "invalid_argument", "arguments")
        answer = server.post('{"command":"/say%s"}' % "".join(" k%d:v" % number
                                                             for number in range(101)))
        self.expect_refusal(answer, 400, "invalid_argument", "command")
        answer = server.post('{"command":"/say%s"}' % (' \\"x' * 200000))
        self.assertEqual(answer.status, 200)

    def test_other_encodings(self):
        server = self.serve()
        text = '{"command":"/say x"}'
        for body in (text.encode("utf-16"), text.encode("utf-16-le"),
                     text.encode("utf-32"), b"command=%2Fsay+x", b"\x1f\x8b\x08" + BODY,
                     b"--x\r\n\r\n" + BODY + b"\r\n--x--", BODY[:-1], BODY + BODY, BODY + b"\0"):
            with self.subTest(body):
                self.expect_refusal(server.post(body), 400, "malformed_request")

    def test_chunks_without_end(self):
        """Eight mebibytes of a body that is too large are read; then the connection is cut."""
        server = self.serve()
        tracer = Tracer("-p", str(server.pid))
        piece = b"100000\r\n%s\r\n" % (b" " * (1 << 20))
        answer = server.raw(request(CHUNKED, CLOSE, body=piece * 4 + b"0\r\n\r\n"))
        self.assertEqual(statuses(answer), [413])
        with server.socket() as client:
            with self.assertRaises((BrokenPipeError, ConnectionResetError)):
                client.sendall(request(CHUNKED, body=b""))
                while True:
                    client.sendall(piece)
        self.expect_alive(server)
        self.assertEqual([event["reason"] for event in
                          of_kind(tracer.stop(), "command.validation.failed")], ["too_large"])


class Tokens(Hostile):
    TOKEN = "0123456789abcdefABCDEF._~+/-=="

    def setUp(self):
        super().setUp()
        with open(self.path("token"), "w", encoding="ascii") as file:
            file.write(self.TOKEN + "\n")

    def status(self, server, authorization):
        return server.execute("/say x", {"Authorization": authorization}).status

    def test_only_the_whole_token(self):
        server = self.serve("--token-file", self.path("token"))
        token = self.TOKEN
        for wrong in ("", "Bearer", "Bearer ", "Bearer " + token[:-1], "Bearer " + token + "x",
                      "Bearer " + token[1:], "Bearer x" + token, "Bearer " + token[:-1] + "x",
                      "Bearer " + token.swapcase(),
                      "Bearer " + token.upper(), "Basic " + token, token, "Bearer:" + token,
                      "Bearer  " + token, "Bearer " + token + "," + token, "Bearer\t" + token,
                      "Bearer \"%s\"" % token, "Token " + token, "Bearer " + "x" * len(token)):
            with self.subTest(wrong):
                answer = server.execute("/say x", {"Authorization": wrong, "X-User-ID": "mia"})
                self.expect_refusal(answer, 401, "unauthorized", "Authorization")
                self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
        self.assertEqual(server.execute("/say x").status, 401)
        for right in ("Bearer " + token, "bearer " + token, "BEARER " + token):
            self.assertEqual(self.status(server, right), 200)

    def test_what_needs_it(self):
        server = self.serve("--token-file", self.path("token"))
        right = {"Authorization": "Bearer " + self.TOKEN}
        self.assertEqual(server.ask("GET", "/healthz").status, 200)
        for path, status in (("/api/commands", 200), ("/nowhere", 404),
                             ("/api/commands/execute", 405)):
            self.assertEqual(server.ask("GET", path).status, 401)
            self.assertEqual(server.ask("GET", path, headers=right).status, status)
        # With a token, it does not matter where a request comes from.
        answer = server.execute("/say x", {**right, "Host": "commands.example",
                                           "Origin": "https://commands.example"})
        self.assertEqual(answer.status, 200)

    def test_who_has_none_is_not_believed(self):
        """Neither the user nor the body is read."""
        server = self.serve("--token-file", self.path("token"))
        tracer = Tracer("-p", str(server.pid))
        answer = server.post("{SECRET", {"X-User-ID": "mia"})
        self.expect_refusal(answer, 401, "unauthorized", "Authorization")
        event, = runner_events(tracer.stop())
        self.assertEqual((event["reason"], event["user_id"], event["execution_id"]),
                         ("unauthorized", "local-default", answer.json["execution_id"]))

    def test_bodies_of_strangers_take_no_memory(self):
        server = self.serve("--token-file", self.path("token"))
        self.assertEqual(server.execute("/say x").status, 401)
        before, clients = resident_kib(server.pid), []
        data = request_bytes(b" " * 1000000, b"Connection: close")
        for _ in range(100):
            clients.append(server.socket())
            self.addCleanup(clients[-1].close)
            clients[-1].sendall(data[:-1])
        wait_until(lambda: self.unread_bytes(server) == 0, "the server has read all")
        self.assertLess(resident_kib(server.pid) - before, 50 * 1024)
        for client in clients:
            client.sendall(data[-1:])
            self.assertEqual(statuses(read_all(client)), [401])

    def unread_bytes(self, server):
        """What lies in the kernel on the way to the server."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        port = ":%04X" % server.port
        return sum(int(row[4].split(":")[1], 16) for row in rows if row[1].endswith(port)) + \
            sum(int(row[4].split(":")[0], 16) for row in rows if row[2].endswith(port))


if __name__ == "__main__":
    unittest.main()
