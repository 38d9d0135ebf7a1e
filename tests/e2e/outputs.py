# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of outputs share: a tracer whose messages are read, and the other sides of its
outputs."""
import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import threading

import validate
import needs
from harness import PATIENCE_S, Lines, Scenario, STEPTRACE, wait_until

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def set_loopback(up):
    """Of the network namespace of this process."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS,
                    struct.pack("16sh14x", b"lo", IFF_UP if up else 0))


def enter_network(test, own):
    """This process goes into a new network namespace, and back into its own after the test."""
    needs.namespaces("--net")
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    test.addCleanup(library.setns, own, CLONE_NEWNET)
    set_loopback(up=True)


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
        """Reads only what is new: reading megabytes again and again would keep a reader in another
        thread from running."""
        wanted, rest, at = word.encode(), b"", 0

        def is_there():
            nonlocal rest, at
            if not os.path.exists(path):
                return False
            with open(path, "rb") as file:
                file.seek(at)
                text = rest + file.read()
                rest, at = text[-len(wanted):], file.tell()
            return wanted in text
        wait_until(is_there, "%s in %s" % (word, path))
