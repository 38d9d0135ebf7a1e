# SPDX-License-Identifier: BSD-2-Clause
"""Binaries that are overwritten in place while they are traced. The probes must be detached before
the content changes: the kernel would put the breakpoints into the new content."""
import errno
import os
import shutil
import signal
import subprocess
import unittest

import needs
from harness import (PATIENCE_S, Runner, STEPTRACE, Scenario, Tracer, check_books, copy_of,
                     everyone, named, of_exe, of_kind, of_process, overwrite, run, target,
                     wait_until)
from test_privilege import FOLLOWING, Privileged

TIMES = 20


def leases(path):
    """The lines of /proc/locks about leases of the file: of this tracer, and of others."""
    number = ":%d " % os.stat(path).st_ino
    with open("/proc/locks", encoding="ascii") as file:
        return [line for line in file if " LEASE " in line and number in line]


def is_waited_for(path):
    return any("BREAKING" in line for line in leases(path))


def writes_at_once(path):
    """Opens the file for writing, if that needs no waiting."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
    except BlockingIOError:
        return False
    return True


class Overwritten(Scenario):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, named("runner"))
        shutil.copy(target("spans"), self.path)

    def run_new(self):
        """Overwrites the file, and executes it at once: (exit status, output)."""
        overwrite(self.path, target("straight"))
        done = subprocess.run([self.path], capture_output=True, timeout=PATIENCE_S)
        return done.returncode, done.stdout

    def attached_count(self, tracer):
        with open(tracer.path, encoding="utf-8") as file:
            return sum('"trace.attached"' in line and self.path in line for line in file)

    def test_executed_at_once(self):
        """Twenty times unwatched, twenty times watched."""
        straight = subprocess.run([target("straight")], capture_output=True, check=True)
        right = [(0, straight.stdout)] * TIMES
        self.assertEqual([self.run_new() for _ in range(TIMES)], right)
        overwrite(self.path, target("spans"))
        tracer = Tracer("-x", self.path)
        results = []
        for time in range(TIMES):
            wait_until(lambda: self.attached_count(tracer) > time, "attached again")
            results.append(self.run_new())
            overwrite(self.path, target("spans"))
        self.assertEqual(results, right)
        wait_until(lambda: self.attached_count(tracer) > TIMES, "attached again")
        with Runner(self.path) as runner:
            runner.do("go 1")
            events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 7)
        self.assertEqual(len(of_kind(of_exe(events, self.path), "trace.detached")), TIMES)
        check_books(self, events)

    def test_all_ways_to_write(self):
        """Each of them waits for the tracer; names and modes do not matter."""
        def append():
            with open(self.path, "ab") as file:
                file.write(b"more")

        def map_it():
            os.close(os.open(self.path, os.O_RDWR))

        ways = {"cp": lambda: overwrite(self.path, target("spans")), "append": append,
                "truncate": lambda: os.truncate(self.path, os.path.getsize(self.path)),
                "open for both": map_it}
        tracer = Tracer("-x", self.path)
        for number, (name, way) in enumerate(ways.items()):
            with self.subTest(name):
                os.chmod(self.path, 0o700 + number)
                os.rename(self.path, self.path + "-2")
                os.rename(self.path + "-2", self.path)
                self.assertNotEqual(leases(self.path), [])
                way()
                wait_until(lambda: self.attached_count(tracer) > number + 1, "attached again")
        events = tracer.stop()
        self.assertEqual(len(of_kind(of_exe(events, self.path), "trace.detached")), len(ways))

    def test_a_writer_that_does_not_wait(self):
        """It is refused, and the tracer lets go all the same."""
        tracer = Tracer("-x", self.path)
        tracer.freeze()
        with self.assertRaises(OSError) as refused:
            os.open(self.path, os.O_WRONLY | os.O_NONBLOCK)
        self.assertEqual(refused.exception.errno, errno.EAGAIN)
        tracer.thaw()
        tracer.lines.until("a program opens '%s' for writing" % self.path)
        tracer.written("trace.detached", self.path)
        wait_until(lambda: self.attached_count(tracer) > 1, "attached again")
        tracer.stop()
        self.assertEqual(leases(self.path), [])

    def test_it_waits_until_the_tracer_has_let_go(self):
        tracer = Tracer("-x", self.path)
        tracer.freeze()
        writer = subprocess.Popen(["cp", target("straight"), self.path])
        wait_until(lambda: is_waited_for(self.path), "a writer that waits")
        with open(self.path, "rb") as file, open(target("spans"), "rb") as former:
            self.assertEqual(file.read(), former.read())
        self.assertIsNone(writer.poll())
        tracer.thaw()
        self.assertEqual(writer.wait(PATIENCE_S), 0)
        tracer.written("trace.detached", self.path)
        tracer.stop()

    def test_several_at_once(self):
        paths = [os.path.join(self.directory, named("runner-%d" % number)) for number in range(10)]
        for path in paths:
            shutil.copy(target("spans"), path)
        tracer = Tracer(*[word for path in paths for word in ("-x", path)])
        tracer.freeze()
        writers = [subprocess.Popen(["cp", target("straight"), path]) for path in paths]
        for path in paths:
            wait_until(lambda path=path: is_waited_for(path), "a writer that waits")
        tracer.thaw()
        self.assertEqual([writer.wait(PATIENCE_S) for writer in writers], [0] * len(paths))
        for path in paths:
            tracer.written("trace.detached", path)
            self.assertEqual(subprocess.run([path], capture_output=True,
                                            timeout=PATIENCE_S).returncode, 0)
        tracer.stop()

    def test_it_is_not_attached_while_it_is_written(self):
        """A library: programs that run cannot be written to."""
        dlopener = copy_of(self.directory, "dlopener", "libcarrier.so")
        library = os.path.join(self.directory, "libcarrier.so")
        with Runner(dlopener) as runner, open(library, "r+b"):
            runner.do("1")
            tracer = Tracer(*everyone())
            self.assertIn("a program writes to '%s'" % library, "\n".join(tracer.words))
            runner.do("1")
            self.assertFalse(tracer.has_written("trace.attached", library))
            status, _, words = run("record", "-p", str(runner.pid))
            self.assertEqual(status, 1)
            self.assertIn("cannot be attached now", words)
        with Runner(dlopener) as runner:
            runner.do("1")
            tracer.written("trace.attached", library)
            runner.do("2")
            events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 6)
        self.assertEqual(len(of_exe(events, library)), 1)

    def test_afterwards_nobody_waits(self):
        """Whatever ends the recording, and also when no process runs the binary any more."""
        for arguments, how in ((["-x", self.path], signal.SIGINT),
                               (["-x", self.path], signal.SIGKILL),
                               (everyone() + ["--linger", "1ms"], None)):
            with Runner(self.path):
                tracer = Tracer(*arguments)
                tracer.written("trace.attached", self.path)
            if how:
                tracer.process.send_signal(how)
                tracer.wait()
            else:
                tracer.written("trace.detached", self.path)
            wait_until(lambda: writes_at_once(self.path), "a writer that need not wait")
        tracer.stop()


class WithoutLease(Scenario):
    """A tracer that is not the owner of the binary and lacks CAP_LEASE."""

    def setUp(self):
        super().setUp()
        needs.other_users()
        needs.program("setpriv")
        os.chmod(self.directory, 0o755)
        self.path = os.path.join(self.directory, named("runner"))
        shutil.copy(target("spans"), self.path)

    def test_the_change_is_seen(self):
        """Not before it happens: it says so."""
        tracer = Privileged("-x", self.path, user=12345,
                            capabilities=FOLLOWING - {"CAP_LEASE"})
        words = tracer.lines.until("attached to")
        self.assertIn("there is no lease on '%s' (Permission denied)" % self.path,
                      "\n".join(words))
        self.assertEqual(leases(self.path), [])
        overwrite(self.path, target("straight"))
        tracer.lines.until("detached from '%s'" % self.path)
        overwrite(self.path, target("spans"))
        tracer.lines.until("attached to '%s'" % self.path)
        with Runner(self.path) as runner:
            runner.do("go 1")
            status, events, words = tracer.end(signal.SIGINT)
        self.assertEqual(status, 0, words)
        self.assertEqual(len(of_process(events, runner.pid)), 7)

    def test_with_the_capability_or_as_the_owner(self):
        for capabilities, owner in ((FOLLOWING, 0), (FOLLOWING - {"CAP_LEASE"}, 12345)):
            os.chown(self.path, owner, owner)
            tracer = Privileged("-x", self.path, user=12345, capabilities=capabilities)
            words = tracer.lines.until("attached to")
            self.assertNotIn("lease", "\n".join(words))
            self.assertNotEqual(leases(self.path), [])
            overwrite(self.path, target("spans"))
            tracer.lines.until("a program opens '%s' for writing" % self.path)
            self.assertEqual(tracer.end(signal.SIGINT)[0], 0)

    def test_doctor(self):
        """What it says is what a recording does."""
        for user, word in (({}, "waits until steptrace has detached"),
                           ({"user": 12345, "group": 12345, "extra_groups": [], "cwd": "/"},
                            "no lease (Permission denied)")):
            program = shutil.copy(STEPTRACE, self.directory)
            done = subprocess.run([program, "doctor", "-x", self.path], capture_output=True,
                                  text=True, timeout=PATIENCE_S, **user)
            self.assertIn(word, " ".join(done.stdout.split()))  # lines are wrapped
        with open(self.path, "r+b"):
            _, output, _ = run("doctor", "-x", self.path)
        self.assertIn("a program has opened the file for writing", " ".join(output.split()))


if __name__ == "__main__":
    unittest.main()
