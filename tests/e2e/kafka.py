# SPDX-License-Identifier: BSD-2-Clause
"""A cluster of Kafka for tests, and readers of a topic: kcat, and a consumer in Python."""
import collections
import json
import os
import select
import socket
import struct
import subprocess
import threading

import needs
import validate
from harness import PATIENCE_S, ROOT, VALIDATED, Lines, built

TOPIC = "steptrace-test"
PRODUCE, INIT_PRODUCER = 0, 22
DISCONNECT, UNKNOWN_TOPIC, NOT_LEADER, TIMED_OUT, TOO_LARGE = -195, 3, 6, 7, 10
NOT_AUTHORIZED = 31

Message = collections.namedtuple("Message", "partition offset key headers text")


class Cluster:
    """The mock cluster of librdkafka, in a process of its own (tests/support/kafka_mock.c)."""

    def __init__(self, test, brokers=1, partitions=3):
        self.partitions = partitions
        self.process = subprocess.Popen([built("kafka_mock"), str(brokers), TOPIC, str(partitions)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        test.addCleanup(self.close)
        self.lines = Lines(self.process.stdout, "kafka_mock")
        self.brokers = self.lines.until(":")[0]
        self.where = "kafka:%s/%s" % (self.brokers, TOPIC)

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        answer = self.lines.until("")[0]
        assert answer != "error", words
        return answer

    def messages(self):
        """How many messages the topic has got."""
        return int(self.ask("messages").split()[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE_S)
        self.lines.rest()


class TlsFront:
    """Speaks TLS in front of a broker of the cluster, which does not. The broker says in its
    answers where it listens; the front puts its own port there."""

    def __init__(self, test, cluster, context):
        self.broker = ("127.0.0.1", int(cluster.brokers.rsplit(":", 1)[1]))
        self.context = context
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.where = "kafka:localhost:%d/%s" % (self.port, TOPIC)
        self.told, self.ours = (b"\0\x09127.0.0.1" + struct.pack(">i", port)
                                for port in (self.broker[1], self.port))
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def serve(self):
        while True:
            try:
                raw = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.connect, args=(raw,), daemon=True).start()

    def connect(self, raw):
        try:
            with self.context.wrap_socket(raw, server_side=True) as client, \
                    socket.create_connection(self.broker) as broker:
                self.pass_on(client, broker)
        except OSError:
            return

    def pass_on(self, client, broker):
        while True:
            ready = [client] if client.pending() else select.select([client, broker], [], [])[0]
            for one in ready:
                data = one.recv(65536)
                if not data:
                    return
                if one is client:
                    broker.sendall(data)
                else:
                    client.sendall(data.replace(self.told, self.ours))

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class Reader:
    """A process that reads the topic while it is written, from the beginning: the mock cluster
    keeps the newest megabytes only. It needs a broker that is there."""

    def __init__(self, test, cluster, command):
        self.cluster, self.all = cluster, []
        self.arrived = threading.Condition()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def read(self):
        for line in self.process.stdout:
            partition, offset, key, headers, text = line.decode().rstrip("\n").split("\t")
            message = Message(int(partition), int(offset), key,
                              dict(header.split("=", 1) for header in headers.split(",")), text)
            with self.arrived:
                self.all.append(message)
                self.arrived.notify()

    def has(self, word):
        return any(word in message.text for message in self.all)

    def until(self, condition, what):
        with self.arrived:
            assert self.arrived.wait_for(condition, PATIENCE_S), "never: " + what

    def until_it_has(self, word):
        self.until(lambda: self.has(word), word)

    def messages(self):
        """All that the topic has got. The tracer has ended."""
        count = self.cluster.messages()
        self.until(lambda: len(self.all) >= count, "%d messages" % count)
        self.close()
        assert len(self.all) == count
        for partition in range(self.cluster.partitions):
            offsets = [each.offset for each in self.all if each.partition == partition]
            assert offsets == list(range(len(offsets)))
        return self.all

    def events(self):
        """The events, with the trace.stopped at the end: it may be in any partition."""
        return events_of(self.messages())

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.thread.join()
        self.process.stdout.close()


class Kcat(Reader):
    """kcat, a program in C."""

    def __init__(self, test, cluster):
        needs.program("kcat")
        super().__init__(test, cluster,
                         ["kcat", "-C", "-q", "-u", "-b", cluster.brokers, "-t", TOPIC,
                          "-o", "beginning", "-f", "%p\t%o\t%k\t%h\t%s\n"])


class Consumer(Reader):
    """A consumer in Python, with confluent-kafka of the distribution."""

    def __init__(self, test, cluster):
        needs.module_of_the_system("confluent_kafka")
        super().__init__(test, cluster,
                         ["/usr/bin/python3", os.path.join(ROOT, "tests", "support", "consume.py"),
                          cluster.brokers, TOPIC, str(cluster.partitions)])


def events_of(messages):
    lines = [each.text + "\n" for each in messages]
    problems = validate.validate_lines(lines[::len(lines) // VALIDATED + 1])
    assert not problems, problems[:3]
    events = [json.loads(each.text) for each in messages]
    return sorted(events, key=lambda event: event["event"] == "trace.stopped")


def by_correlation(texts):
    """The lines of each correlation, in their order."""
    found = collections.defaultdict(list)
    for text in texts:
        found[json.loads(text).get("correlation_id")].append(text)
    found.pop(None, None)
    return found


def threads_of(pid):
    """{name of the thread: its /proc/PID/task/TID/status} of each thread."""
    folder = "/proc/%d/task" % pid
    for thread in os.listdir(folder):
        with open("%s/%s/status" % (folder, thread), encoding="ascii") as file:
            yield dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
