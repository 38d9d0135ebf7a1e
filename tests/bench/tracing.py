# SPDX-License-Identifier: BSD-2-Clause
"""Programs and tracers for the benchmarks that are scripts."""
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"


class Program:
    """A process of its own copy of a test program, waiting for orders."""

    def __init__(self, folder, name, *arguments):
        os.makedirs(folder)
        self.path = shutil.copy(os.path.join(BUILD, "tests", name), folder)
        self.start(*arguments)

    def start(self, *arguments):
        self.process = subprocess.Popen([self.path, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.pid = self.process.pid

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline()

    def find_semaphore(self):
        symbols = subprocess.run(["readelf", "-sW", self.path], capture_output=True, text=True,
                                 check=True).stdout
        offset = next(int(line.split()[1], 16) for line in symbols.splitlines()
                      if line.endswith(" steptrace_semaphore"))
        with open("/proc/%d/maps" % self.pid, encoding="utf-8") as maps:
            base = next(int(line.split("-")[0], 16) for line in maps
                        if line.rstrip().endswith(self.path))
        self.address = base + offset

    def semaphore(self):
        with open("/proc/%d/mem" % self.pid, "rb") as memory:
            memory.seek(self.address)
            return struct.unpack("<H", memory.read(2))[0]

    def end(self):
        self.process.stdin.close()
        self.process.wait()


class Tracer:
    """A `steptrace record`, or another command, that has attached its probes. A program that it
    starts has an open stdin."""

    def __init__(self, *arguments, command=("record", "-o", "/dev/null")):
        start = time.monotonic()
        self.process = subprocess.Popen([os.path.join(BUILD, "steptrace"), *command, *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        said = ""
        for said in self.process.stderr:
            if "attached to" in said:
                break
        else:
            raise SystemExit("bench: " + said)
        self.attached_ms = (time.monotonic() - start) * 1e3

    def end(self, how=signal.SIGINT):
        start = time.monotonic()
        self.process.send_signal(how)
        self.process.stdin.close()  # ends a command that ignores the signal, as its caller did
        self.process.wait()
        self.process.stderr.close()
        return (time.monotonic() - start) * 1e3

    def children(self):
        path = "/proc/{0}/task/{0}/children".format(self.process.pid)
        with open(path, encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]


def in_turns(cases, measure, turns):
    """Measures each case once a turn. `cases` are the arguments of the tracer by name, or None for
    no tracer. Returns the values by name."""
    told = {name: [] for name in cases}
    for _ in range(turns):
        for name, arguments in cases.items():
            tracer = Tracer(*arguments) if arguments is not None else None
            told[name].append(measure())
            if tracer:
                tracer.end()
    return told


def show(name, values, unit, note=""):
    print("    %-46s %8.*f %s   (%.*f to %.*f)%s"
          % (name, unit != "ms", statistics.median(values), unit, unit != "ms", min(values),
             unit != "ms", max(values), note))
