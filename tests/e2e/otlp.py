# SPDX-License-Identifier: BSD-2-Clause
"""A receiver of OTLP for tests: an HTTP server that keeps what it accepts, and answers as a test
wants. What it got is read with the official definitions by tests/otlp_check.py.

    python3 tests/e2e/otlp.py PORT FOLDER     the same as a process of its own
"""
import functools
import gzip
import http.server
import json
import os
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = os.path.join(ROOT, "build", "otlp", "python")
WORDS = {"/v1/traces": ("resourceSpans", "scopeSpans", "spans"),
         "/v1/logs": ("resourceLogs", "scopeLogs", "logRecords")}


@functools.cache
def definitions_refusal():
    """Why the official definitions cannot be used; None: they can be."""
    if not os.path.isdir(PYTHON):
        return "%s is not there (make build/otlp/python)" % PYTHON
    done = subprocess.run(["/usr/bin/python3", "-c", "import google.protobuf"],
                          capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_POST(self):  # noqa: N802
        self.server.receiver.handle(self)

    def body(self):
        return self.rfile.read(int(self.headers["Content-Length"]))

    def answer(self, status, body=b"{}", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client that closed the connection is no error of the test."""


class Receiver:
    """`scripts` are functions of (handler, path, raw body) for the next requests; each answers, and
    returns whether it accepted the request. Without one it is accepted."""

    def __init__(self, folder, port=0, context=None):
        self.folder, self.scripts, self.requests = folder, [], []
        self.refuses = lambda handler: False  # answers before the body is read
        self.seen = 0
        os.makedirs(folder, exist_ok=True)
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", port), Handler)
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.server.receiver = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def handle(self, handler):
        if self.refuses(handler):
            handler.close_connection = True
            return
        raw = handler.body()
        with self.lock:
            self.seen += 1
            script = self.scripts.pop(0) if self.scripts else accept
        if script(handler, handler.path, raw):
            self.keep(handler, raw)

    def keep(self, handler, raw):
        if handler.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        with self.lock:
            number = len(self.requests)
            self.requests.append((handler.path, dict(handler.headers), raw))
        kind = "traces" if handler.path.endswith("/v1/traces") else "logs"
        path = os.path.join(self.folder, "%d-%06d.%s.json" % (os.getpid(), number, kind))
        with open(path + ".new", "wb") as file:
            file.write(raw)
        os.rename(path + ".new", path)

    def script(self, *scripts):
        with self.lock:
            self.scripts += scripts

    def spans(self):
        with self.lock:
            return items([raw for path, _, raw in self.requests if path.endswith("traces")],
                         "/v1/traces")

    def logs(self, name=None):
        with self.lock:
            found = items([raw for path, _, raw in self.requests if path.endswith("logs")],
                          "/v1/logs")
        return [log for log in found if name in (None, log["attributes"]["event.name"])]


def accept(handler, _path, _raw):
    handler.answer(200)
    return True


def status(code, body=b"{}", headers=()):
    def script(handler, _path, _raw):
        handler.answer(code, body, headers)
        return False
    return script


def partial(rejected, word="rejectedSpans", message="too many"):
    """Accepts all but so many."""
    def script(handler, _path, _raw):
        handler.answer(200, json.dumps({"partialSuccess": {
            word: str(rejected), "errorMessage": message}}).encode())
        return True
    return script


def hang_up(handler, _path, _raw):
    """Has read the request, and closes the connection without an answer."""
    handler.close_connection = True
    handler.connection.close()
    return False


def value_of(value):
    if "arrayValue" in value:
        return [value_of(part) for part in value["arrayValue"].get("values", [])]
    if "kvlistValue" in value:
        return attributes_of(value["kvlistValue"].get("values", []))
    if "intValue" in value:
        return int(value["intValue"])
    return next(iter(value.values()), None)


def attributes_of(values):
    found = {item["key"]: value_of(item["value"]) for item in values}
    assert len(found) == len(values), "an attribute is there twice: %s" % values
    return found


def items(bodies, path):
    """Spans or log records of these requests, with their attributes as dictionaries."""
    outer, scopes, inner = WORDS[path]
    found = []
    for raw in bodies:
        for resource in json.loads(raw)[outer]:
            about = attributes_of(resource["resource"]["attributes"])
            for scope in resource[scopes]:
                for item in scope[inner]:
                    item["attributes"] = attributes_of(item["attributes"])
                    item["resource"] = about
                    found.append(item)
    return found


def stored(folder, kind):
    """What a receiver in a process of its own has accepted."""
    bodies = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".%s.json" % kind):
            with open(os.path.join(folder, name), "rb") as file:
                bodies.append(file.read())
    return items(bodies, "/v1/" + kind)


def main():
    receiver = Receiver(sys.argv[2], int(sys.argv[1]))
    print("listening", receiver.port, flush=True)
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    main()
