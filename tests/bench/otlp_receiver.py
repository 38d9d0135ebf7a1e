# SPDX-License-Identifier: BSD-2-Clause
"""A receiver of OTLP for benchmarks: reads requests and says that it took them, in a process of its
own. It looks at nothing."""
import multiprocessing
import socket
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
LENGTH = b"content-length:"


def serve_connection(connection):
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            data = connection.recv(1 << 20)
            if not data:
                return
            received += data
        head, received = received.split(b"\r\n\r\n", 1)
        left = next(int(line[len(LENGTH):]) for line in head.split(b"\r\n")
                    if line.lower().startswith(LENGTH)) - len(received)
        received = b""
        while left > 0:
            left -= len(connection.recv(min(left, 1 << 20)))
        connection.sendall(ANSWER)


def serve(listener):
    while True:
        threading.Thread(target=serve_connection, args=(listener.accept()[0],),
                         daemon=True).start()


class Receiver:
    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.where = "otlp:http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.process = multiprocessing.Process(target=serve, args=(self.listener,), daemon=True)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *exception):
        self.process.terminate()
        self.process.join()
        self.listener.close()
