#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What many binaries cost: attaching, detaching, a kill -9, open files; and what a process pays
that is not selected, but runs the same binary as one that is.

Absolute times change with the machine and its load.
"""
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
ROUNDS = 3
STEPS, TURNS = 20000, 15


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
    def __init__(self, *arguments):
        start = time.monotonic()
        self.process = subprocess.Popen([os.path.join(BUILD, "steptrace"), "record", *arguments,
                                         "-o", "/dev/null"], stderr=subprocess.PIPE, text=True)
        said = ""
        for said in self.process.stderr:
            if "attached to" in said:
                break
        else:
            raise SystemExit("binaries: " + said)
        self.attached_ms = (time.monotonic() - start) * 1e3

    def end(self, how=signal.SIGINT):
        start = time.monotonic()
        self.process.send_signal(how)
        self.process.wait()
        self.process.stderr.close()
        return (time.monotonic() - start) * 1e3

    def children(self):
        path = "/proc/{0}/task/{0}/children".format(self.process.pid)
        with open(path, encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]


def open_files(pid):
    """0 for a process that has ended: the tracer's first children only prepare."""
    try:
        return len(os.listdir("/proc/%d/fd" % pid))
    except FileNotFoundError:
        return 0


def names(programs):
    """Arguments that select exactly these binaries."""
    return [word for program in programs for word in ("-x", program.path)]


def await_zero(programs, since):
    """Milliseconds until all semaphores are zero."""
    for program in programs:
        while program.semaphore():
            time.sleep(0.001)
    return (time.monotonic() - since) * 1e3


def kill(programs, with_children):
    tracer = Tracer(*names(programs))
    family = [tracer.process.pid] + (tracer.children() if with_children else [])
    start = time.monotonic()
    for pid in family:
        os.kill(pid, signal.SIGKILL)
    took = await_zero(programs, start)
    tracer.end()
    return took


def show(name, values, target=None):
    middle = statistics.median(values)
    print("    %-46s %8.0f ms   (%.0f to %.0f)%s"
          % (name, middle, min(values), max(values),
             "   (target: under %d ms, %s)" % (target, "met" if middle < target else "missed")
             if target else ""))


def show_many(folder, count):
    programs = [Program(os.path.join(folder, str(number)), "spans") for number in range(count)]
    for program in programs:
        program.find_semaphore()
    if any(program.semaphore() for program in programs):
        print("  left out: another tracer is attached to all runners of this machine")
    else:
        print("  %d binar%s" % (count, "y" if count == 1 else "ies"))
        tracers, ended = [], []
        for _ in range(ROUNDS):
            tracers.append(Tracer(*names(programs)))
            ended.append(tracers[-1].end())
        show("from exec to attached", [tracer.attached_ms for tracer in tracers])
        show("from Ctrl-C to exit", ended)
        show("kill -9 of the tracer: all semaphores are zero",
             [kill(programs, False) for _ in range(ROUNDS)], 2000)
        show("kill -9 of the tracer and its children",
             [kill(programs, True) for _ in range(ROUNDS)])
    for program in programs:
        program.end()
    shutil.rmtree(folder)


def show_descriptors(folder, count):
    programs = [Program(os.path.join(folder, str(number)), "spans") for number in range(count)]
    tracer = Tracer("-a", "--comm", "spans")
    held = [count for count in map(open_files, tracer.children()) if count]
    print("open files with %d binaries" % count)
    print("    %-46s %8d" % ("of the tracer", open_files(tracer.process.pid)))
    print("    %-46s %8d in %d processes, at most %d in one"
          % ("of the processes that hold the probes", sum(held), len(held), max(held)))
    tracer.end()
    for program in programs:
        program.end()
    shutil.rmtree(folder)


def step_ns(program):
    return float(program.ask(str(STEPS)).split()[0])


def show_unselected(folder):
    """Both processes run the same file. The three cases take turns."""
    selected = Program(os.path.join(folder, "loop"), "bench/loop", "probes")
    other = Program.__new__(Program)
    other.path = selected.path
    other.start("probes")
    cases = {"no tracer": None, "beside -p": (), "beside -p --no-children": ("--no-children",)}
    told = {name: [] for name in cases}
    for _ in range(TURNS):
        for name, arguments in cases.items():
            tracer = arguments is not None and Tracer("-p", str(selected.pid), *arguments)
            told[name].append(step_ns(other) / 2)
            if tracer:
                tracer.end()
    print("a boundary of a process that is not selected, but runs the same binary")
    nothing = statistics.median(told["no tracer"])
    for name, values in told.items():
        middle = statistics.median(values)
        print("    %-46s %8.1f ns%s" % (name, middle, "" if "children" not in name else
              "   %+.1f ns   (target: at most 1 more, %s)"
              % (middle - nothing, "met" if middle - nothing <= 1 else "missed")))
    selected.end()
    other.end()


def main():
    if os.geteuid():
        print("many binaries\n  left out: needs root")
        return
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        os.chmod(folder, 0o755)
        show_unselected(os.path.join(folder, "unselected"))
        print("many binaries (medians of %d)" % ROUNDS)
        for count in (1, 30, 100):
            show_many(os.path.join(folder, "many"), count)
        show_descriptors(os.path.join(folder, "descriptors"), 500)


if __name__ == "__main__":
    main()
