#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `steptrace profile` costs: at a context switch of a traced thread and of any other thread,
and when many threads run. Next to no tracer, `latency --breakdown` and bpftrace.

The cases take turns. Absolute times change with the machine and its load.
"""
import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import threading
import time

from tracing import BUILD, Program, Tracer, show

HERE = os.path.dirname(os.path.abspath(__file__))
TRACEFS = "/sys/kernel/tracing"
STATISTICS = "/proc/sys/kernel/bpf_stats_enabled"
TURNS, REPEATS, SWITCHES = 9, 5, 2000
STACK_BYTES = 12000  # what steps of steprun have in use, about
MANY_HZ, MANY_THREADS = 4999, 4
PATIENCE_S = 10
BUSY_TURNS = 2 if os.environ.get("BENCH_DRAINS") == "1" else 5  # 1: only whether it runs
BUSY_THREADS, BUSY_MS = 100, 4000
OFF_FP, OFF_16K = "profile --off-cpu, fp", "profile --off-cpu, dwarf,16K"


class Bpftrace:
    """A script of tests/bench/peers that is attached."""

    def __init__(self, script, pid):
        self.process = subprocess.Popen(["bpftrace", os.path.join(HERE, "peers", script), str(pid)],
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        if not any("attached" in line for line in self.process.stdout):
            raise SystemExit("bench: bpftrace does not run " + script)

    def end(self):
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:  # it ignores signals at some moments
            self.process.kill()
            self.process.communicate()


def profile(program, *arguments):
    return lambda: Tracer("-x", program.path, "-o", "/dev/null", *arguments, command=("profile",))


def in_turns(cases, measure, turns):
    """`cases`: functions that start a tracer, by name; None: no tracer. `measure` is given the
    tracer. Returns the values by name."""
    told = {name: [] for name in cases}
    for _ in range(turns):
        for name, start in cases.items():
            tracer = start() if start else None
            told[name].append(measure(tracer))
            if tracer:
                tracer.end()
    return told


def verdict(met):
    return "met" if met else "missed"


# ---- context switches

def least_ns(program, order):
    """Other load disturbs the least of several times least."""
    return min(float(program.ask("%s %d %d" % (order, SWITCHES, STACK_BYTES)))
               for _ in range(REPEATS))


def off_cpu_cases(program):
    cases = {"no tracer": None,
             "latency --breakdown": lambda: Tracer("-x", program.path, "--breakdown",
                                                   command=("latency",))}
    for unwind in ("fp", "dwarf,2K", "dwarf,4K", "dwarf,8K", "dwarf,16K"):
        cases["profile --off-cpu, " + unwind] = profile(program, "--off-cpu", "--unwind", unwind)
    for unwind in ("fp", "dwarf,8K", "dwarf,16K"):
        cases["the same, each switch sent, " + unwind] = profile(
            program, "--off-cpu", "--unwind", unwind, "--min-blocked", "0")
    if shutil.which("bpftrace"):
        cases["bpftrace, ustack (offcpu.bt)"] = lambda: Bpftrace("offcpu.bt", program.pid)
    else:
        print("    bpftrace is not installed: left out")
    return cases


def show_cases(title, told):
    print("  " + title)
    nothing = told["no tracer"]
    more = {}
    for name, values in told.items():
        more[name] = statistics.median(one - base for one, base in zip(values, nothing))
        show(name, values, "ns", "" if values is nothing else "   %+.0f ns" % more[name])
    return more


def show_switches(folder):
    traced = Program(os.path.join(folder, "traced"), "handing")
    other = Program(os.path.join(folder, "other"), "handing")
    told = in_turns(off_cpu_cases(traced),
                    lambda _: (least_ns(traced, "inside"), least_ns(other, "switch")), TURNS)
    traced.end()
    other.end()
    inside, outside = ({name: [value[side] for value in values] for name, values in told.items()}
                       for side in (0, 1))
    more = show_cases("a switch of a traced thread, in a step", inside)
    for name in (OFF_FP, OFF_16K):
        print("    target for %s: at most 1500 ns more, %s" % (name, verdict(more[name] <= 1500)))
    more = show_cases("a switch of a process that is not traced", outside)
    print("    target: at most 100 ns more, %s" % verdict(more[OFF_FP] <= 100))


# ---- many threads that run

def tree_of(pid):
    """The process and its descendants."""
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for thread in os.listdir("/proc/%d/task" % each):
                with open("/proc/%d/task/%s/children" % (each, thread), encoding="ascii") as file:
                    found += [int(word) for word in file.read().split()]
    return found


def processor_ns(pid):
    """Processor time of the process and its descendants, user space and kernel. A child may end
    meanwhile."""
    total = 0
    for each in tree_of(pid):
        with contextlib.suppress(OSError):
            for thread in os.listdir("/proc/%d/task" % each):
                with open("/proc/%d/task/%s/schedstat" % (each, thread), encoding="ascii") as file:
                    total += int(file.read().split()[0])
    return total


def program_ns(pid):
    """How long the BPF programs of the process have run, on all processors."""
    found = {}
    for fd in os.listdir("/proc/%d/fdinfo" % pid):
        with contextlib.suppress(OSError), open("/proc/%d/fdinfo/%s" % (pid, fd),
                                                encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file)
            if "run_time_ns" in fields:
                found[fields["prog_id"].strip()] = int(fields["run_time_ns"])
    return sum(found.values())


class Busy:
    """What the tracer costs while the threads run."""

    def __init__(self, program):
        self.program = program

    def __call__(self, tracer):
        """(ns of processor time for one round of work; of the tracer, and of its programs in the
        kernel, as shares of one processor)"""
        pid = tracer.process.pid if tracer else None
        before = (processor_ns(pid), program_ns(pid)) if pid else (0, 0)
        start = time.monotonic_ns()
        rounds, took_ns = self.program.ask("busy %d %d %d" % (BUSY_THREADS, BUSY_MS, STACK_BYTES)
                                           ).split()
        wall_ns = time.monotonic_ns() - start
        after = (processor_ns(pid), program_ns(pid)) if pid else (0, 0)
        return (int(took_ns) / int(rounds), (after[0] - before[0]) / wall_ns,
                (after[1] - before[1]) / wall_ns)


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


@contextlib.contextmanager
def statistics_enabled():
    """The kernel measures how long BPF programs run."""
    with open(STATISTICS, encoding="ascii") as file:
        before = file.read()
    write(STATISTICS, "1")
    try:
        yield
    finally:
        write(STATISTICS, before)


def show_busy(folder):
    program = Program(os.path.join(folder, "busy"), "handing")
    cases = {"no tracer": None,
             "latency": lambda: Tracer("-x", program.path, command=("latency",))}
    for unwind in ("fp", "dwarf,8K", "dwarf,16K"):
        cases["profile --on-cpu, " + unwind] = profile(program, "--on-cpu", "--unwind", unwind)
    if shutil.which("bpftrace"):
        cases["bpftrace, profile:hz:99 (oncpu.bt)"] = lambda: Bpftrace("oncpu.bt", program.pid)
    with statistics_enabled():
        told = in_turns(cases, Busy(program), BUSY_TURNS)
    program.end()
    print("  99 samples a second of each of %d processors, while %d threads run in steps"
          % (os.cpu_count(), BUSY_THREADS))
    print("    %-38s %14s %14s %10s %12s" % ("share of one core", "tracer", "BPF programs", "sum",
                                             "slow-down"))
    base = [value[0] for value in told["no tracer"]]
    shares = {}
    for name, values in told.items():
        slower = statistics.median(one[0] / each - 1 for one, each in zip(values, base))
        tracer, programs = (statistics.median(one[column] for one in values) for column in (1, 2))
        shares[name] = tracer + programs
        print("    %-38s %12.2f %% %12.2f %% %8.2f %% %10.1f %%" % (
            name, 100 * tracer, 100 * programs, 100 * shares[name], 100 * slower))
    print("    (the slow-down contains the interrupts; other load on the machine disturbs it)")
    for unwind, limit in (("fp", 0.01), ("dwarf,16K", 0.05)):
        print("    target with %-10s under %.0f %% of a core, %s" % (
            unwind + ":", 100 * limit, verdict(shares["profile --on-cpu, " + unwind] < limit)))


# ---- many stacks

def used_s(command, **options):
    """Processor time of a command and its children, after it has ended."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    usage = os.wait4(process.pid, 0)[2]
    process.returncode = 0
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def busy_threads(program):
    busy = threading.Thread(target=program.ask, args=("busy %d %d %d" % (
        MANY_THREADS, BUSY_MS, STACK_BYTES),))
    busy.start()
    while busy.is_alive() and len(os.listdir("/proc/%d/task" % program.pid)) <= MANY_THREADS:
        os.sched_yield()
    yield
    busy.join()


def steptrace_us(program, folder):
    """(microseconds of steptrace for one sample, samples), with its start and the names."""
    path = os.path.join(folder, "folded")
    command = [os.path.join(BUILD, "steptrace"), "profile", "-x", program.path, "--on-cpu",
               "--unwind", "dwarf,16K", "--frequency", str(MANY_HZ), "-o", path,
               "--duration", "%dms" % (BUSY_MS / 2)]
    with busy_threads(program):
        seconds = used_s(command, stdout=subprocess.DEVNULL)
    with open(path, encoding="utf-8") as file:
        samples = sum(int(line.rsplit(" ", 1)[1]) for line in file) / (1e6 / MANY_HZ)
    return seconds * 1e6 / samples, samples


def perf_us(program, folder):
    """The same of `perf script`, without `perf record`."""
    path = os.path.join(folder, "data")
    with busy_threads(program):
        subprocess.run(["perf", "record", "-q", "-e", "task-clock", "-F", str(MANY_HZ // 10),
                        "--call-graph", "dwarf,16384", "-p", str(program.pid), "-o", path,
                        "--", "sleep", "2"], stderr=subprocess.DEVNULL, check=True)
    with open(os.path.join(folder, "text"), "w+", encoding="utf-8") as text:
        seconds = used_s(["perf", "script", "-i", path], stdout=text)
        text.seek(0)
        samples = sum("task-clock" in line for line in text)
    return seconds * 1e6 / max(samples, 1), samples


def show_many(folder):
    program = Program(os.path.join(folder, "many"), "handing")
    print("  unwinding copied stacks of 16K, and names, with all processor time that it takes")
    for name, measure in (("steptrace profile, %d Hz" % MANY_HZ, steptrace_us),
                          ("perf script", perf_us)):
        if measure is perf_us and not shutil.which("perf"):
            print("    perf is not installed: left out")
            continue
        each_us, samples = measure(program, folder)
        print("    %-38s %8.1f us a stack, %8.0f stacks a second  (%d stacks)"
              % (name, each_us, 1e6 / each_us, samples))
    program.end()


# ----

@contextlib.contextmanager
def tracefs():
    """bpftrace needs it; steptrace does not."""
    mounts = not os.path.exists(TRACEFS + "/events") and shutil.which("bpftrace")
    if mounts:
        subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACEFS], check=True)
    try:
        yield
    finally:
        if mounts:
            subprocess.run(["umount", TRACEFS], check=False)


def main():
    print("what steptrace profile costs (%s)" % BUILD)
    if os.geteuid():
        print("  left out: needs root")
        return
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder, tracefs():
        os.chmod(folder, 0o755)
        show_switches(folder)
        show_busy(folder)
        show_many(folder)


if __name__ == "__main__":
    main()
