# SPDX-License-Identifier: BSD-2-Clause
"""steprun serve: workers and the queue, how the server begins, and how it ends."""
import json
import os
import signal
import socket
import sqlite3
import subprocess
import unittest

from harness import (PATIENCE_S, STEPRUN, Tracer, check_books, completed, of_kind, started,
                     wait_until)
from server import Later, Server, Serving, answer_of, read_all, request_bytes, statuses, write_pack


class Queue(Serving):
    def test_workers_work_at_the_same_time(self):
        server = self.serve("--workers", "3")
        held = [self.hold(server, name) for name in ("a", "b", "c")]
        server.wait_for(running=3, queued=0, workers=3)
        waiting = Later(server.execute, "/say last")
        server.wait_for(running=3, queued=1)
        self.let_go("b")
        self.assertEqual(waiting.result().status, 200)
        for name in ("a", "c"):
            self.let_go(name)
        self.assertEqual([answer.result().json["success"] for answer in held], [True] * 3)
        server.wait_for(status="ok", workers=3, running=0, queued=0, queue_limit=64)

    def test_all_places_are_taken(self):
        server = self.serve("--workers", "1", "--backlog", "2")
        tracer = Tracer("-p", str(server.pid))
        held = self.hold(server, "a")
        server.wait_for(running=1)
        waiting = [Later(server.execute, "/say %d" % number) for number in range(2)]
        server.wait_for(queued=2)
        for _ in range(3):
            answer = server.execute("/say more", {"X-User-ID": "mia"})
            self.expect_refusal(answer, 503, "overloaded")
            self.assertEqual((answer.headers["Retry-After"], answer.headers["Connection"]),
                             ("1", "close"))
        # What needs no worker is answered.
        self.assertEqual(server.ask("GET", "/api/commands").status, 200)
        self.assertEqual(server.ask("GET", "/nowhere").status, 404)
        self.let_go("a")
        self.assertEqual([call.result().status for call in [held, *waiting]], [200] * 3)
        self.assertEqual(server.execute("/say again").status, 200)
        events = tracer.stop()
        check_books(self, events)
        self.assertEqual([(event["reason"], event["user_id"])
                          for event in of_kind(events, "command.validation.failed")],
                         [("overloaded", "mia")] * 3)
        self.assertEqual(len(completed(events)), 4)

    def test_workers_write_to_one_database(self):
        server = self.serve("--workers", "4")
        calls = [Later(self.save_many, server, name) for name in "abcdefgh"]
        self.assertEqual([call.result() for call in calls], [25] * 8)
        self.assertEqual(len(set(self.messages())), 200)

    def save_many(self, server, name):
        return sum(server.execute("/save %s%d" % (name, number)).json["success"]
                   for number in range(25))

    def messages(self):
        connection = sqlite3.connect(self.database)
        try:
            return [row[0] for row in connection.execute("SELECT message FROM fragments")]
        finally:
            connection.close()

    def test_a_client_that_goes_away_cancels_nothing(self):
        server = self.serve("--workers", "1")
        tracer = Tracer("-p", str(server.pid))
        os.mkfifo(self.path("a"))
        for command in ("/hold a", "/save one", "/save two"):
            with server.socket() as client:
                client.sendall(request_bytes(json.dumps({"command": command}).encode()))
                server.wait_for(running=1, queued=0 if command == "/hold a" else
                                1 if command == "/save one" else 2)
                if command == "/save two":  # it sends a reset
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.let_go("a")
        server.wait_for(running=0, queued=0)
        self.assertEqual(sorted(self.messages()), ["one", "two"])
        events = tracer.stop()
        self.assertEqual([event["outcome"] for event in completed(events)], ["success"] * 3)
        self.assertEqual(server.execute("/say x").status, 200)


class Stopping(Serving):
    def begin_to_stop(self, server, how=signal.SIGTERM):
        server.process.send_signal(how)
        server.words += server.lines.until("finishing what was accepted")
        connection = server.connect()
        self.addCleanup(connection.close)
        # The listener is closed after this word.
        wait_until(lambda: self.is_refused(server), "no connection is accepted")

    def is_refused(self, server):
        try:
            server.socket().close()
        except (ConnectionRefusedError, ConnectionResetError):
            # Reset: the listener closed while the connection waited in its queue.
            return True
        return False

    def test_what_was_accepted_is_finished(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(how):
                name = how.name
                server = self.serve("--workers", "1")
                tracer = Tracer("-p", str(server.pid))
                idle = server.connect()
                self.addCleanup(idle.close)
                idle.request("GET", "/healthz")
                self.assertEqual(answer_of(idle.getresponse()).json["status"], "ok")
                held = self.hold(server, name)
                server.wait_for(running=1)
                waiting = [Later(server.execute, "/say %d" % number) for number in range(3)]
                server.wait_for(queued=3)
                self.begin_to_stop(server, how)
                idle.request("POST", "/api/commands/execute", b'{"command":"/say late"}')
                answer = answer_of(idle.getresponse())
                self.expect_refusal(answer, 503, "stopping")
                self.let_go(name)
                self.assertEqual([call.result().json["success"] for call in [held, *waiting]],
                                 [True] * 4)
                self.assertEqual(server.wait(), 0)
                self.assertIn("4 commands executed, 0 of them failed; 1 requests refused",
                              server.words[-1])
                events = tracer.ended()
                check_books(self, events)
                self.assertEqual((len(started(events)), len(completed(events))), (4, 4))

    def test_health_says_so(self):
        server = self.serve()
        held, idle = self.hold(server, "a"), server.connect()
        self.addCleanup(idle.close)
        server.wait_for(running=1)
        idle.request("GET", "/healthz")
        answer_of(idle.getresponse())
        self.begin_to_stop(server)
        idle.request("GET", "/healthz")
        answer = answer_of(idle.getresponse())
        self.assertEqual((answer.status, answer.json["status"], answer.json["running"]),
                         (503, "stopping", 1))
        self.let_go("a")
        held.result()
        self.assertEqual(server.wait(), 0)

    def test_the_grace_is_over(self):
        """What runs is cancelled, and what waits, too. Each has an answer and one end."""
        server = self.serve("--workers", "2", "--grace", "100ms")
        tracer = Tracer("-p", str(server.pid))
        held = [self.hold(server, name) for name in ("a", "b")]
        server.wait_for(running=2)
        waiting = [Later(server.execute, "/say %d" % number) for number in range(5)]
        server.wait_for(queued=5)
        self.assertEqual(server.stop(), 0)
        for call in held:
            answer = call.result()
            self.assertEqual((answer.status, answer.json["error"]["category"]), (200, "cancelled"))
        self.assertEqual([call.result().status for call in waiting], [200] * 5)
        events = tracer.ended()
        check_books(self, events)
        ids = [call.result().json["execution_id"] for call in held + waiting]
        self.assertEqual(sorted(event["execution_id"] for event in completed(events)), sorted(ids))
        self.assertEqual([event["error_category"] for event in completed(events)
                          if event["command_slug"] == "hold"], ["cancelled"] * 2)

    def test_without_grace(self):
        server = self.serve("--grace", "0")
        held = self.hold(server, "a")
        server.wait_for(running=1)
        self.assertEqual(server.stop(signal.SIGINT), 0)
        self.assertEqual(held.result().json["error"]["category"], "cancelled")

    def test_a_second_signal(self):
        server = self.serve("--grace", "1000h")
        self.hold(server, "a")
        server.wait_for(running=1)
        self.begin_to_stop(server)
        server.process.send_signal(signal.SIGINT)
        self.assertEqual(server.process.wait(PATIENCE_S), -signal.SIGINT)

    def test_a_request_that_is_not_complete(self):
        """It was not accepted, and nobody waits for it."""
        server = self.serve()
        with server.socket() as client:
            client.sendall(request_bytes(b'{"command":"/say x"}')[:-1])
            server.health()
            self.assertEqual(server.stop(), 0)
            self.assertEqual(read_all(client), b"")

    def test_a_client_that_does_not_read(self):
        """The server does not wait for it for long, and says so."""
        steps = "\n  - ".join("{id: s%d, type: transform, template: '{{ ctx.body }}'}" % number
                              for number in range(16))
        write_pack(self.packs, "large", "slash: /large", steps)
        server = self.serve()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", server.port))
            client.sendall(request_bytes(b'{"command":"/large %s"}' % (b"x" * 1000000)))
            self.assertEqual(client.recv(1), b"H")  # of 16 MB, more than any buffer has room for
            self.assertEqual(server.stop(), 0)
        self.assertIn("1 clients did not read their answers", "\n".join(server.words))


class Beginning(Serving):
    def expect(self, status, words, *arguments):
        done = subprocess.run([STEPRUN, "serve", *arguments], capture_output=True, text=True,
                              timeout=PATIENCE_S, check=False, cwd=self.directory)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertIn(words, done.stderr)
        self.assertNotIn("serving", done.stderr)

    def token(self, text, name="token", mode=0o600):
        with open(self.path(name), "wb") as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def test_wrong_usage(self):
        for words, *arguments in (
                ("--db :memory: would be a database for each worker", "--db", ":memory:"),
                ("--workers", "--workers", "0"), ("--workers", "--workers", "257"),
                ("--backlog", "--backlog", "0"), ("--backlog", "--backlog", "4097"),
                ("--grace", "--grace", "soon"), ("at most 1000h", "--grace", "1001h"),
                ("at most 1000h", "--grace", "5124095h"), ("--timeout", "--timeout", "0"),
                ("serve takes no operands", "triage"), ("unknown option", "--repeat", "2"),
                ("--now and --clock exclude each other", "--now", "2025-03-01T08:30:00Z", "--clock",
                 "x"), ("cannot read the clock", "--clock", "nowhere")):
            with self.subTest(arguments):
                self.expect(2, words, *arguments)

    def test_what_is_not_there(self):
        self.expect(1, "give the folder of packs with --packs", "--packs", "nowhere")
        packs = ["--packs", self.packs]
        self.expect(1, "/nowhere/x.db", *packs, "--db", "/nowhere/x.db", "--listen", "0")
        self.expect(1, "cannot be read", *packs, "--tools", "nowhere")
        self.expect(1, "cannot read the token in 'nowhere'", *packs, "--token-file", "nowhere")

    def test_addresses(self):
        packs = ["--packs", self.packs, "--db", self.database]
        for address in ("0.0.0.0:0", "[::]:0", ":0"):
            with self.subTest(address):
                self.expect(1, "", *packs, "--listen", address)
        self.expect(1, "other machines can reach '0.0.0.0:0': give --token-file", *packs,
                    "--listen", "0.0.0.0:0")
        for address in ("x", "127.0.0.1:x", "65536", "-1", "127.0.0.1:", "", "[::1]", "::1:80"):
            with self.subTest(address):
                self.expect(1, "", *packs, "--listen", address)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.expect(1, "cannot listen at", *packs, "--listen",
                        "127.0.0.1:%d" % taken.getsockname()[1])

    def test_it_listens_on_loopback(self):
        server = self.serve()
        self.assertEqual(server.host, "127.0.0.1")
        self.assertEqual(self.listeners(server), {"0100007F"})

    def listeners(self, server):
        """The addresses at which something listens on the server's port."""
        with open("/proc/net/tcp", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
        return {row[1].split(":")[0] for row in rows
                if row[3] == "0A" and int(row[1].split(":")[1], 16) == server.port}

    def test_ipv6(self):
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("the kernel has no IPv6")
        server = Server("--listen", "[::1]:0", *self.arguments())
        self.addCleanup(server.process.stderr.close)
        self.assertEqual(server.host, "[::1]")
        with socket.create_connection(("::1", server.port), PATIENCE_S) as client:
            client.sendall(request_bytes(b'{"command":"/say x"}', b"Connection: close",
                                         host=b"[::1]:%d" % server.port))
            self.assertEqual(statuses(read_all(client)), [200])

    def test_any_address_with_a_token(self):
        server = self.serve("--listen", "0.0.0.0:0", "--token-file", self.token(b"x" * 16))
        self.assertEqual(self.listeners(server), {"00000000"})
        self.assertIn("the token travels unencrypted", "".join(server.lines.until("unencrypted")))
        self.assertEqual(server.execute("/say x").status, 401)
        right = {"Authorization": "Bearer " + "x" * 16}
        self.assertEqual(server.execute("/say x", right).status, 200)

    def test_tokens(self):
        packs = ["--packs", self.packs, "--db", self.database, "--listen", "0"]
        for text in (b"", b"\n", b"x" * 15, b"x" * 4097, b"two words of text", b"x" * 16 + b"\0",
                     b"\0" + b"x" * 16, b"x" * 16 + b"\ny", "\u00e4".encode() * 16,
                     b"x" * 16 + b"\x7f", b"x" * 100000, b"x" * 16 + b" " * 10000 + b"y"):
            with self.subTest(text[:40]):
                self.expect(1, "does not hold a token", *packs, "--token-file", self.token(text))
        self.expect(1, "cannot read the token", *packs, "--token-file", self.directory)
        os.mkfifo(self.path("fifo"))
        self.expect(1, "does not hold a token", *packs, "--token-file", self.path("fifo"))
        for text in (b"x" * 16, b"x" * 4096 + b"\r\n", b" \n!~" + b"x" * 14 + b"\t\n"):
            server = self.serve("--token-file", self.token(text))
            self.assertEqual(len(server.words), 1)
            right = {"Authorization": b"Bearer " + text.strip()}
            self.assertEqual(server.execute("/say x", right).status, 200)
            self.assertEqual(server.stop(), 0)

    def test_a_token_that_others_may_read(self):
        server = self.serve("--token-file", self.token(b"x" * 16, mode=0o644))
        self.assertIn("other users may read the token", server.words[0])

    def test_a_pack_that_cannot_be_loaded(self):
        os.makedirs(os.path.join(self.packs, "broken"))
        with open(os.path.join(self.packs, "broken", "command.yaml"), "w", encoding="utf-8"):
            pass
        server = self.serve()
        self.assertIn("broken/command.yaml:1:1", server.words[0])
        self.assertEqual(server.execute("/say x").status, 200)


if __name__ == "__main__":
    unittest.main()
