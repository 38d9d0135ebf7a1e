# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of `steprun serve` share: a running server, clients, and packs for them."""
import collections
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading

from harness import PACKS, PATIENCE_S, STEPRUN, Lines, Scenario, Tracer, wait_until

# One step each. `hold` runs until the test lets it go on; it tells when it has begun.
OWN_PACKS = {
    "echo": ("slash: /say, aliases: [/e, repeat]",
             "{id: say, type: transform, template: '{{ ctx | json }}', output: json}"),
    "save": ("slash: /save", "{id: save, type: fragment.create, message: '{{ ctx.body }}'}"),
    "hold": ("slash: /hold", "{id: hold, type: tool.call, with: {tool: hold, args: "
                             "{name: '{{ ctx.body }}'}}}"),
    "ask": ("slash: /ask", "{id: ask, type: ai.generate, with: {prompt: '{{ ctx.body }}', "
                           "max_tokens: 5, cache: '{{ ctx.cache | default: false }}', "
                           "fallback: false}}"),
}

Answer = collections.namedtuple("Answer", "status headers body json")


def write_pack(folder, slug, triggers, step, more=""):
    os.makedirs(os.path.join(folder, slug), exist_ok=True)
    with open(os.path.join(folder, slug, "command.yaml"), "w", encoding="utf-8") as file:
        file.write("name: %s\nslug: %s\nversion: 1.0.0\ntriggers: {%s}\n%s\nsteps:\n  - %s\n"
                   % (slug.title(), slug, triggers, more, step))


def answer_of(response):
    body = response.read()
    return Answer(response.status, response.headers, body, json.loads(body) if body else None)


class Server:
    """A running `steprun serve`; it listens when the constructor returns."""

    def __init__(self, *arguments, program=STEPRUN, **options):
        options.setdefault("stderr", subprocess.PIPE)
        self.process = subprocess.Popen([program, "serve", "--listen", "0", *arguments],
                                        bufsize=0, **options)
        Tracer.running.append(self.process)
        self.lines = Lines(self.process.stderr, "steprun serve")
        self.words = self.lines.until("serving ")
        self.host, port = re.search(r"http://(\S+):(\d+) ", self.words[-1]).groups()
        self.port, self.pid = int(port), self.process.pid

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def ask(self, method, path, body=None, headers=()):
        connection = self.connect()
        try:
            connection.request(method, path, body, dict(headers))
            return answer_of(connection.getresponse())
        finally:
            connection.close()

    def post(self, body, headers=()):
        return self.ask("POST", "/api/commands/execute", body, headers)

    def execute(self, command, headers=(), **members):
        return self.post(json.dumps({"command": command, **members}), headers)

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def raw(self, data):
        """Sends the bytes; returns all that the server sends until it closes the connection."""
        with self.socket() as client:
            try:
                client.sendall(data)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it did not want to read all
            return read_all(client)

    def health(self):
        return self.ask("GET", "/healthz").json

    def wait_for(self, **expected):
        """Until that many commands run, or requests wait."""
        wait_until(lambda: expected.items() <= self.health().items(), str(expected))

    def wait(self):
        """Until the server has ended; returns the exit status."""
        self.words += self.lines.rest()
        return self.process.wait(PATIENCE_S)

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.wait()


def read_all(client):
    data = b""
    while True:
        try:
            more = client.recv(65536)
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more


def request_bytes(body=b"", *headers, method=b"POST", path=b"/api/commands/execute",
                  host=b"localhost"):
    """A whole request as bytes; `headers` come before Content-Length."""
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: " + host, *headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def statuses(data):
    """Of all answers in what a server has sent."""
    return [int(status) for status in re.findall(rb"^HTTP/1\.1 (\d+) ", data, re.MULTILINE)]


class Later(threading.Thread):
    """Calls a function in a thread; result() waits for what it returns."""

    def __init__(self, function, *arguments, **options):
        super().__init__(daemon=True)
        self.call, self.outcome, self.error = (function, arguments, options), None, None
        self.start()

    def run(self):
        function, arguments, options = self.call
        try:
            self.outcome = function(*arguments, **options)
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def result(self):
        self.join(PATIENCE_S)
        assert not self.is_alive(), "there is no answer"
        if self.error:
            raise self.error
        return self.outcome


class Serving(Scenario):
    """A test with packs, a database and tools for its servers."""

    def setUp(self):
        super().setUp()
        self.packs, self.database = self.path("packs"), self.path("serve.db")
        for slug, (triggers, step) in OWN_PACKS.items():
            write_pack(self.packs, slug, triggers, step)
        with open(self.path("tools.yaml"), "w", encoding="utf-8") as file:
            file.write("tools:\n  - slug: hold\n    timeout: 600\n    argv: [/bin/sh, -c, "
                       "'read word <\"$0\"', '%s/{{ args.name }}']\n" % self.directory)
        self.holds = {}

    def path(self, name):
        return os.path.join(self.directory, name)

    def arguments(self, *more):
        return ["--packs", self.packs, "--packs", PACKS, "--db", self.database,
                "--tools", self.path("tools.yaml"), *more]

    def serve(self, *more, **options):
        server = Server(*self.arguments(*more), **options)
        self.addCleanup(server.process.stderr.close)
        return server

    def hold(self, server, name, **options):
        """Sends a command that runs until let_go(name)."""
        os.mkfifo(self.path(name))
        return Later(server.execute, "/hold " + name, **options)

    def let_go(self, name):
        with open(self.path(name), "w", encoding="utf-8") as fifo:
            fifo.write("go\n")

    def expect_refusal(self, answer, status, reason, field=None):
        error = answer.json["error"]
        self.assertEqual((answer.status, error["reason"], error["field"]),
                         (status, reason, field), answer)
        self.assertIs(answer.json["success"], False)
        self.assertTrue(error["message"])
