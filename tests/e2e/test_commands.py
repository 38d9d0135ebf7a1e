# SPDX-License-Identifier: BSD-2-Clause
"""The command behind `--`: what it inherits, where its output goes, and that its programs are
recorded from their first boundary, however short they run."""
import contextlib
import os
import resource
import select
import shutil
import signal
import subprocess
import unittest

import needs
import validate
from harness import (PATIENCE_S, STEPTRACE, Lines, Runner, Scenario, Tracer, built, check_books,
                     copy_of, everyone, of_exe, of_kind, read_events, run, runner_events, target)

NOTHING = "has steptrace probes, so there are no events"


class Command(Scenario):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, "events")

    def run_recorded(self, *arguments, **options):
        """Records to a file; (exit status, events, stdout, stderr)."""
        status, output, words = run("record", "-o", self.path, *arguments, **options)
        return status, read_events(self.path), output, words


class Inheritance(Command):
    def test_signals_and_limits_are_the_callers(self):
        """Ignored signals (as under nohup), blocked signals, and limits."""
        def prepare():
            for number in (signal.SIGPIPE, signal.SIGUSR1, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
            resource.setrlimit(resource.RLIMIT_NOFILE, (123, 4096))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 4096))

        command = ["cat", "/proc/self/status", "/proc/self/limits"]
        recorded = [STEPTRACE, "record", "-o", self.path, "--", *command]
        told = [[line for line in subprocess.run(each, preexec_fn=prepare, capture_output=True,
                                                 text=True, timeout=PATIENCE_S).stdout.splitlines()
                 if line.startswith(("SigBlk", "SigIgn", "SigCgt", "Max "))]
                for each in (command, recorded)]
        self.assertIn("SigBlk", "".join(told[0]))
        self.assertEqual(told[1], told[0])

    def test_its_output_and_the_events_are_not_mixed(self):
        for where, mixed in (((), True), (("-o", "-"), True), (("-o", "/dev/stdout"), True),
                             (("-o", self.path), False)):
            with self.subTest(where=where):
                status, output, words = run("record", *where, "--", target("spans"),
                                            input="go 1\nquit\n")
                self.assertEqual(status, 0, words)
                self.assertEqual("goes to standard error" in words, mixed)
                if mixed:
                    self.assertEqual(validate.validate_lines(output.splitlines(True)), [])
                    self.assertIn("\nok\n", words)
                else:
                    self.assertEqual(output, "ok\n")


class Nothing(Command):
    def test_is_not_a_success(self):
        """Nothing that the command ran has probes."""
        for script, expected in (("true", 1), ("exit 0", 1), ("exit 7", 7), ("kill -9 $$", 137)):
            with self.subTest(script=script):
                status, events, _, words = self.run_recorded("--", "sh", "-c", script)
                self.assertEqual((status, runner_events(events)), (expected, []), words)
                self.assertIn(NOTHING, words)
                os.unlink(self.path)

    def test_a_runner_without_commands_is_one(self):
        for command in ([target("spans")], ["sh", "-c", target("spans")],
                        ["sh", "-c", "true; " + target("spans")]):
            for files in ([], ["-x", target("spans")]):
                with self.subTest(command=command, files=files):
                    status, events, _, words = self.run_recorded(*files, "--", *command, input="")
                    self.assertEqual((status, runner_events(events)), (0, []), words)
                    self.assertNotIn(NOTHING, words)
                    os.unlink(self.path)

    def test_another_file_of_x(self):
        other = copy_of(self.directory, "spans")
        status, _, _, words = self.run_recorded("-x", other, "--", target("older"))
        self.assertEqual(status, 1)
        self.assertIn(NOTHING, words)


class Holding(Command):
    """The exec of a program with probes waits until they are attached."""

    def setUp(self):
        super().setUp()
        needs.held_execs()

    def copies(self, count):
        paths = []
        for number in range(count):
            os.mkdir(os.path.join(self.directory, str(number)))
            paths.append(copy_of(os.path.join(self.directory, str(number)), "older"))
        return paths

    def check_all_seen(self, script, count):
        status, events, _, words = self.run_recorded("--", "sh", "-c", script)
        self.assertEqual(status, 0, words)
        self.assertEqual(len(runner_events(events)), 3 * count, words)
        attached = of_kind(events, "trace.attached")
        self.assertEqual([event["late_ms"] for event in attached], [None] * len(attached))
        check_books(self, events)

    def test_one_short_program(self):
        self.check_all_seen("exec " + target("older"), 1)

    def test_many_short_programs(self):
        """Each is a file that no process has executed before."""
        self.check_all_seen("; ".join(self.copies(12)), 12)

    def test_at_the_same_time(self):
        self.check_all_seen("".join(path + " & " for path in self.copies(12)) + "wait", 12)

    def test_behind_other_programs(self):
        self.check_all_seen("env A=b nice -n 1 setsid --wait sh -c 'true; %s; true'"
                            % target("older"), 1)

    def test_a_script(self):
        """Its interpreter has the probes."""
        script = os.path.join(self.directory, "script")
        with open(script, "w", encoding="ascii") as file:
            file.write("#!%s\n" % target("spans"))
        os.chmod(script, 0o755)
        status, events, _, words = self.run_recorded("--", "sh", "-c", script, input="go 1\nquit\n")
        self.assertEqual((status, len(runner_events(events))), (0, 7), words)
        check_books(self, events)

    def begin(self, script, **options):
        """Returns the tracer and the lines of the command, which waits for a line."""
        tracer = Tracer("--", "sh", "-c", "echo ready; read word; " + script,
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)
        lines = Lines(tracer.process.stdout, "the command")
        lines.until("ready")
        return tracer, lines

    def test_a_tracer_that_is_stopped(self):
        """It delays nobody else, and the program of its command for a limited time."""
        older, other = self.copies(2)
        tracer, lines = self.begin("%s; echo over; read word" % older)
        tracer.freeze()
        tracer.process.stdin.write(b"go\n")
        subprocess.run([other], check=True)
        lines.until("over")
        tracer.thaw()
        attached = tracer.written("trace.attached", older)
        tracer.process.stdin.write(b"go\n")
        self.assertEqual(tracer.wait(), 0)
        self.assertNotIn('"late_ms":null', attached)
        check_books(self, tracer.events())

    def test_more_execs_than_descriptors(self):
        """While they wait for the tracer, the holder has a descriptor for each. Without one the
        kernel would refuse the exec."""
        def prepare():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

        script = ("for i in $(seq 100); do { %s || echo refused; } & done; wait; echo over"
                  % target("older"))
        tracer, lines = self.begin(script, preexec_fn=prepare)
        tracer.freeze()
        tracer.process.stdin.write(b"go\n")
        self.assertEqual(lines.until("over"), ["over"])
        tracer.thaw()
        self.assertEqual(tracer.wait(), 0, tracer.words)
        tracer.events()

    def test_a_tracer_that_is_killed(self):
        """While an exec waits for it: the program runs."""
        tracer, lines = self.begin("exec " + copy_of(self.directory, "spans"))
        tracer.freeze()
        tracer.process.stdin.write(b"go\n")
        tracer.process.kill()
        tracer.process.wait()
        tracer.process.stdin.write(b"go 1\n")
        lines.until("ok")
        tracer.process.stdin.write(b"quit\n")
        lines.rest()
        tracer.lines.rest()

    def test_the_holder_ends_with_the_recording(self):
        tracer, _ = self.begin(target("older"))
        holder = holder_of(tracer)
        self.assertNotEqual(os.getpgid(holder), os.getpgid(tracer.process.pid))
        tracer.process.stdin.write(b"go\n")
        self.assertEqual(tracer.wait(), 0)
        self.assertFalse(os.path.exists("/proc/%d" % holder))

    def test_a_holder_that_is_stopped(self):
        """All execs of the machine would wait for it: the tracer ends it."""
        for ends in (False, True):
            with self.subTest(ends=ends):
                tracer, _ = self.begin(target("older"))
                with stopped(holder_of(tracer)) as holder:
                    if ends:
                        tracer.process.send_signal(signal.SIGTERM)
                    self.assertTrue(select.select([holder], [], [], 30)[0])
                if not ends:
                    tracer.lines.until("'steptrace-hold' was stopped")
                    tracer.process.stdin.write(b"go\n")
                    self.assertEqual(tracer.wait(), 0)
                    self.assertEqual(len(of_kind(tracer.events(), "trace.stopped")), 1)


@contextlib.contextmanager
def stopped(pid):
    """Gives a descriptor that is readable when the process has ended. At the end it has."""
    descriptor = os.pidfd_open(pid)
    signal.pidfd_send_signal(descriptor, signal.SIGSTOP)
    try:
        yield descriptor
    finally:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        os.close(descriptor)


def holder_of(tracer):
    """The only child of the tracer with this name."""
    found, = [pid for pid in children_of(tracer.process.pid) if name_of(pid) == "steptrace-hold"]
    return found


def children_of(pid):
    with open("/proc/{0}/task/{0}/children".format(pid), encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def name_of(pid):
    with open("/proc/%d/comm" % pid, encoding="ascii") as file:
        return file.read().strip()


class Windows(Command):
    def test_without_the_right_to_hold(self):
        """What was missed is measured and said. Only programs of a command wait. Where the tracer
        comes so late that its search of all processes finds the program first, how late is not
        known: then another program is started."""
        copies = [shutil.copy(built("spans"), os.path.join(self.directory, "spans-%d" % number))
                  for number in range(10)]
        with Runner(["sh", "-c", "exec " + target("spans")]) as runner:
            tracer = Tracer("-p", str(runner.pid))
            for spans in copies:
                runner.order("run " + spans)
                runner.lines.until("child")
                words = tracer.lines.until("attached to '%s'" % spans)[-1]
                runner.order("quit")
                runner.lines.until("ok")
                if "after the process began to use it" in words:
                    break
            events = tracer.stop()
        self.assertIn("after the process began to use it", words)
        attached = of_exe(events, spans)[0]
        self.assertGreater(attached["late_ms"], 0)


class Libraries(Command):
    def library_of(self, number):
        directory = os.path.join(self.directory, str(number))
        os.mkdir(directory)
        program = copy_of(directory, "dlopener", "libcarrier.so")
        return program, os.path.join(directory, "libcarrier.so")

    def test_from_its_first_boundary(self):
        """-x LIBRARY attaches before the command starts."""
        program, library = self.library_of(0)
        script = "echo 5 | {0}; echo 3 | {0}".format(program)
        status, events, _, words = self.run_recorded("-x", library, "--", "sh", "-c", script)
        self.assertEqual(status, 0, words)
        self.assertEqual(len(runner_events(events)), 24)
        check_books(self, events)

    def test_of_the_command_only(self):
        program, library = self.library_of(0)
        with Runner(program) as stranger:
            tracer = Tracer("-x", library, "--", program, stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)
            stranger.do("4")
            tracer.process.stdin.write(b"2\n")
            tracer.process.stdin.close()
            events = tracer.ended()
        self.assertEqual(len(runner_events(events)), 6)
        self.assertNotIn(stranger.pid, {each["source"]["pid"] for each in runner_events(events)})

    def test_found_as_soon_as_it_is_loaded(self):
        """A process that uses the library shortly is enough: the next one is recorded whole."""
        for name, arguments in (("all", everyone()), ("command", ["--", "cat"])):
            with self.subTest(name):
                program, library = self.library_of(name)
                if name == "command":
                    arguments = ["--", "sh", "-c", "read word; echo 0 | {0}; read word; "
                                 "echo 2 | {0}".format(program)]
                tracer = Tracer(*arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
                self.use(tracer, name, program, 0)
                tracer.written("trace.attached", library)
                self.use(tracer, name, program, 2)
                if name == "command":
                    events = tracer.ended()
                else:
                    events = tracer.stop()
                self.assertEqual(len([each for each in runner_events(events)
                                      if each["command_slug"] == "from.a.library"
                                      and each["source"]["comm"].startswith("dlopener")]), 6)
                check_books(self, events)

    def test_found_although_its_process_has_ended(self):
        """The tracer is late: the process that loaded the library has ended before the tracer looks
        at its mappings."""
        for name, arguments in (("all", everyone()), ("command", ["--", "sh", "-c"])):
            with self.subTest(name):
                program, library = self.library_of(name)
                if name == "command":
                    arguments += ["echo runs; read word; echo 0 | {0}; echo ended; read word"
                                  .format(program)]
                tracer = Tracer(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                said = Lines(tracer.process.stdout, "the command")
                if name == "command":
                    said.until("runs")  # a frozen tracer would not start it
                tracer.freeze()
                self.use(tracer, name, program, 0)
                if name == "command":
                    self.assertEqual(said.until("ended"), ["ok", "ended"])
                tracer.thaw()
                tracer.written("trace.attached", library)
                tracer.process.stdout.close()
                tracer.process.stdin.close()
                tracer.wait() if name == "command" else tracer.stop()

    @staticmethod
    def use(tracer, name, program, count):
        if name == "command":
            tracer.process.stdin.write(b"go\n")
        else:
            subprocess.run([program], input=b"%d\n" % count, stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    unittest.main()
