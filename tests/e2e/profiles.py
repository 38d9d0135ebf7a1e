# SPDX-License-Identifier: BSD-2-Clause
"""Runs `steptrace profile` beside a runner (tests/targets/profiled.c), and reads what it wrote.

    with Runner(target("profiled")) as runner:
        profiler = Profiler("-p", str(runner.pid))
        truth = truths(runner.do("sleep 50"))
        profile = profiler.stop()
    profile.ns(state="sleep", has="sleep_here")
"""
import os
import re
import signal
import subprocess
import tempfile

from harness import PATIENCE_S, STEPTRACE, Lines, Tracer
from measuring import Disturbed

STATES = ("disk", "lock", "network", "sleep", "pipe", "other", "runnable")
CALLERS = ["first_caller", "second_caller", "third_caller", "fourth_caller"]


class Row:
    """One line of the format folded: "command;step;main;leaf;read_[k];[pipe] 1234"."""

    def __init__(self, line):
        path, micros = line.rsplit(" ", 1)
        names = path.split(";")
        self.us = int(micros)
        self.state = "on-cpu"
        if names[-1].strip("[]") in STATES and names[-1].startswith("["):
            self.state = names.pop()[1:-1]
        self.is_cut = "[cut]" in names
        self.names = [name for name in names if name != "[cut]"]
        self.kernel = [name[:-4] for name in self.names if name.endswith("_[k]")]
        self.path = [name for name in self.names if not name.endswith("_[k]")]
        self.command = self.path[0]

    def has(self, *functions):
        """Whether these are functions of the program, in this order and without others between."""
        count = len(functions)
        return any(self.path[at:at + count] == list(functions)
                   for at in range(len(self.path) - count + 1))


class Profile:
    """The rows of a profile."""

    def __init__(self, text):
        assert not text or text.endswith("\n"), "the last line is torn: %r" % text[-80:]
        self.text = text
        self.rows = [Row(line) for line in text.splitlines()]

    def of(self, *functions, state=None, command=None, step=None, cut=None):
        """The rows with these functions in this order. `step` is "" for none."""
        return [row for row in self.rows
                if row.has(*functions) and state in (None, row.state)
                and command in (None, row.command) and cut in (None, row.is_cut)
                and (step is None or (row.path[1:2] == [step]))]

    def us(self, *functions, **members):
        return sum(row.us for row in self.of(*functions, **members))

    def states(self, *functions):
        """The time of each state in these functions."""
        found = {}
        for row in self.of(*functions):
            found[row.state] = found.get(row.state, 0) + row.us
        return found

    def main_state(self, *functions):
        """The state with most of the time."""
        found = self.states(*functions)
        return max(found, key=found.get) if found else None


class Profiler:
    """A running `steptrace profile`, attached when the constructor returns. `output`: the file;
    without one it is made."""

    def __init__(self, *arguments, output=None, waits=True, **options):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.path = output or os.path.join(self.directory.name, "profile.folded")
        self.process = subprocess.Popen(
            [STEPTRACE, "profile", "-o", self.path, *arguments], stderr=subprocess.PIPE, bufsize=0,
            **options)
        Tracer.running.append(self.process)
        self.pid = self.process.pid
        self.lines = Lines(self.process.stderr, "steptrace profile")
        self.words = self.lines.until("attached to") if waits else []

    def end(self, how=None):
        """Waits for the end; returns the exit status."""
        if how:
            self.process.send_signal(how)
        self.words += self.lines.rest()
        return self.process.wait(PATIENCE_S)

    def said(self):
        return "\n".join(self.words)

    def read(self):
        with open(self.path, encoding="utf-8", errors="strict") as file:
            return file.read()

    def ended(self):
        """Waits until it ends by itself, with success."""
        status = self.end()
        assert status == 0, "steptrace profile ended with %d: %s" % (status, self.said())
        return Profile(self.read())

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.ended()

    def counted(self, words):
        """The number before these words in what it said; 0 if it said no such thing."""
        found = re.search(r"(\d+)%s" % re.escape(words), self.said())
        return int(found.group(1)) if found else 0


def truths(lines):
    """What a runner measured of its steps: [(wall, cpu)] in microseconds."""
    return [tuple(int(number) / 1000 for number in line.split()[1:3]) for line in lines
            if line.startswith("truth")]


def check_close(us, expected_us, what, part=0.05):
    """Within five percent, unless said otherwise."""
    if abs(us - expected_us) > expected_us * part:
        raise Disturbed("%s: %d us instead of %d us" % (what, us, expected_us))
