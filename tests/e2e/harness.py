# SPDX-License-Identifier: BSD-2-Clause
"""What the end-to-end tests share: a runner that takes orders, a tracer, and the events it wrote.

Tests wait for a word, never for a second. What a tracer writes is validated against docs/schema
before a test sees it: every line of a short recording, some hundred lines of a long one.

Other tracers may run on the machine at the same time, and other tests. A test that runs a program
of tests/targets gets its own copy of the file, whose probes are not used by other tests. Only a
recorder with --all attaches to them as well and raises the semaphore.
"""
import contextlib
import errno
import json
import os
import secrets
import select
import selectors
import shutil
import signal
import struct
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
# How long a test waits for one thing before it fails. No test takes longer because of it.
PATIENCE_S = float(os.environ.get("STEPTRACE_PATIENCE", 240))

sys.path.insert(0, os.path.join(ROOT, "tests"))
import validate  # noqa: E402


def built(name):
    """A program of tests/targets in the build folder."""
    return os.path.join(BUILD, "tests", name)


class OwnPrograms:
    """The folder with the copies of the test that is running."""

    directory, token = None, secrets.token_hex(3)
    # What a program loads from its own folder.
    BESIDE = {"dlopener": ("libcarrier.so",), "mapper": ("libcarrier.so",)}

    @classmethod
    @contextlib.contextmanager
    def of_one_test(cls):
        with tempfile.TemporaryDirectory(prefix="steptrace-test-") as cls.directory:
            os.chmod(cls.directory, 0o755)
            cls.token = secrets.token_hex(3)
            try:
                yield
            finally:
                cls.directory = None

    @classmethod
    def copy(cls, name):
        path = os.path.join(cls.directory, name)
        if not os.path.exists(path):
            shutil.copy(built(name), path)
            for other in cls.BESIDE.get(name, ()):
                cls.copy(other)
        return path


def target(name):
    """The path of a program of tests/targets: the same one within a test, another file (another
    inode) in each test."""
    return OwnPrograms.copy(name) if OwnPrograms.directory else built(name)


def named(name):
    """A name that only processes of this test have; with at most eight letters before it the kernel
    keeps all of it as their comm."""
    return name if name.endswith(".so") else "%s-%s" % (name, OwnPrograms.token)


def everyone():
    """Arguments for a recording of all processes of the machine, of which those of this test make
    events: they execute files with a name from named(). Others may be busy enough to fill the
    buffer."""
    return ["-a", "--comm", "*-%s*" % OwnPrograms.token]


def with_newer_tags(path):
    """Changes the version in the note "steptrace" of a program, from 1 to 2."""
    with open(path, "rb") as file:
        program = file.read()
    note = struct.pack("<III12s", 10, 4, 1, b"steptrace")
    assert program.count(note) == 1
    at = program.index(note) + len(note)
    with open(path, "wb") as file:
        file.write(program[:at] + struct.pack("<I", 2) + program[at + 4:])
    return path


def copy_of(directory, *names):
    """Copies of programs of tests/targets in `directory`, for a test that needs two files of one
    program, removes or changes a file, or records everyone(). Returns the path of the first."""
    paths = [shutil.copy(built(name), os.path.join(directory, named(name))) for name in names]
    return paths[0]


def overwrite(path, source):
    """As cp(1) does it: the inode stays. The file of a program that has ended is busy a moment
    longer if another process, such as a tracer, was reading its /proc/PID/maps."""
    inode = os.stat(path).st_ino

    def is_written():
        try:
            shutil.copyfile(source, path)
        except OSError as error:
            if error.errno != errno.ETXTBSY:
                raise
            return False
        return True

    wait_until(is_written, "%s is not executed any more" % path)
    assert os.stat(path).st_ino == inode


def compiled(path, *flags, source="spans"):
    """A program of tests/targets, compiled with other flags."""
    subprocess.run(["gcc", "-O2", "-I", os.path.join(ROOT, "usdt"), "-D_GNU_SOURCE", *flags,
                    "-o", path, os.path.join(ROOT, "tests", "targets", source + ".c"), "-lpthread"],
                   check=True)
    return path


class Lines:
    """The lines of a pipe. Waits at most PATIENCE_S for one. The pipe must be unbuffered, because
    select() does not see what lies in a buffer of Python."""

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
        """The lines that can be read without waiting."""
        lines, line = [], self.next(0)
        while line is not None:
            lines.append(line)
            line = self.next(0)
        return lines

    def rest(self):
        """The lines until the end of the pipe."""
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
    """A process of tests/targets/spans.c that takes orders. `program` is the path or the argument
    list of another program that takes orders in the same way."""

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

    def semaphore(self):
        """The number of probes of the process that any tracer has attached to."""
        return int(self.do("semaphore")[0].split()[1])

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

    running = []  # a test that fails leaves processes behind: EndToEnd.run() ends them

    def __init__(self, *arguments, **options):
        self.directory = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.path = os.path.join(self.directory.name, "events.ndjson")
        self.process = subprocess.Popen(
            [STEPTRACE, "record", "-o", self.path, *arguments], stderr=subprocess.PIPE, bufsize=0,
            **options)
        Tracer.running.append(self.process)
        self.lines = Lines(self.process.stderr, "steptrace")
        self.words = self.lines.until("attached to")

    def freeze(self):
        """Stops the process; returns when it has stopped."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def has_written(self, *words):
        """Whether the output has a whole line with all of the words."""
        with open(self.path, encoding="utf-8") as file:
            return any(line.endswith("\n") and all(word in line for word in words)
                       for line in file)

    def text(self):
        """What the output has so far."""
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def written(self, *words):
        """Waits for a line of the output with all of the words; returns the first."""
        deadline, at = time.monotonic() + PATIENCE_S, 0
        with open(self.path, encoding="utf-8") as file:
            while time.monotonic() < deadline:
                line = file.readline()
                if not line.endswith("\n"):
                    file.seek(at)
                    time.sleep(0.002)  # nothing tells that a file has grown
                    continue
                at = file.tell()
                if all(word in line for word in words):
                    return line
        raise AssertionError("no line with %r" % (words,))

    def wait(self):
        """Waits until the tracer ends by itself; returns the exit status."""
        self.words += self.lines.rest()
        return self.process.wait(PATIENCE_S)

    def ended(self):
        """Waits until the tracer ends by itself, with success; returns the events."""
        status = self.wait()
        assert status == 0, "steptrace ended with %d: %s" % (status, "\n".join(self.words))
        return self.events()

    def stop(self, how=signal.SIGINT):
        self.process.send_signal(how)
        return self.ended()

    def events(self):
        events = read_events(self.path)
        self.directory.cleanup()
        return events


def wait_until(condition, what):
    """For a condition that no process announces: evaluates it again and again, for PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("never: " + what)
        time.sleep(0.005)


def is_full(pipe):
    """Whether a writer of the pipe would have to wait."""
    writer = os.open("/proc/self/fd/%d" % pipe.fileno(), os.O_WRONLY | os.O_NONBLOCK)
    try:
        return not select.select([], [writer], [], 0)[1]
    finally:
        os.close(writer)


VALIDATED = 500  # lines of a recording, about: the schema library takes a millisecond for each


def read_events(path):
    with open(path, encoding="utf-8", errors="strict") as file:
        lines = file.readlines()
    assert not lines or lines[-1].endswith("\n"), "the last line is torn"
    problems = validate.validate_lines(lines[::len(lines) // VALIDATED + 1] + lines[-1:])
    assert not problems, "\n".join(str(problem) for problem in problems[:10])
    return [json.loads(line) for line in lines]


def record(orders, *arguments, program=None):
    """Records a runner by its pid while it executes the orders. Returns the events and the answers
    of the runner."""
    with Runner(program) as runner:
        tracer = Tracer("-p", str(runner.pid), *arguments)
        answers = [runner.do(words) for words in orders]
        return tracer.stop(), answers


def record_the_rest(*arguments):
    """Records a runner by its pid from the middle of a command on: a step, and the end. Returns the
    events."""
    with Runner() as runner:
        runner.do("open")
        tracer = Tracer("-p", str(runner.pid), *arguments)
        runner.do("step 0")
        runner.do("close")
        return tracer.stop()


def run(*arguments, **options):
    """Runs steptrace to its end: (exit status, stdout, stderr)."""
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
    """The events of commands that a process left open when it ended, and of their steps. A runner
    may call a span aborted, too; then no event of the execution says how the process ended."""
    left_open = {event["execution_id"] for event in events if "aborted" in event and
                 "execution_id" in event}
    return [event for event in events if event.get("outcome") == "aborted" and
            (event["execution_id"] in left_open or "timestamp" not in event)]


def overdue(events):
    return of_kind(events, "command.execution.overdue")


def runner_events(events):
    """Those that a probe or the end of a process made."""
    return [event for event in events if not event["event"].startswith("trace.")
            and event["event"] != "command.execution.overdue"]


def of_exe(events, path):
    """The trace.attached and trace.detached events of that binary, or of those in that folder."""
    return [event for event in events if event.get("exe", "").startswith(path)]


def of_process(events, *pids):
    return [event for event in runner_events(events) if event["source"]["pid"] in pids]


def cpu_seconds(pid):
    """User and system time of the process so far, to the nanosecond."""
    return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid(3) makes it


def resident_kib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def check_books(test, events):
    """hits = events + lost + filtered, and the output has as many events as the last line says.
    Events of commands that a process left open are counted apart: no probe was hit for them."""
    stopped = events[-1]
    test.assertEqual(stopped["event"], "trace.stopped")
    test.assertEqual(stopped["events"] + stopped["aborted_events"], len(runner_events(events)))
    test.assertEqual(stopped["aborted_events"], len(aborted(events)))
    test.assertEqual(stopped.get("overdue_events", 0), len(overdue(events)))
    test.assertEqual(stopped["hits"], stopped["events"] + stopped["lost"]
                     + sum(stopped["filtered"].values()))
    test.assertEqual(stopped["lost"], sum(stopped["lost_by_kind"].values()))
    test.assertEqual(stopped["lost"], sum(stopped["lost_by_reason"].values()))
    return stopped


class EndToEnd(unittest.TestCase):
    maxDiff = 4000

    def run(self, result=None):
        with OwnPrograms.of_one_test():
            try:
                return super().run(result)
            finally:
                self.end_tracers()

    def end_tracers(self):
        for process in Tracer.running:
            if process.poll() is None:
                process.kill()
                process.wait()
        Tracer.running.clear()


class Scenario(EndToEnd):
    """A test with an empty folder for its files."""

    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="steptrace-test-")
        self.addCleanup(holder.cleanup)
        self.directory = holder.name
