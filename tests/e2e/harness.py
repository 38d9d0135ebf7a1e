# SPDX-License-Identifier: BSD-2-Clause
"""What the end-to-end tests share: a runner that takes orders, a tracer, and the events it wrote.

Tests wait for a word, never for a second. Every line that a tracer writes is validated against
docs/schema before a test sees it.
"""
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("STEPTRACE_BUILD", os.path.join(ROOT, "build"))
STEPTRACE = os.path.join(BUILD, "steptrace")
STEPRUN = os.path.join(BUILD, "steprun")
PACKS = os.path.join(ROOT, "tests", "packs")
PATIENCE_S = float(os.environ.get("STEPTRACE_PATIENCE", 60))

sys.path.insert(0, os.path.join(ROOT, "tests"))
import validate  # noqa: E402


def target(name):
    return os.path.join(BUILD, "tests", name)


def copy_of(directory, *names):
    """Copies of programs of our own in `directory`: other inodes, so that no other recording and no
    other runner of the machine has to do with them. Returns the path of the first."""
    for name in names:
        shutil.copy(target(name), directory)
    return os.path.join(directory, names[0])


def compiled(path, *flags, source="spans"):
    """A target of ours, compiled in another way."""
    subprocess.run(["gcc", "-O2", "-I", os.path.join(ROOT, "usdt"), "-D_GNU_SOURCE", *flags, "-o", path,
                    os.path.join(ROOT, "tests", "targets", source + ".c"), "-lpthread"], check=True)
    return path


class Lines:
    """The lines of a pipe, waited for with patience but not for ever. The pipe is unbuffered:
    select() knows nothing of what lies in a buffer."""

    def __init__(self, pipe, whose):
        self.pipe, self.whose, self.partial = pipe, whose, ""
        self.selector = selectors.DefaultSelector()
        self.selector.register(pipe, selectors.EVENT_READ)

    def next(self, deadline):
        while "\n" not in self.partial:
            if not self.selector.select(max(0, deadline - time.monotonic())):
                return None
            data = os.read(self.pipe.fileno(), 65536)
            if not data:
                return None
            self.partial += data.decode("utf-8", "replace")
        line, self.partial = self.partial.split("\n", 1)
        return line

    def until(self, word):
        """All lines up to the one that contains `word`; an error when that never comes."""
        deadline = time.monotonic() + PATIENCE_S
        lines = []
        while True:
            line = self.next(deadline)
            if line is None:
                raise AssertionError("%s never said %r, but: %s"
                                     % (self.whose, word, "\n".join(lines + [self.partial])))
            lines.append(line)
            if word in line:
                return lines

    def so_far(self):
        """What is there, without waiting."""
        lines, line = [], self.next(0)
        while line is not None:
            lines.append(line)
            line = self.next(0)
        return lines

    def rest(self):
        """What comes until its end."""
        lines, deadline = [], time.monotonic() + PATIENCE_S
        while not self.pipe.closed:
            line = self.next(deadline)
            if line is None:
                self.selector.close()
                self.pipe.close()
                return lines + ([self.partial] if self.partial else [])
            lines.append(line)
        return lines


class Runner:
    """tests/targets/spans.c (or a program like it, a path or a list of arguments) under our
    command."""

    def __init__(self, program=None, **options):
        arguments = program if isinstance(program, list) else [program or target("spans")]
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        bufsize=0, **options)
        self.pid = self.process.pid
        self.lines = Lines(self.process.stdout, "the runner")

    def order(self, words):
        """Sends the order without waiting for the answer."""
        self.process.stdin.write(words.encode() + b"\n")

    def do(self, words):
        self.order(words)
        return self.lines.until("ok")[:-1]

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(PATIENCE_S)
        self.lines.rest()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class Tracer:
    """A running `steptrace record`, attached when the constructor returns."""

    running = []  # what a test that failed leaves behind

    def __init__(self, *arguments, **options):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.path = os.path.join(self.directory.name, "events.ndjson")
        self.process = subprocess.Popen(
            [STEPTRACE, "record", "-o", self.path, *arguments], stderr=subprocess.PIPE, bufsize=0,
            **options)
        Tracer.running.append(self.process)
        self.lines = Lines(self.process.stderr, "steptrace")
        self.words = self.lines.until("attached to")

    def written(self, *words):
        """The first line of the output with all of the words; waits for it."""
        deadline, at = time.monotonic() + PATIENCE_S, 0
        with open(self.path, encoding="utf-8") as file:
            while time.monotonic() < deadline:
                line = file.readline()
                if not line.endswith("\n"):
                    file.seek(at)
                    time.sleep(0.002)  # a file cannot be waited for
                    continue
                at = file.tell()
                if all(word in line for word in words):
                    return line
        raise AssertionError("no line with %r" % (words,))

    def wait(self):
        """Its own end; returns the exit status."""
        self.words += self.lines.rest()
        return self.process.wait(PATIENCE_S)

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        status = self.wait()
        assert status == 0, "steptrace ended with %d: %s" % (status, "\n".join(self.words))
        return self.events()

    def events(self):
        events = read_events(self.path)
        self.directory.cleanup()
        return events


def wait_until(condition, what):
    """For what nobody says: asks again and again, with the same patience."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("never: " + what)
        time.sleep(0.005)


def read_events(path):
    with open(path, encoding="utf-8", errors="strict") as file:
        lines = file.readlines()
    assert not lines or lines[-1].endswith("\n"), "the last line is torn"
    problems = validate.validate_lines(lines)
    assert not problems, "\n".join(str(problem) for problem in problems[:10])
    return [json.loads(line) for line in lines]


def record(orders, *arguments, program=None):
    """The events of a runner that was traced by pid while it did what it was told."""
    with Runner(program) as runner:
        tracer = Tracer("-p", str(runner.pid), *arguments)
        answers = [runner.do(words) for words in orders]
        return tracer.stop(), answers


def run(*arguments, **options):
    """steptrace to its end: (exit status, stdout, stderr)."""
    options.setdefault("timeout", PATIENCE_S)
    done = subprocess.run([STEPTRACE, *arguments], capture_output=True, text=True, **options)
    return done.returncode, done.stdout, done.stderr


def of_kind(events, name):
    return [event for event in events if event["event"] == name]


def started(events):
    return of_kind(events, "command.execution.started")


def steps(events):
    return of_kind(events, "dsl.step.executed")


def completed(events):
    return of_kind(events, "command.execution.completed")


def aborted(events):
    """Of commands that a process left open, and of their steps."""
    return [event for event in events if event.get("outcome") == "aborted"]


def runner_events(events):
    return [event for event in events if not event["event"].startswith("trace.")]


def of_exe(events, path):
    """Attachments and detachments of that binary."""
    return [event for event in events if event.get("exe", "").startswith(path)]


def of_process(events, *pids):
    return [event for event in runner_events(events) if event["source"]["pid"] in pids]


def cpu_seconds(pid):
    """User and system time of the process so far."""
    with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def check_books(test, events):
    """hits = events + lost, and the events are the lines that are there, but for those of commands
    that a process left open."""
    stopped = events[-1]
    test.assertEqual(stopped["event"], "trace.stopped")
    test.assertEqual(stopped["events"] + stopped["aborted"], len(runner_events(events)))
    test.assertEqual(stopped["aborted"], len(aborted(events)))
    test.assertEqual(stopped["hits"], stopped["events"] + sum(stopped["lost"].values())
                     + sum(stopped["filtered"].values()))
    test.assertEqual(sum(stopped["lost"].values()), sum(stopped["lost_by_reason"].values()))
    return stopped


class EndToEnd(unittest.TestCase):
    maxDiff = 4000

    def tearDown(self):
        for process in Tracer.running:
            if process.poll() is None:
                process.kill()
                process.wait()
        Tracer.running.clear()


class Scenario(EndToEnd):
    """A test with a folder of its own."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.addCleanup(holder.cleanup)
        self.directory = holder.name
