# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 of the tracer at any moment: the runner never notices, and nothing of the tracer stays.

Tracers of the whole machine may be attached to the same runner, and hold its semaphore up. So each
runner has a twin: a stopped process of another copy of the program. The tracer under test attaches
to the runner's file only; tracers of the whole machine attach to both files. When the tracer under
test is gone, both semaphores are equal. Without other tracers both are 0.
"""
import errno
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import time
import unittest

import validate
from harness import (PATIENCE_S, Lines, STEPTRACE, Scenario, Tracer, check_books, copy_of, run,
                     target, wait_until)

MOMENTS = 50
OURS = {"boundary", "command__start", "command__done", "command__rejected", "step__start",
        "step__done", "tool__done", "fragment__changed", "process_execed", "process_forked",
        "process_ended", "each_mapping"}


def semaphore_address(pid, program):
    """Of `steptrace_semaphore` in the memory of a process."""
    symbols = subprocess.run(["readelf", "-sW", program], capture_output=True, text=True,
                             check=True)
    offset = next(int(line.split()[1], 16) for line in symbols.stdout.splitlines()
                  if line.endswith(" steptrace_semaphore"))
    with open("/proc/%d/maps" % pid, encoding="utf-8") as maps:
        base = next(int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(program))
    return base + offset


def semaphore(pid, address):
    with open("/proc/%d/mem" % pid, "rb") as memory:
        memory.seek(address)
        return struct.unpack("<H", memory.read(2))[0]


def bpf_objects(kind):
    """What `bpftool KIND list` knows, of all processes.

    A link of another process has an id for a moment before it can be opened: the kernel answers
    EAGAIN, and bpftool gives up the whole list. Then the list is read again."""
    found = []

    def whole():
        listed = subprocess.run(["bpftool", "-j", kind, "list"], capture_output=True, text=True,
                                check=False)
        if os.strerror(errno.EAGAIN) in listed.stdout:
            return False
        listed.check_returncode()
        found[:] = json.loads(listed.stdout)
        return True
    wait_until(whole, "a whole list of BPF objects")
    return found


def programs_of(tracer_pids):
    """Our BPF programs that are loaded, apart from those of tracers that live."""
    return {program["id"] for program in bpf_objects("prog")
            if program.get("name", "") in {name[:15] for name in OURS}
            and not {holder["pid"] for holder in program.get("pids", [])} - set(tracer_pids)}


def links_of(programs):
    return [link["id"] for link in bpf_objects("link") if link.get("prog_id") in programs]


def whole_lines(path):
    with open(path, encoding="utf-8", errors="strict") as file:
        text = file.read()
    return text[:text.rfind("\n") + 1].splitlines(True), text[text.rfind("\n") + 1:]


def end(process):
    """Whatever it is doing; for what a failed test leaves behind."""
    if process.poll() is None:
        process.kill()
        process.wait(PATIENCE_S)
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:
            pipe.close()


class Killed(Scenario):
    def start(self, *arguments, **options):
        """A process that does not outlive the test."""
        process = subprocess.Popen(arguments, **options)
        self.addCleanup(end, process)
        return process

    def start_twins(self, name, *arguments):
        """A runner and its stopped twin, each of its own copy of the program."""
        program, twin_program = target(name), copy_of(self.directory, name)
        runner, twin = (self.start(path, *arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                        for path in (program, twin_program))
        self.find_semaphore(runner.pid, program)
        self.find_semaphore(twin.pid, twin_program)
        twin.send_signal(signal.SIGSTOP)
        return runner, twin

    def find_semaphore(self, pid, program):
        wait_until(lambda: os.readlink("/proc/%d/exe" % pid) == program, "exec of " + program)
        self.addresses = getattr(self, "addresses", {})
        self.addresses[pid] = semaphore_address(pid, program)

    def is_detached(self, pid, twin_pid):
        return semaphore(pid, self.addresses[pid]) == semaphore(twin_pid, self.addresses[twin_pid])

    def expect_detached(self, pid, twin_pid, when=""):
        wait_until(lambda: self.is_detached(pid, twin_pid), "the semaphore is down again " + when)

    def kill_at(self, runner, path, delay_s):
        """Starts a tracer and kills it after that long, whatever it is doing then."""
        process = self.start(STEPTRACE, "record", "-p", str(runner.pid), "-o", path,
                             stderr=subprocess.DEVNULL)
        time.sleep(delay_s)
        process.kill()
        process.wait(PATIENCE_S)
        return process.pid

    def seconds_to_first_line(self, runner):
        """How long a tracer takes until its output has an event of the runner, on this machine."""
        began = time.monotonic()
        tracer = Tracer("-p", str(runner.pid), "--sample", "10")
        tracer.written("load.checksum")
        needed = time.monotonic() - began
        tracer.stop()
        return needed

    def check_output(self, path):
        """The number of lines that were written, and whether the last one was cut off."""
        if not os.path.exists(path):
            return 0, False
        lines, rest = whole_lines(path)
        self.assertEqual(validate.validate_lines(lines[:20] + lines[-20:]), [])
        return len(lines), rest != ""

    def test_at_fifty_moments_under_load(self):
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        runner, twin = self.start_twins("load", "300000")
        expected = subprocess.run([runner.args[0], "300000"], capture_output=True, check=True)
        before = programs_of([])
        until_s = 1.5 * self.seconds_to_first_line(runner)
        recorded, dead = 0, []
        for number in range(MOMENTS):
            when = "(seed %d, moment %d)" % (seed, number)
            path = os.path.join(self.directory, "%d.ndjson" % number)
            dead.append(self.kill_at(runner, path, moments.uniform(0, until_s)))
            self.expect_detached(runner.pid, twin.pid, when)
            self.assertIsNone(runner.poll(), when)
            recorded += self.check_output(path)[0]
            if recorded == 0:
                until_s *= 1.2  # the machine has become busier since it was measured
        output, _ = runner.communicate(b"end\n")
        self.assertEqual((runner.returncode, output), (0, expected.stdout), "seed %d" % seed)
        self.assertGreater(recorded, MOMENTS, "some moments were behind the attachment")
        wait_until(lambda: not programs_of(dead) - before, "all programs gone (seed %d)" % seed)
        wait_until(lambda: not links_of(programs_of(dead) - before),
                   "all links gone (seed %d)" % seed)

    def test_while_it_ends(self):
        """In the middle of detaching."""
        runner, twin = self.start_twins("load", "1000")
        for delay_s in (0, 0.005, 0.01, 0.02, 0.04, 0.06):
            tracer = Tracer("-p", str(runner.pid), "--sample", "1000")
            tracer.process.terminate()
            time.sleep(delay_s)
            tracer.process.kill()
            tracer.wait()
            self.expect_detached(runner.pid, twin.pid)
        tracer = Tracer("-p", str(runner.pid), "--sample", "100", "--duration", "100ms")
        self.assertEqual(tracer.wait(), 0)
        check_books(self, tracer.events())
        runner.communicate(b"end\n")
        self.assertEqual(runner.returncode, 0)

    def test_with_all_its_children(self):
        """As when all processes of a control group are killed at the same time, at any moment."""
        runner, twin = self.start_twins("load", "1000")
        for number in range(20):
            process = self.start(STEPTRACE, "record", "-p", str(runner.pid), "--sample", "1000",
                                 "-o", "/dev/null", stderr=subprocess.PIPE, bufsize=0)
            Lines(process.stderr, "steptrace").until("attached to")
            family = [process.pid] + children_of(process.pid)
            if number % 2:
                process.terminate()
            time.sleep(number * 0.002)
            for pid in family:
                kill(pid)
            process.wait(PATIENCE_S)
            self.expect_detached(runner.pid, twin.pid, "(moment %d)" % number)
        runner.communicate(b"end\n")
        self.assertEqual(runner.returncode, 0)

    def test_many_binaries(self):
        """Several processes hold the links of many binaries."""
        twins = [self.start_twins_in(str(number)) for number in range(30)]
        tracer = Tracer("-p", ",".join(str(runner.pid) for runner, _ in twins))
        tracer.process.kill()
        tracer.wait()
        for runner, twin in twins:
            self.expect_detached(runner.pid, twin.pid)

    def start_twins_in(self, folder):
        """Of programs that no other twins run."""
        paths = []
        for name in ("runner", "twin"):
            os.makedirs(os.path.join(self.directory, folder, name))
            paths.append(copy_of(os.path.join(self.directory, folder, name), "spans"))
        processes = [self.start(path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                     for path in paths]
        for process, path in zip(processes, paths):
            self.find_semaphore(process.pid, path)
        return processes

    def test_the_kernel_leaks_nothing(self):
        """The kernel leaves a breakpoint in the runner when the thread that puts it in or takes it
        out is killed at that moment. It says so in its log, with the name of that thread's program.
        So the tracer has a name of its own here, and the log must not contain it."""
        runner, twin = self.start_twins("load", "1000")
        program = os.path.join(self.directory, "sttrc%d" % os.getpid())
        shutil.copy(STEPTRACE, program)
        for number in range(40):
            process = self.start(program, "record", "-p", str(runner.pid), "--sample", "1000",
                                 "-o", "/dev/null", stderr=subprocess.PIPE, bufsize=0)
            Lines(process.stderr, "steptrace").until("attached to")
            process.terminate()
            time.sleep(number * 0.001)
            process.kill()
            process.wait(PATIENCE_S)
        self.expect_detached(runner.pid, twin.pid)
        log = subprocess.run(["dmesg"], capture_output=True, text=True)
        if log.returncode:
            self.skipTest("the kernel's log cannot be read: " + log.stderr.strip())
        name = os.path.basename(program)
        self.assertEqual([line for line in log.stdout.splitlines() if name in line], [])
        runner.communicate(b"end\n")
        self.assertEqual(runner.returncode, 0)

    def test_its_command_goes_on(self):
        """A command that was started for a tracer does not need it."""
        program, twin_program = target("spans"), copy_of(self.directory, "spans")
        tracer = self.start(STEPTRACE, "record", "-o", "/dev/null", "--", program,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, bufsize=0)
        lines = Lines(tracer.stdout, "the runner")
        Lines(tracer.stderr, "steptrace").until("attached to")
        twin = self.start(twin_program, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        tracer.stdin.write(b"go 1\n")
        lines.until("ok")
        pid = child_of(tracer.pid, program)
        self.find_semaphore(pid, program)
        self.find_semaphore(twin.pid, twin_program)
        tracer.kill()
        tracer.wait(PATIENCE_S)
        tracer.stdin.write(b"go 1\n")
        lines.until("ok")
        self.expect_detached(pid, twin.pid)
        tracer.stdin.write(b"quit\n")
        lines.rest()

    def test_a_line_that_was_cut_off(self):
        """Nothing is written behind it. After it was removed, the tracer goes on with the file."""
        path = os.path.join(self.directory, "events.ndjson")
        with open(path, "w", encoding="ascii") as file:
            file.write('{"event":"trace.started"}\n{"event":"dsl.st')
        status, _, words = run("record", "-o", path, "--duration", "1ms")
        self.assertEqual(status, 1)
        self.assertIn("remove its last line", words)
        subprocess.run(["sed", "-i", "$d", path], check=True)
        self.assertEqual(run("record", "-o", path, "--duration", "1ms")[0], 0)
        lines, rest = whole_lines(path)
        self.assertEqual(rest, "")
        self.assertEqual(json.loads(lines[-1])["event"], "trace.stopped")


def kill(pid):
    """A process that may have ended already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def children_of(pid):
    with open("/proc/{0}/task/{0}/children".format(pid), encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def child_of(pid, program):
    """The child process that executes the program."""
    return next(child for child in children_of(pid)
                if os.readlink("/proc/%d/exe" % child) == program)


if __name__ == "__main__":
    unittest.main()
