#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Days of work in minutes. Runners come and go, fail and are killed. Files rotate, a collector
comes and goes, SIGHUP makes the tracer reopen its files. All the while the test looks at how much
memory and how many descriptors, threads and mappings the tracer holds.

    tests/e2e/soak.py SECONDS       (make soak: SOAK_SECONDS, 600)

A command of five steps in each second of a day takes about 90 seconds here. After the first quarter
the tracer's memory must not grow all the time, no line may be cut off, and the counts must add up.

The tracer records all processes, and writes the events of those of this test: other runners may
begin more commands than fit into little memory. While other tests run on the machine, the tracer
attaches to their binaries as well, so the descriptors of attached binaries are not counted.
"""
import glob
import gzip
import json
import os
import random
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

from harness import PATIENCE_S, STEPTRACE, Lines, built, validate, wait_until

STEPS_A_SECOND = 5000
ORDERS = ("go 20", "fail", "nested", "tool", "reject", "text quotes", "text invalid", "text long",
          "threads 3", "fork", "go 1")
SLACK_KIB = 4096  # lines of three outputs may wait, --queue 1M each, and a batch of each
STEADY_S = 120  # from this length on a leak can be told from queues that fill up
PARTS, LEAK_KIB = 5, 16
SAMPLE = 50  # of the lines one in so many is held against its schema; all are parsed


class Failure(AssertionError):
    pass


class Collector:
    """A server that reads for a while, and is away for a while, again and again."""

    def __init__(self, path):
        self.path, self.parts = path, []
        self.ends, self.stays = threading.Event(), threading.Event()
        self.is_connected = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.ends.is_set():
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(self.path)
                os.chmod(self.path, 0o666)
                listener.listen(1)
                listener.settimeout(0.2)
                self.take(listener)
            os.unlink(self.path)
            self.ends.wait(random.random())

    def take(self, listener):
        until, connection, part = time.monotonic() + 1 + 2 * random.random(), None, b""
        while (time.monotonic() < until or self.stays.is_set()) and not self.ends.is_set():
            try:
                if connection is None:
                    connection, _ = listener.accept()
                    connection.settimeout(0.2)
                    self.is_connected = True
                data = connection.recv(1 << 16)
                if not data:
                    break
                part = (part + data)[-(1 << 20):] if len(part) > 1 << 20 else part + data
            except socket.timeout:
                continue
        if connection:
            connection.close()
            self.is_connected = False
            self.parts = self.parts[-3:] + [part]

    def settle(self):
        """From now on it does not go away any more."""
        self.stays.set()
        wait_until(lambda: self.is_connected, "a connection")

    def close(self):
        self.ends.set()
        self.thread.join(PATIENCE_S)


class Work:
    """A runner with a steady load, and one short-lived runner after the other until close()."""

    def __init__(self, spans, pace, seconds):
        self.spans, self.count, self.killed = spans, 0, 0
        self.steady = subprocess.Popen([pace, str(STEPS_A_SECOND), str(max(1, int(seconds) - 1))],
                                       stdout=subprocess.PIPE, text=True)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)
        self.thread.start()

    def go_on(self):
        while not self.ends.is_set():
            with subprocess.Popen([self.spans], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL) as runner:
                orders = random.choices(ORDERS, k=5)
                if random.random() < 0.2:
                    orders.append("die kill")
                    self.killed += 1
                try:
                    runner.stdin.write(("\n".join(orders) + "\n").encode())
                    runner.stdin.close()
                except BrokenPipeError:
                    pass
                runner.wait(PATIENCE_S)
            self.count += 1

    def close(self):
        self.ends.set()
        self.thread.join(PATIENCE_S)
        words = self.steady.communicate(timeout=PATIENCE_S)[0]
        return int(words.split()[0])


def descriptors(pid):
    """How many the tracer has open, without those of attached binaries: links and regular files
    outside the folder of the outputs."""
    count, folder = 0, "/proc/%d/fd" % pid
    for name in os.listdir(folder):
        try:
            place = os.readlink(os.path.join(folder, name))
            is_binary = stat.S_ISREG(os.stat(os.path.join(folder, name)).st_mode) \
                and "/steptrace-soak-" not in place
        except FileNotFoundError:
            continue  # closed meanwhile
        count += not is_binary and place not in ("anon_inode:bpf_link", "anon_inode:[perf_event]")
    return count


def held(pid):
    """What the tracer holds: memory of its own (KiB), descriptors, threads, mappings."""
    with open("/proc/%d/smaps_rollup" % pid, encoding="utf-8") as file:
        own = next(int(line.split()[1]) for line in file if line.startswith("Anonymous:"))
    with open("/proc/%d/maps" % pid, encoding="utf-8") as file:
        mappings = sum(1 for _ in file)
    return {"memory": own, "descriptors": descriptors(pid),
            "threads": len(os.listdir("/proc/%d/task" % pid)), "mappings": mappings}


def check_growth(looks, seconds):
    """Compares what the tracer held in the last third of the time after the first quarter with the
    time before. Queues that fill up make the memory grow in a few steps. A leak makes it grow all
    the time: when the run is long enough to tell them apart, some part must not grow."""
    looks = looks[len(looks) // 4:]
    third = max(1, len(looks) // 3)
    for what, slack in (("memory", SLACK_KIB), ("descriptors", 3), ("threads", 0), ("mappings", 8)):
        before = max(look[what] for look in looks[:2 * third])
        after = max(look[what] for look in looks[-third:])
        if after > before + slack:
            raise Failure("%s grew from %d to %d" % (what, before, after))
    if seconds >= STEADY_S:
        check_leak([look["memory"] for look in looks])


def check_leak(memory):
    part = len(memory) // PARTS
    peaks = [max(memory[at:at + part]) for at in range(0, part * PARTS, part)]
    if all(after >= before + LEAK_KIB for before, after in zip(peaks, peaks[1:])):
        raise Failure("the memory grew in every part of the time: %s KiB" % peaks)


def check_lines(name, lines):
    if lines and not lines[-1].endswith("\n"):
        raise Failure("%s: the last line is torn: %r" % (name, lines[-1][-80:]))
    for number, line in enumerate(lines):
        try:
            json.loads(line)
        except ValueError as error:
            raise Failure("%s:%d: %s: %r" % (name, number + 1, error, line[:200])) from error
    problems = validate.validate_lines(lines[::SAMPLE] + lines[-1:])
    if problems:
        raise Failure("%s: %s" % (name, problems[0]))
    return [json.loads(line) for line in lines[:1] + lines[-1:]]


def check_files(folder):
    """Every part begins with trace.started. The newest part of each output ends with counts that
    add up."""
    lines_count = 0
    for output in ("plain", "zipped.gz"):
        for path in sorted(glob.glob(os.path.join(folder, output + "*")), key=len):
            with (gzip.open if ".gz" in path else open)(path, "rt", encoding="utf-8") as file:
                lines = file.readlines()
            lines_count += len(lines)
            first, last = check_lines(os.path.basename(path), lines)
            if first["event"] != "trace.started":
                raise Failure("%s begins with %s" % (path, first["event"]))
            if path.endswith(output) and not (
                    last["event"] == "trace.stopped" and last["hits"] == last["events"]
                    + last["lost"] + sum(last["filtered"].values())):
                raise Failure("%s: the books do not balance: %r" % (path, last))
            if path.endswith("plain"):
                stopped = last
    return lines_count, stopped


def watch(process, work, folder, seconds, progress):
    looks, end, reopened = [], time.monotonic() + seconds, time.monotonic()
    while time.monotonic() < end:
        time.sleep(min(0.5, seconds / 40))
        looks.append(held(process.pid))
        if time.monotonic() - reopened > 2:
            reopened = time.monotonic()
            shutil.move(os.path.join(folder, "plain"), os.path.join(folder, "away"))
            process.send_signal(signal.SIGHUP)
        if progress:
            print("\r  %4.0f s left, %d runners, %r   "
                  % (end - time.monotonic(), work.count, looks[-1]),
                  end="", file=sys.stderr, flush=True)
    if progress:
        print(file=sys.stderr)
    return looks


def soak(seconds, progress=False):
    """Returns what was seen; raises Failure."""
    with tempfile.TemporaryDirectory(prefix="steptrace-soak-") as folder:
        os.chmod(folder, 0o777)
        own = "soak-" + secrets.token_hex(3)
        spans, pace = [shutil.copy(built(name), os.path.join(folder, "%s-%s" % (own, name[0])))
                       for name in ("spans", "pace")]
        collector = Collector(os.path.join(folder, "socket"))
        process = subprocess.Popen(
            [STEPTRACE, "record", "-a", "--comm", own + "*",
             "--rotate-size", "4M", "--keep", "3", "--queue", "1M",
             "-o", os.path.join(folder, "plain"), "-o", os.path.join(folder, "zipped.gz"),
             "-o", "unix:" + os.path.join(folder, "socket")],
            stderr=subprocess.PIPE, bufsize=0)
        try:
            said = Lines(process.stderr, "steptrace")
            said.until("attached to")
            drain = threading.Thread(target=said.rest, daemon=True)
            drain.start()
            work = Work(spans, pace, seconds)
            looks = watch(process, work, folder, seconds, progress)
            collector.settle()
            steady = work.close()
            process.send_signal(signal.SIGINT)
            status = process.wait(PATIENCE_S)
            drain.join(PATIENCE_S)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            collector.close()
        if status:
            raise Failure("the tracer ended with %d" % status)
        check_growth(looks, seconds)
        lines_count, stopped = check_files(folder)
        for part in collector.parts[:-1]:
            # The collector began to keep it within the first line, and hung up within the last.
            lines = part.splitlines(True)[1:-1]
            check_lines("socket", [line.decode() for line in lines])
        return {"runners": work.count, "killed": work.killed, "commands_steady": steady,
                "hits": stopped["hits"], "events": stopped["events"],
                "lost": stopped["lost"], "lines_kept": lines_count,
                "first": looks[len(looks) // 4], "last": looks[-1]}


if __name__ == "__main__":
    print(json.dumps(soak(float(sys.argv[1]), progress=sys.stderr.isatty()), indent=1))
