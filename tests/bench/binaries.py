#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What many binaries cost: attaching, detaching, a kill -9, open files.

Absolute times change with the machine and its load.
"""
import contextlib
import os
import shutil
import signal
import statistics
import tempfile
import time

from tracing import Program, Tracer, show

ROUNDS = 3


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
        with contextlib.suppress(ProcessLookupError):  # some children end when the tracer has
            os.kill(pid, signal.SIGKILL)
    took = await_zero(programs, start)
    tracer.end()
    return took


def show_ms(name, values, target_ms=None):
    met = "met" if statistics.median(values) < (target_ms or 0) else "missed"
    show(name, values, "ms", "   (target: under %d ms, %s)" % (target_ms, met) if target_ms else "")


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
        show_ms("from exec to attached", [tracer.attached_ms for tracer in tracers])
        show_ms("from Ctrl-C to exit", ended)
        show_ms("kill -9 of the tracer: all semaphores are zero",
             [kill(programs, False) for _ in range(ROUNDS)], 2000)
        show_ms("kill -9 of the tracer and its children",
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


def main():
    if os.geteuid():
        print("many binaries\n  left out: needs root")
        return
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        os.chmod(folder, 0o755)
        print("many binaries (medians of %d)" % ROUNDS)
        for count in (1, 30, 100):
            show_many(os.path.join(folder, "many"), count)
        show_descriptors(os.path.join(folder, "descriptors"), 500)


if __name__ == "__main__":
    main()
