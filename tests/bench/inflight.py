#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `steptrace inflight` costs: its time for a gibibyte, and what the process notices.

    tests/bench/inflight.py FOLDER      the build folder
"""
import json
import os
import statistics
import subprocess
import sys
import time

BUILD = sys.argv[1]
STEPTRACE = os.path.join(BUILD, "steptrace")
MEBIBYTES, RUNS, MAP_MS, WATCH_S = 1024, 5, 1500, 10


class Hanging:
    def __init__(self):
        self.process = subprocess.Popen([os.path.join(BUILD, "tests", "hanging")], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)

    def order(self, words):
        self.process.stdin.write(words + "\n")

    def answer(self):
        lines = []
        for line in self.process.stdout:
            if line.strip() == "ok":
                return lines
            lines.append(line)
        sys.exit("bench: the runner has ended")

    def do(self, words):
        self.order(words)
        return self.answer()

    def memory(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return [line for line in file if line.startswith(("VmRSS", "VmPTE", "VmSwap"))]


def scan(runner):
    """(seconds, bytes searched)"""
    begun = time.monotonic()
    done = subprocess.run([STEPTRACE, "inflight", "--json", "-p", str(runner.process.pid)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, check=True)
    return time.monotonic() - begun, json.loads(done.stdout.splitlines()[-1])["searched_bytes"]


def mapping_ns(runner, is_scanned):
    """(mean, maximum) of mmap() and munmap(), which need the lock of the process's memory."""
    runner.order("map %d" % MAP_MS)
    end = time.monotonic() + MAP_MS / 1000
    while is_scanned and time.monotonic() < end:
        scan(runner)
    mean, longest = runner.answer()[0].split()[1:]
    return int(mean), int(longest)


class Overdue:
    """A `record --overdue 1s` of the runner."""

    def __init__(self, runner):
        self.process = subprocess.Popen([STEPTRACE, "record", "--overdue", "1s", "-p",
                                         str(runner.process.pid)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        while "attached to" not in self.process.stderr.readline():
            pass
        self.looker = self.find_looker()

    def find_looker(self):
        """The pid of the child that reads the memory."""
        while True:
            with open("/proc/{0}/task/{0}/children".format(self.process.pid),
                      encoding="ascii") as file:
                for pid in file.read().split():
                    with open("/proc/%s/comm" % pid, encoding="ascii") as comm:
                        if comm.read() == "steptrace-look\n":
                            return int(pid)
            time.sleep(0.01)

    def cpu_s(self):
        with open("/proc/%d/stat" % self.looker, encoding="ascii") as file:
            members = file.read().rsplit(")", 1)[1].split()
        return (int(members[11]) + int(members[12])) / os.sysconf("SC_CLK_TCK")

    def share(self):
        """Of one processor, after the first looks."""
        time.sleep(1)
        before = self.cpu_s()
        time.sleep(WATCH_S)
        return (self.cpu_s() - before) / WATCH_S

    def reported_s(self, runner, order):
        """How long after the begin of a command it is reported."""
        begun = time.monotonic()
        runner.do(order)
        line = ""
        while "command.execution.overdue" not in line or "hang." + order not in line:
            line = self.process.stdout.readline()
        return time.monotonic() - begun


def overdue(runner, name):
    looks = Overdue(runner)
    share = looks.share()
    print("  --overdue 1s, %-21s %6.1f %% of a processor, target: at most 5 %%, %s"
          % (name, share * 100, "met" if share <= 0.05 else "missed"))
    for order, where in (("nested", "on a stack"), ("heap", "in the heap, in a new page"),
                         ("heap", "in the heap, beside the one before")):
        print("    a command %-34s is reported after %5.2f s"
              % (where, looks.reported_s(runner, order)))
    looks.process.kill()
    looks.process.wait()


def main():
    runner = Hanging()
    empty = statistics.median(scan(runner)[0] for _ in range(RUNS))
    runner.do("memory %d" % MEBIBYTES)
    runner.do("stack futex")
    before = runner.memory()
    runs = [scan(runner) for _ in range(RUNS)]
    after = runner.memory()
    seconds = statistics.median(run[0] for run in runs) - empty
    print("steptrace inflight")
    print("  a process without much memory       %8.0f ms" % (empty * 1e3))
    print("  for each GiB of memory more         %8.2f s   target: at most 1.0 s, %s"
          % (seconds / (runs[0][1] / 2 ** 30), "met" if seconds <= runs[0][1] / 2 ** 30
             else "missed"))
    print("  resident memory, page tables, swap  %s" % ("unchanged" if before == after
                                                        else "CHANGED: %s" % after))
    alone, scanned = [[mapping_ns(runner, is_scanned) for _ in range(3)]
                      for is_scanned in (False, True)]
    for name, values in (("alone", alone), ("while it is scanned", scanned)):
        print("  mmap() and munmap() %-19s %6.2f us, at most %.0f us"
              % (name, statistics.median(value[0] for value in values) / 1e3,
                 statistics.median(value[1] for value in values) / 1e3))
    overdue(runner, "1 GiB of memory")
    runner.process.kill()
    small = Hanging()
    overdue(small, "little memory")
    small.process.kill()


if __name__ == "__main__":
    main()
