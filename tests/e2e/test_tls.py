# SPDX-License-Identifier: BSD-2-Clause
"""TLS outputs: who is trusted, and who is not."""
import json
import os
import socket
import ssl
import subprocess
import threading

import validate
import needs
from harness import Runner, check_books, run, runner_events, wait_until
from outputs import Outputs


class Certificates:
    """An authority, and certificates that it signs. Their keys are in the same files."""

    def __init__(self, directory, name):
        self.directory, self.name = directory, name
        self.authority = os.path.join(directory, name + ".ca")
        self.openssl("req", "-x509", "-subj", "/CN=" + name, "-out", self.authority,
                     "-keyout", self.authority + ".key")

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments, "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
                       stderr=subprocess.DEVNULL, check=True)

    def signed(self, name, alternative):
        """The path of a certificate and its key."""
        path = os.path.join(self.directory, "%s-%s" % (self.name, name))
        self.openssl("req", "-x509", "-subj", "/CN=" + name, "-addext",
                     "subjectAltName=" + alternative, "-addext", "basicConstraints=CA:FALSE",
                     "-CA", self.authority, "-CAkey", self.authority + ".key",
                     "-out", path, "-keyout", path + ".key")
        with open(path, "a", encoding="ascii") as file, \
                open(path + ".key", encoding="ascii") as key:
            file.write(key.read())
        return path


class Collector:
    """A TLS server of one connection after the other; keeps what each of them sent."""

    def __init__(self, certificate, clients=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        if clients:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(clients)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.parts, self.connection, self.is_closed = [], None, False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.is_closed:
            try:
                raw = self.listener.accept()[0]
                self.connection = self.context.wrap_socket(raw, server_side=True)
                self.receive()
            except (ssl.SSLError, OSError):
                continue

    def receive(self):
        self.parts.append(b"")
        while True:
            data = self.connection.recv(65536)
            if not data:
                return
            self.parts[-1] += data

    def events(self, part):
        lines = self.parts[part].decode().splitlines(True)
        assert not validate.validate_lines(lines)
        return [json.loads(line) for line in lines]

    def has(self, word):
        return bool(self.parts) and word.encode() in self.parts[-1]

    def close(self):
        self.is_closed = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class Tls(Outputs):
    def setUp(self):
        super().setUp()
        needs.program("openssl")
        needs.localhost()
        self.ours = Certificates(self.directory, "ours")
        self.theirs = Certificates(self.directory, "theirs")

    def collector(self, certificate, clients=None):
        collector = Collector(certificate, clients)
        self.addCleanup(collector.close)
        return collector

    def server(self, clients=None):
        return self.collector(self.ours.signed("server", "DNS:localhost"), clients)

    def where(self, collector, host="localhost"):
        return "tls:%s:%d" % (host, collector.port)

    def test_events_arrive(self):
        """Also after the connection broke. Each connection begins with a header."""
        collector = self.server()
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(collector), "--tls-ca",
                                self.ours.authority)
            runner.do("go 300")
            wait_until(lambda: collector.parts and
                       collector.parts[0].count(b"command.execution.completed") == 300, "events")
            collector.connection.shutdown(socket.SHUT_RDWR)
            self.said.until("cannot be reached")
            runner.do("go 1")
            wait_until(lambda: len(collector.parts) == 2 and collector.has("completed"), "events")
            self.stop(tracer)
            wait_until(lambda: collector.has("trace.stopped"), "the end")
        first, second = collector.events(0), collector.events(1)
        self.assertEqual((len(runner_events(first)), len(runner_events(second))), (2100, 7))
        check_books(self, first + second)

    def refused(self, collector, words, *arguments, host="localhost"):
        with self.subTest(words), Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(collector, host), *arguments)
            if not any(words in line for line in self.said_first):
                self.said.until(words)
            runner.do("go 1")
            self.stop(tracer, status=1)
            self.assertIn("7 lost", self.words)
        self.assertFalse(collector.has("trace.started"))

    def test_servers_that_are_not_trusted(self):
        ours = ("--tls-ca", self.ours.authority)
        server = self.server()
        self.refused(server, "issuer is unknown", "--tls-ca", self.theirs.authority)
        self.refused(server, "issuer is unknown")
        self.refused(server, "does not match", *ours, host="127.0.0.1")
        other = self.collector(self.ours.signed("other", "DNS:other.example"))
        self.refused(other, "does not match", *ours)

    def test_an_address_in_the_certificate(self):
        collector = self.collector(self.ours.signed("address", "IP:127.0.0.1"))
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(collector, "127.0.0.1"), "--tls-ca",
                                self.ours.authority)
            wait_until(lambda: collector.has("trace.started"), "a header")
            self.stop(tracer)

    def test_a_client_that_shows_a_certificate(self):
        client = self.ours.signed("client", "DNS:client.example")
        ours = ("--tls-ca", self.ours.authority)
        for arguments in (("--tls-cert", client),
                          ("--tls-cert", client, "--tls-key", client + ".key")):
            collector = self.server(clients=self.ours.authority)
            with Runner() as runner:
                tracer = self.trace(runner, "-o", self.where(collector), *ours, *arguments)
                runner.do("go 1")
                wait_until(lambda: collector.has("command.execution.completed"), "events")
                self.stop(tracer)
        collector = self.server(clients=self.ours.authority)
        with Runner() as runner:
            tracer = self.trace(runner, "-o", self.where(collector), *ours)
            if not any("the peer refused" in line for line in self.said_first):
                self.said.until("the peer refused")
            tracer.terminate()
            self.said.rest()
            tracer.wait()
        self.assertEqual(collector.parts, [])

    def test_a_peer_that_knows_no_tls(self):
        """It closes the connection; one that says nothing is given up after a while."""
        with socket.create_server(("127.0.0.1", 0)) as listener, Runner() as runner:
            where = "tls:localhost:%d" % listener.getsockname()[1]
            tracer = self.trace(runner, "-o", where, "--tls-ca", self.ours.authority)
            connection = listener.accept()[0]
            connection.sendall(b"220 hello\r\n")
            if not any("TLS: " in line for line in self.said_first):
                self.said.until("TLS: ")
            connection.close()
            self.stop(tracer, status=1)

    def test_files_that_are_none(self):
        empty = self.path("empty")
        with open(empty, "wb"):
            pass
        for words, arguments in (("cannot read certificates", ("--tls-ca", "/nonesuch")),
                                 ("cannot read certificates", ("--tls-ca", empty)),
                                 ("cannot use the certificate", ("--tls-cert", empty)),
                                 ("cannot use the certificate",
                                  ("--tls-cert", self.ours.authority))):
            status, _, said = run("record", "-o", "tls:localhost:1", *arguments)
            self.assertEqual(status, 1)
            self.assertIn(words, said)


if __name__ == "__main__":
    import unittest
    unittest.main()
