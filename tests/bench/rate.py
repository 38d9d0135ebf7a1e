#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""How many events per second the tracer can record into a file and into Kafka, and how much
processor time and memory it needs for them: with producers that only hit probes, and with one at a
constant rate.

Absolute rates change with the machine; look at the losses and the ratios.
"""
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import otlp_receiver

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
COMMANDS = 60000  # commands of a producer, with seven events each
PACE_STEPS, PACE_S = 10000, 4
KAFKA_STEPS, KAFKA_S = 71430, 10  # five of seven events: 100,000 events a second
DRAINS = int(os.environ.get("BENCH_DRAINS", 5))  # runs of each case of show_drain()
IDLE_NS = 10e6  # of processor time in 0.2 s: the tracer only looks around
MiB = 1 << 20


class Tracer:
    def __init__(self, folder, name, *arguments, path=None, command="record"):
        self.program = os.path.join(folder, name)
        shutil.copy(os.path.join(BUILD, "tests", name), self.program)
        self.path = path or os.path.join(folder, "events")
        if os.path.isfile(self.path):
            os.unlink(self.path)
        where = [] if command == "top" else ["-o", self.path]
        self.process = subprocess.Popen([os.path.join(BUILD, "steptrace"), command,
                                         "-x", self.program, *where, *arguments],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        text=True)
        said = ""
        for said in self.process.stderr:
            if "attached to" in said:
                return
        raise SystemExit("rate: " + said)

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cpu_ns(self):
        """Processor time of all threads, in nanoseconds."""
        return sum(int(self.read("task/%s/schedstat" % thread).split()[0])
                   for thread in os.listdir("/proc/%d/task" % self.process.pid))

    def await_idle(self):
        """Returns when all that was in the ring buffer has been read."""
        before, now = -IDLE_NS, 0
        while now - before >= IDLE_NS:
            before = now or self.cpu_ns()
            time.sleep(0.2)
            now = self.cpu_ns()

    def read(self, name):
        with open("/proc/%d/%s" % (self.process.pid, name), encoding="utf-8") as file:
            return file.read()

    def memory(self):
        """Resident bytes: (all, all without both mappings of the ring buffer, anonymous)."""
        total = ring = anonymous = 0
        with open("/proc/%d/smaps" % self.process.pid, encoding="utf-8") as file:
            for line in file:
                words = line.split()
                if "-" in words[0] and ":" not in words[0]:
                    mapping = words[-1]
                elif words[0] == "Rss:":
                    total += int(words[1]) << 10
                    ring += int(words[1]) << 10 if "bpf-map" in mapping else 0
                elif words[0] == "Anonymous:":
                    anonymous += int(words[1]) << 10
        return total, total - ring, anonymous

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.words = self.process.stderr.read()
        self.process.wait()

    def fullest(self, what):
        """The largest percentage of `what` that --stats has printed."""
        found = re.findall(what + r" ([\d.]+) %", self.words)
        return max([float(percent) for percent in found], default=0)

    def stop(self):
        self.end()
        with open(self.path, "rb") as file:
            file.seek(-4096, os.SEEK_END)
            return json.loads(file.read().splitlines()[-1])


def produce(program, count):
    """Runs `count` producers at the same time; returns how many seconds that took."""
    start = time.monotonic()
    running = [subprocess.Popen([program, str(COMMANDS)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL) for _ in range(count)]
    for process in running:
        process.wait()
    return time.monotonic() - start


def why(tracer, lost):
    if lost == 0:
        return "   (the producer is the limit)"
    if tracer.fullest("queue") > 50:
        return "   (writing the file was too slow: queue %.0f %% full)" % tracer.fullest("queue")
    return ""


def show_spinning(folder):
    print("producers that only hit probes, recorded into a file")
    for producers in sorted({1, os.cpu_count()}):
        for buffer in ("1M", "4M", "16M", "64M"):
            tracer = Tracer(folder, "load", "--buffer", buffer, "--stats")
            cpu_s = tracer.cpu_s()
            took_s = produce(tracer.program, producers)
            cpu_s = tracer.cpu_s() - cpu_s
            stopped = tracer.stop()
            lost = stopped["lost"]
            print("  %d producer%s, buffer %-4s %8.0f events/s hit, %8.0f written, %5.2f %% lost, "
                  "tracer %3.0f %% of a core%s"
                  % (producers, "s" if producers > 1 else " ", buffer, stopped["hits"] / took_s,
                     stopped["events"] / took_s, 100 * lost / stopped["hits"], 100 * cpu_s / took_s,
                     why(tracer, lost)))


def verdict(met):
    return "met" if met else "missed"


def drain_ns(folder, path, command="record", arguments=()):
    """Processor time of one event, from the ring buffer until its line is written, or until it is
    in the table, in all threads, user space and kernel. The events are produced first, while the
    tracer is stopped, so that no producer runs at the same time."""
    tracer = Tracer(folder, "load", "--buffer", "512M", *arguments, path=path, command=command)
    os.kill(tracer.process.pid, signal.SIGSTOP)
    produce(tracer.program, 1)
    cpu_ns = tracer.cpu_ns()
    os.kill(tracer.process.pid, signal.SIGCONT)
    tracer.await_idle()
    cpu_ns = tracer.cpu_ns() - cpu_ns
    tracer.end()
    return cpu_ns / (7 * COMMANDS)


class Kafka:
    """The mock cluster of librdkafka, in a process of its own."""

    def __enter__(self):
        self.process = subprocess.Popen([os.path.join(BUILD, "tests", "kafka_mock"), "1", "topic",
                                         "3"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.where = "kafka:%s/topic" % self.process.stdout.readline().strip()
        return self

    def messages(self):
        self.process.stdin.write("messages\n")
        return int(self.process.stdout.readline().split()[1])

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def kafka_ns(folder, compression):
    """No event is lost: the recording waits for the queue."""
    settings = os.path.join(folder, "settings")
    with open(settings, "w", encoding="ascii") as file:
        file.write("compression.type=" + compression)
    with Kafka() as kafka:
        return drain_ns(folder, kafka.where,
                        arguments=["--when-full", "block", "--kafka-config", settings])


def show_drain(folder):
    print("one event in the tracer, from the ring buffer to the write call, in both threads "
          "(medians of %d)" % DRAINS)
    everything = [(drain_ns(folder, "/dev/null"), drain_ns(folder, None),
                   drain_ns(folder, "/dev/null", "latency"),
                   drain_ns(folder, "/dev/null", "top", ["--once", "--duration", "1h"]),
                   drain_ns(folder, "/dev/null", arguments=["--whole", "failed"]),
                   drain_ns(folder, "/dev/null", arguments=["--whole", "slower:1ns"]),
                   kafka_ns(folder, "none"), kafka_ns(folder, "lz4"))
                  for _ in range(DRAINS)]
    null_ns, file_ns, latency_ns, top_ns, none_ns, all_ns, plain_ns, lz4_ns = (
        statistics.median(column) for column in zip(*everything))
    print("  into /dev/null                %6.0f ns            (target: under 250, %s)"
          % (null_ns, verdict(null_ns < 250)))
    print("  into a file                   %6.0f ns, %.0f of it for the kernel's page cache"
          % (file_ns, file_ns - null_ns))
    for words, ns in (("uncompressed", plain_ns), ("lz4", lz4_ns)):
        print("  into Kafka, %-17s %6.0f ns, %.2f x a file   (target: at most 7, %s)"
              % (words, ns, ns / file_ns, verdict(ns <= 7 * file_ns)))
    print("  into the table of latency     %6.0f ns, %.2f x record into /dev/null   "
          "(target: at most 0.60, %s)"
          % (latency_ns, latency_ns / null_ns, verdict(latency_ns <= 0.6 * null_ns)))
    print("  into the rows of top          %6.0f ns, %.2f x record into /dev/null"
          % (top_ns, top_ns / null_ns))
    for words, ns in (("all left out", none_ns), ("all written", all_ns)):
        print("  --whole, into /dev/null, %-13s%3.0f ns, %.2f x record into /dev/null"
              % (words, ns, ns / null_ns))


def stalled_memory(folder):
    """Anonymous bytes of the tracer, when an OTLP receiver takes connections and reads nothing, and
    420,000 events have come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tracer = Tracer(folder, "load", path="otlp:http://127.0.0.1:%d" % listener.getsockname()[1])
        produce(tracer.program, 1)
        tracer.await_idle()
        memory = tracer.memory()[2]
        tracer.process.kill()
        tracer.process.wait()
    return memory


def show_otlp(folder):
    """The same, with outputs that send spans. The queue has room for everything."""
    print("one event in the tracer, sent as a span to an OTLP receiver (medians of %d)" % DRAINS)
    queue = ["--queue", "1G", "--when-full", "block"]
    packed = os.path.join(folder, "events.gz")
    with otlp_receiver.Receiver() as receiver:
        everything = [(drain_ns(folder, None), drain_ns(folder, packed),
                       drain_ns(folder, receiver.where,
                                arguments=[*queue, "--otlp-compression", "none"]),
                       drain_ns(folder, receiver.where, arguments=queue))
                      for _ in range(DRAINS)]
    file_ns, packed_ns, plain_ns, gzip_ns = (statistics.median(column)
                                             for column in zip(*everything))
    memory = stalled_memory(folder)
    for words, ns, than, than_ns in (("uncompressed", plain_ns, "a file", file_ns),
                                     ("compressed", gzip_ns, "a .gz file", packed_ns)):
        print("  %-13s%6.0f ns, %.2f x %s of %.0f ns   (target: at most 4, %s)"
              % (words, ns, ns / than_ns, than, than_ns, verdict(ns <= 4 * than_ns)))
    print("  memory behind a receiver that stands still, with a queue of 32 MiB: %.1f MiB anonymous"
          "   (target: under 64 MiB, %s)" % (memory / MiB, verdict(memory < 64 * MiB)))


def show_pace(folder):
    print("a constant rate of %d steps a second" % PACE_STEPS)
    tracer = Tracer(folder, "pace")
    subprocess.run([tracer.program, str(PACE_STEPS), "1"], check=True, stdout=subprocess.DEVNULL)
    cpu_s, start = tracer.cpu_s(), time.monotonic()
    subprocess.run([tracer.program, str(PACE_STEPS), str(PACE_S)], check=True,
                   stdout=subprocess.DEVNULL)
    percent = 100 * (tracer.cpu_s() - cpu_s) / (time.monotonic() - start)
    total, beside, anonymous = tracer.memory()
    stopped = tracer.stop()
    print("  events %d, lost %d" % (stopped["events"], stopped["lost"]))
    print("  the tracer's processor time   %6.2f %% of a core   (target: under 2 %%, %s)"
          % (percent, verdict(percent < 2)))
    print("  memory without ring buffer    %6.1f MiB, %.1f anonymous   (target: under 30 MiB, %s); "
          "%.1f in all, with the ring buffer mapped twice"
          % (beside / MiB, anonymous / MiB, verdict(beside < 30 * MiB), total / MiB))


def show_kafka(folder):
    with Kafka() as kafka:
        tracer = Tracer(folder, "pace", "--stats", path=kafka.where)
        cpu_s, start = tracer.cpu_s(), time.monotonic()
        subprocess.run([tracer.program, str(KAFKA_STEPS), str(KAFKA_S)], check=True,
                       stdout=subprocess.DEVNULL)
        took_s = time.monotonic() - start
        percent = 100 * (tracer.cpu_s() - cpu_s) / took_s
        tracer.end()
        events, lost = map(int, re.search(r"(\d+) events, (\d+) lost", tracer.words).groups())
        messages = kafka.messages()
    print("into Kafka at a constant rate: %.0f events/s for %d s" % (events / took_s, KAFKA_S))
    print("  events %d, lost %d, messages %d   (target: none lost, %s)"
          % (events, lost, messages, verdict(lost == 0 and messages >= events)))
    print("  the tracer's processor time   %6.2f %% of a core; the queue was %.0f %% full at most"
          % (percent, tracer.fullest("queue")))


def main():
    if os.geteuid():
        print("how many events the tracer can record\n  left out: needs root")
        return
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        os.chmod(folder, 0o755)
        show_drain(folder)
        show_otlp(folder)
        show_spinning(folder)
        show_pace(folder)
        show_kafka(folder)


if __name__ == "__main__":
    main()
