#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What processes pay that are not traced, while a recording lasts.

The cases take turns. Absolute times change with the machine and its load.
"""
import mmap
import os
import shutil
import statistics
import tempfile
import time

from tracing import BUILD, Program, in_turns, show

STEPS, TURNS = 20000, 15
SPAWNS, SPAWN_TURNS = 60, 8
MAPPINGS, MAPPING_TURNS = 3000, 8


def lower_decile(values):
    """Other load on the machine disturbs the short ones least."""
    return sorted(values)[len(values) // 10]


def show_cases(title, told, unit):
    print(title)
    nothing = statistics.median(told["no tracer"])
    for name, values in told.items():
        more = statistics.median(values) - nothing
        show(name, values, unit, "" if name == "no tracer" else "   %+.1f %s" % (more, unit))


def show_boundaries(folder):
    """Both processes run the same file, and one of them is traced."""
    selected = Program(os.path.join(folder, "loop"), "bench/loop", "probes")
    other = Program.__new__(Program)
    other.path = selected.path
    other.start("probes")
    told = in_turns({"no tracer": None, "beside -p": ("-p", str(selected.pid)),
                     "beside -p --no-children": ("-p", str(selected.pid), "--no-children")},
                    lambda: float(other.ask(str(STEPS)).split()[0]) / 2, TURNS)
    show_cases("a boundary of a process that is not selected, but runs the same binary", told, "ns")
    without = [statistics.median(told[name]) for name in ("no tracer", "beside -p --no-children")]
    print("    target for --no-children: at most 1 ns more, %s"
          % ("met" if without[1] - without[0] <= 1 else "missed"))
    selected.end()
    other.end()


def spawn_us(path):
    start = time.monotonic()
    os.waitpid(os.posix_spawn(path, [path], {}), 0)
    return (time.monotonic() - start) * 1e6


def show_execs(folder):
    """Programs without probes: one that is executed again and again, and files that no process has
    executed before."""
    nothing = os.path.join(BUILD, "tests", "nothing")
    copies = [os.path.join(folder, str(number)) for number in range(SPAWNS)]

    def known():
        spawn_us(nothing)
        return lower_decile([spawn_us(nothing) for _ in range(SPAWNS)])

    def unknown():
        for path in copies:
            shutil.copy(nothing, path)
        told = lower_decile([spawn_us(path) for path in copies])
        for path in copies:
            os.unlink(path)
        return told

    os.mkdir(folder)
    cases = {"no tracer": None, "beside --all": ("--all",),
             "beside -- COMMAND": ("--", os.path.join(BUILD, "tests", "spans"))}
    show_cases("spawn and wait for a program that was executed before",
               in_turns(cases, known, SPAWN_TURNS), "us")
    show_cases("spawn and wait for a new file", in_turns(cases, unknown, SPAWN_TURNS), "us")


def show_mappings():
    """The kernel tells the tracer about each new mapping that can be executed."""
    with open("/bin/true", "rb") as file:
        def map_us():
            each = []
            for _ in range(MAPPINGS):
                start = time.monotonic_ns()
                mmap.mmap(file.fileno(), 4096, mmap.MAP_PRIVATE,
                          mmap.PROT_READ | mmap.PROT_EXEC).close()
                each.append((time.monotonic_ns() - start) / 1e3)
            return lower_decile(each)
        told = in_turns({"no tracer": None, "beside --all": ("--all",)}, map_us, MAPPING_TURNS)
    show_cases("map a page of a file to execute it, and unmap it", told, "us")


def main():
    print("what processes pay that are not traced")
    if os.geteuid():
        print("  left out: needs root")
        return
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        os.chmod(folder, 0o755)
        show_boundaries(os.path.join(folder, "boundaries"))
        show_execs(os.path.join(folder, "execs"))
        show_mappings()


if __name__ == "__main__":
    main()
