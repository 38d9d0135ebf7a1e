#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a step costs the runner with steptrace, compared with other ways to report steps.

Each contender has its own runner (tests/bench/peers/loop.c). In every round each runner has one
turn, in random order. The figures are medians of the runner's processor time for a step. Absolute
figures change with the machine: compare ratios of one run. A contender that cannot run is listed
with the reason.
"""
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = sys.argv[1] if len(sys.argv) > 1 else "build"
LOOP = os.path.join(BUILD, "tests/bench/loop")
LOOP_LTTNG = os.path.join(BUILD, "tests/bench/loop_lttng")
ROUNDS, STEPS = 31, 2000
PATIENCE_S = 30

# The offsets are those of struct step_span in include/steptrace/record.h. bpftrace does not join
# string literals, so the format is joined here.
BPFTRACE_FORMAT = (
    r'{\"event\":\"dsl.step.executed\",\"execution_id\":\"%rx\",\"step_id\":\"%rx\",'
    r'\"step_type\":\"%s\",\"duration_ns\":%llu,\"mutations_count\":%llu,\"outcome\":%d,'
    r'\"index\":%d,\"name\":\"%s\",\"monotonic_ns\":%llu,\"pid\":%d,\"tid\":%d,\"cpu\":%d,'
    r'\"comm\":\"%s\"}\n')
BPFTRACE = r"""
usdt:%s:steptrace:step__done {
  $s = arg0;
  printf("%s",
    buf($s + 24, 16), buf($s + 56, 16), str($s + 128),
    *(uint64*)($s + 16) - *(uint64*)($s + 8), *(uint64*)($s + 96), *(uint8*)($s + 124),
    *(uint16*)($s + 120), str($s + 176), nsecs, pid, tid, cpu, comm);
}"""


class Skip(Exception):
    pass


def need(program):
    if not shutil.which(program):
        raise Skip("%s is not installed" % program)


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=PATIENCE_S, **options)
    if done.returncode:
        reason = (done.stdout.strip() or "failed").splitlines()[-1]
        raise Skip("%s: %s" % (" ".join(command[:3]), reason))
    return done.stdout


class Contender:
    """One way to report steps, with its own runner in its own folder. `begin` attaches a tracer."""
    way, probes, cost_of = "probes", 2, "a step"

    def __init__(self, folder):
        self.folder = os.path.join(folder, type(self).__name__)
        os.mkdir(self.folder)
        os.chmod(self.folder, 0o777)
        self.program = os.path.join(self.folder, "loop")
        self.ns, self.note, self.tracer = [], "", None
        shutil.copy(self.source(), self.program)
        self.runner = None

    def source(self):
        return LOOP

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self):
        files = [self.path("log")] if self.way in ("stdio", "write", "cjson") else []
        self.runner = subprocess.Popen([self.program, self.way, *files], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True,
                                       env=dict(os.environ, LTTNG_HOME=self.folder))
        self.begin()
        self.turn()

    def begin(self):
        pass

    def turn(self):
        self.runner.stdin.write("%d\n" % STEPS)
        self.runner.stdin.flush()
        return float(self.runner.stdout.readline())

    def end(self):
        """Ends the tracer. Returns (events, lost events), or None if they are not known."""
        return None

    def close(self):
        if self.runner:
            self.runner.stdin.close()
            self.runner.wait(PATIENCE_S)
        try:
            return self.end()
        finally:
            if self.tracer and self.tracer.poll() is None:
                self.tracer.kill()
                self.tracer.wait()

    def spawn(self, word, *command, stdout=subprocess.DEVNULL):
        """Starts a tracer and waits until it prints `word` on stderr."""
        self.tracer = subprocess.Popen(command, stdout=stdout, stderr=subprocess.PIPE, text=True)
        said = []
        for line in self.tracer.stderr:
            said.append(line)
            if word in line:
                return
        raise Skip("%s: %s" % (command[0], said[-1].strip() if said else "ended"))

    def interrupt(self):
        self.tracer.send_signal(signal.SIGINT)
        try:
            self.tracer.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.tracer.kill()
            self.tracer.wait()


class Nobody(Contender):
    title = "no tracer attached"


class Steptrace(Contender):
    title, site, arguments = "steptrace record -o FILE, 1-byte site", "nop1", ()

    def begin(self):
        self.spawn("attached to", os.path.join(BUILD, "steptrace"), "record", "-x", self.program,
                   "-o", self.path("events"), "--site", self.site, *self.arguments)

    def end(self):
        self.interrupt()
        with open(self.path("events"), encoding="utf-8") as file:
            last = json.loads(file.readlines()[-1])
        return last["events"], last["lost"]


class Steptrace5(Steptrace):
    title, site = "the same, 5-byte site", "nop5"


class SteptraceEnds(Steptrace):
    title, arguments = "the same, 1-byte site, --ends-only", ("--ends-only",)


class Bpftrace(Contender):
    title = "bpftrace, step__done only, the same fields"

    def begin(self):
        need("bpftrace")
        script = self.path("script.bt")
        with open(script, "w", encoding="utf-8") as file:
            file.write(BPFTRACE % (self.program, BPFTRACE_FORMAT))
        self.out = open(self.path("events"), "wb")
        settings = dict(os.environ, BPFTRACE_STRLEN="64", BPFTRACE_PERF_RB_PAGES="4096")
        self.tracer = subprocess.Popen(["bpftrace", "-p", str(self.runner.pid), script],
                                       stdout=self.out, stderr=subprocess.PIPE, env=settings)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.tracer.poll() is not None:
                said = self.tracer.stderr.read().decode().strip()
                raise Skip("bpftrace: " + said.splitlines()[-1][:100])
            self.runner.stdin.write("1\n")
            self.runner.stdin.flush()
            self.runner.stdout.readline()
            if os.path.getsize(self.path("events")) > 100:
                return
            time.sleep(0.05)
        raise Skip("bpftrace never printed anything")

    def end(self):
        self.tracer.send_signal(signal.SIGINT)
        try:
            self.tracer.wait(5)
        except subprocess.TimeoutExpired:
            self.tracer.kill()
            self.tracer.wait()
        with open(self.path("events"), "rb") as file:
            events = sum(line.startswith(b'{"event"') for line in file)
        return events, max(0, (ROUNDS + 1) * STEPS - events)


class Perf(Contender):
    title = "perf record, step__done only, no fields"
    tracefs = "/sys/kernel/tracing"

    def perf(self, *arguments):
        return run("perf", "--buildid-dir", self.path("buildids"), *arguments)

    def begin(self):
        need("perf")
        self.mounted = not os.path.exists(self.tracefs + "/uprobe_events")
        if self.mounted:
            run("mount", "-t", "tracefs", "tracefs", self.tracefs)
        self.perf("buildid-cache", "--add", self.program)
        self.perf("probe", "-x", self.program, "%sdt_steptrace:step__done")
        self.tracer = subprocess.Popen(["perf", "record", "-q", "-m", "16M",
                                        "-e", "sdt_steptrace:step__done",
                                        "-p", str(self.runner.pid), "-o", self.path("data")],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        before = self.turn()
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.turn() > 20 * before:
                return
            time.sleep(0.05)
        raise Skip("perf record never fired")

    def end(self):
        if self.tracer:
            self.interrupt()
        try:
            if not os.path.exists(self.path("data")):
                return None
            start = time.monotonic()
            lines = run("perf", "script", "-i", self.path("data")).count("step__done")
            each_ns = (time.monotonic() - start) * 1e9 / max(lines, 1)
            self.note = "perf script then takes %.0f ns an event" % each_ns
            return lines, None
        finally:
            subprocess.run(["perf", "probe", "-q", "-d", "sdt_steptrace:step__done"],
                           stderr=subprocess.DEVNULL, check=False)
            if self.mounted:
                subprocess.run(["umount", self.tracefs], check=False)


class Lttng(Contender):
    title, way, probes = "LTTng-UST tracepoint, in the runner", "lttng", 0

    def source(self):
        return LOOP_LTTNG if os.path.exists(LOOP_LTTNG) else LOOP

    def start(self):
        need("lttng")
        if self.source() == LOOP:
            raise Skip("LTTng-UST's headers are not installed")
        self.home = dict(os.environ, LTTNG_HOME=self.folder)
        self.tracer = subprocess.Popen(["lttng-sessiond", "--no-kernel"], env=self.home,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while subprocess.run(["lttng", "list"], env=self.home, capture_output=True,
                             check=False).returncode:
            if time.monotonic() > deadline or self.tracer.poll() is not None:
                raise Skip("lttng-sessiond does not start (another one may run)")
            time.sleep(0.1)
        for command in (("create", "bench", "--output=" + self.path("out")),
                        ("enable-channel", "-u", "c", "--subbuf-size=4M", "--num-subbuf=8"),
                        ("enable-event", "-u", "-c", "c", "steptrace_bench:*"), ("start",)):
            run("lttng", *command, env=self.home)
        super().start()

    def end(self):
        if not self.runner:
            return None
        run("lttng", "stop", env=self.home)
        run("lttng", "destroy", env=self.home)
        self.tracer.terminate()
        self.tracer.wait(PATIENCE_S)
        return None


class Stdio(Contender):
    title, way, probes = "a line of JSON in the runner, buffered", "stdio", 0


class Write(Contender):
    title, way, probes = "a line of JSON in the runner, one write each", "write", 0


class Cjson(Contender):
    title, way, probes = "the same built by cJSON, buffered", "cjson", 0


KINDS = (Nobody, Steptrace, Steptrace5, SteptraceEnds, Bpftrace, Perf, Lttng, Stdio, Write, Cjson)


def measure(folder):
    contenders = []
    for kind in KINDS:
        contender = kind(folder)
        try:
            contender.start()
            contenders.append(contender)
        except (Skip, OSError, subprocess.TimeoutExpired) as reason:
            print("  %-46s  left out: %s" % (kind.title, reason))
            try:
                contender.close()
            except (Skip, OSError):
                pass
    for _ in range(ROUNDS):
        random.shuffle(contenders)
        for contender in contenders:
            contender.ns.append(contender.turn())
    contenders.sort(key=lambda contender: KINDS.index(type(contender)))
    counts = {}
    for contender in contenders:
        try:
            counts[type(contender)] = contender.close()
        except (Skip, OSError) as reason:
            contender.note = str(reason)
    return contenders, counts


TARGETS = (
    ("a boundary compared with one of bpftrace's", Bpftrace, 2, 0.1),
    ("a boundary compared with a buffered line", Stdio, 2, 1),
    ("a step compared with a line of its own write", Write, 1, 1),
)


def show_targets(medians, kind):
    for words, other, boundaries, limit in TARGETS:
        if kind in medians and other in medians:
            value = medians[kind] / boundaries / medians[other]
            print("  %-66s %5.2f   (target: at most %.2f, %s)"
                  % ("%s (%s)" % (words, kind.site), value, limit,
                     "met" if value <= limit else "missed"))


def show(contenders, counts):
    medians = {type(one): statistics.median(one.ns) for one in contenders}
    for one in contenders:
        count = counts.get(type(one))
        line = "  %-46s %9.1f ns" % (one.title, medians[type(one)])
        if Steptrace in medians:
            line += "  %6.2f x steptrace" % (medians[type(one)] / medians[Steptrace])
        if count:
            line += "  %d events" % count[0]
        if count and count[1] is not None:
            line += ", %d lost" % count[1]
        print(line + ("  (%s)" % one.note if one.note else ""))
    show_targets(medians, Steptrace)
    show_targets(medians, Steptrace5)


def main():
    print("what a step costs the runner, for each way to report it (its processor time)")
    if os.geteuid():
        print("  left out: needs root")
        return
    with tempfile.TemporaryDirectory(prefix="steptrace-bench-") as folder:
        os.chmod(folder, 0o755)
        show(*measure(folder))


if __name__ == "__main__":
    main()
