# SPDX-License-Identifier: BSD-2-Clause
"""steptrace profile: which command and step a sample belongs to, in which processes."""
import json
import os
import signal
import subprocess

from harness import (PATIENCE_S, ROOT, EndToEnd, Runner, Scenario, Tracer, compiled, copy_of,
                     everyone, named, steps, target)
from measuring import Disturbed, measured_again
from profiles import CALLERS, Profile, Profiler, check_close, truths

SLEEPS = ["--unwind", "dwarf", "--off-cpu", "--min-blocked", "0"]


def profiled(orders, *arguments, program=None):
    with Runner(program or target("profiled")) as runner:
        profiler = Profiler("-p", str(runner.pid), *SLEEPS, *arguments)
        answers = [runner.do(words) for words in orders]
        return profiler.stop(), answers, profiler


def where(profile, *functions):
    """The commands and steps with these functions."""
    return {(row.command, row.path[1] if row.path[1].endswith("Step") else "")
            for row in profile.of(*functions)}


def slept(profile, *functions):
    """Microseconds in nanosleep() below these functions."""
    return sum(row.us for row in profile.of(*functions) if row.state == "sleep")


class Spans(EndToEnd):
    def test_the_innermost_step(self):
        profile, _, _ = profiled(["nested 30"])
        self.assertEqual(where(profile, "before_inner"), {("profiled.run", "OuterStep")})
        self.assertEqual(where(profile, "within_inner"), {("profiled.run", "InnerStep")})
        self.assertEqual(where(profile, "after_inner"), {("profiled.run", "OuterStep")})
        for function in ("before_inner", "within_inner", "after_inner"):
            self.assertGreaterEqual(slept(profile, "main", "do_nested", function, "sleep_here"),
                                    29000)

    def test_other_threads(self):
        """A step in another thread; a third thread is in no command."""
        profile, _, profiler = profiled(["threads 40"])
        self.assertEqual(where(profile, "in_worker"), {("profiled.run", "KnownStep")})
        self.assertGreaterEqual(slept(profile, "in_worker", *CALLERS, "sleep_here"), 39000)
        self.assertEqual(where(profile, "do_threads"), {("profiled.run", "")})
        self.assertEqual(profile.of("outside_of_commands"), [])
        self.assertEqual(profiler.counted(" samples have a cut stack"), 0)

    @measured_again
    def test_outside_of_commands(self):
        """The number of samples is said. A machine that takes the processor away takes some."""
        with Runner(target("profiled")) as runner:
            profiler = Profiler("-p", str(runner.pid), "--on-cpu", "--frequency", "999")
            runner.do("outside 100")
            self.assertEqual(profiler.end(signal.SIGINT), 1)
        self.assertEqual(profiler.read(), "")
        self.assertIn("no stack was found", profiler.said())
        outside = profiler.counted(" samples were outside")
        if outside < 90:
            raise Disturbed("%d samples" % outside)

    def test_a_command_without_a_step(self):
        profile, _, _ = profiled(["own 20", "spin 20"], "--on-cpu", "--frequency", "999")
        self.assertEqual(where(profile, "do_own"), {("profiled.run", "")})
        self.assertEqual(where(profile, "do_kind", *CALLERS), {("profiled.run", "KnownStep")})

    def test_a_step_that_began_before(self):
        """Where it began is known only if another recorder was attached then. Else it has no
        samples. The next ones have."""
        with Runner(target("profiled")) as runner:
            is_stamped = runner.do("open") == ["stamped 1"]
            profiler = Profiler("-p", str(runner.pid), *SLEEPS)
            runner.do("close 30")
            runner.do("as profiled.next")
            runner.do("sleep 30")
            profile = profiler.stop()
        self.assertEqual(bool(profile.of("do_close")), is_stamped, profile.text)
        self.assertEqual({row.command for row in profile.rows},
                         {"profiled.next", *(["profiled.run"] if is_stamped else [])})
        self.assertGreaterEqual(slept(profile, *CALLERS, "sleep_here"), 29000)

    def test_a_step_that_does_not_end(self):
        profile, _, _ = profiled(["sleep 30", "open"])
        self.assertEqual(where(profile, "main", "do_kind", *CALLERS),
                         {("profiled.run", "KnownStep")})
        self.assertEqual(profile.of("do_open"), [])

    def test_a_program_that_waits_for_nothing(self):
        """Steps that only wait: nothing is on a processor."""
        profile, _, _ = profiled(["sleep 30"])
        self.assertEqual({row.state for row in profile.rows} - {"sleep", "runnable"}, set())


class Processes(Scenario):
    def test_a_forked_child(self):
        """Its parent was traced; it ends at once when its command has ended."""
        profile, [[_, child]], _ = profiled(["fork 40"])
        self.assertTrue(child.startswith("child "))
        self.assertEqual(where(profile, "do_fork", "do_kind", *CALLERS),
                         {("profiled.run", "KnownStep")})
        self.assertGreaterEqual(slept(profile, "main", "do_fork", "do_kind", *CALLERS,
                                      "sleep_here"), 39000)
        self.assertNotIn("[unknown]", profile.text)

    def test_without_children(self):
        profile, _, _ = profiled(["fork 20", "sleep 20"], "--no-children")
        self.assertEqual(profile.of("do_fork"), [])
        self.assertTrue(profile.of("main", "do_kind", *CALLERS))

    def test_a_child_that_goes_on_with_a_step(self):
        """Of a command that its parent has begun: the child comes to its first probe only when the
        step ends, and is known before."""
        profile, _, _ = profiled(["inherit 40"])
        self.assertEqual(where(profile, "do_inherit", *CALLERS), {("profiled.run", "KnownStep")})
        self.assertGreaterEqual(slept(profile, "main", "do_inherit", *CALLERS, "sleep_here"), 39000)
        self.assertNotIn("[unknown]", profile.text)

    @measured_again
    def test_an_exec_in_the_middle(self):
        """The same pid, the same addresses, and nearly the same program: only a function has
        another name."""
        fixed = ["-no-pie", "-fno-pie"]
        one = compiled(os.path.join(self.directory, named("one")), *fixed, source="profiled")
        other = compiled(os.path.join(self.directory, named("other")), *fixed,
                         "-DSPIN_HERE=spin_after", source="profiled")
        with Runner(one) as runner:
            profiler = Profiler("-p", str(runner.pid), "--unwind", "dwarf", "--on-cpu",
                                "--frequency", "1999")
            [(_, cpu)] = truths(runner.do("spin 100"))
            runner.order("exec " + other)
            profiler.lines.until("attached to '%s'" % other)
            runner.do("as profiled.execed")
            [(_, other_cpu)] = truths(runner.do("spin 100"))
            profile = profiler.stop()
        self.assertEqual(where(profile, "spin_here"), {("profiled.run", "KnownStep")})
        self.assertEqual(where(profile, "spin_after"), {("profiled.execed", "KnownStep")})
        check_close(profile.us("main", "do_kind", *CALLERS, "spin_here"), cpu, "before")
        check_close(profile.us("main", "do_kind", *CALLERS, "spin_after"), other_cpu, "after")

    def check_short(self, profiler, program, count):
        """Processes that sleep once, and end: they have no sample before. All files that they have
        mapped are opened before that, unless the machine is very busy."""
        for _ in range(count):
            subprocess.run([program], input=b"sleep 100\n", stdout=subprocess.DEVNULL, check=False)
        profile = profiler.stop()
        found = slept(profile, "main", "do_kind", *CALLERS, "sleep_here")
        in_all = sum(row.us for row in profile.rows if row.state == "sleep")
        self.assertGreaterEqual(in_all, count * 99000)
        if found < in_all * 0.7:
            raise Disturbed("only %d of %d us have names" % (found, in_all))
        return profile

    @measured_again
    def test_many_short_processes(self):
        program = target("profiled")
        self.check_short(Profiler("-x", program, *SLEEPS), program, 10)

    @measured_again
    def test_short_processes_of_the_whole_machine(self):
        """Of a program that is found when it runs for the first time, and is attached then."""
        profiler = Profiler(*everyone(), *SLEEPS)
        program = copy_of(self.directory, "profiled")
        with Runner(program):
            profiler.lines.until("attached to '%s'" % program)
        self.check_short(profiler, program, 10)

    def test_a_library_of_a_process_that_has_ended(self):
        """It was loaded, used, and gone, before the tracer came to read where it is mapped."""
        path = os.path.join(self.directory, "libspinner.so")
        subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", path,
                        os.path.join(ROOT, "tests", "targets", "libspinner.c")], check=True)
        with Runner(target("profiled")) as runner:
            profiler = Profiler("-p", str(runner.pid), "--unwind", "dwarf", "--on-cpu",
                                "--frequency", "999")
            os.kill(profiler.pid, signal.SIGSTOP)
            [(_, cpu)] = truths(runner.do("library " + path))
            runner.order("quit")
            runner.process.wait(PATIENCE_S)
            os.kill(profiler.pid, signal.SIGCONT)
            profile = profiler.ended()
        us = profile.us(*CALLERS, "library_here", "library_step", "spin_in_library")
        self.assertGreater(us, cpu / 2, profile.text)

    def test_a_program_that_is_gone(self):
        """Its process has ended, and its file is removed."""
        program = target("profiled")
        with Runner(program) as runner:
            profiler = Profiler("-x", program, *SLEEPS)
            runner.do("sleep 30")
        os.unlink(program)
        profile = profiler.stop()
        self.assertGreaterEqual(slept(profile, "main", "do_kind", *CALLERS, "sleep_here"), 29000)


class Filters(EndToEnd):
    """The same program with and without filters. Sleeps are compared: their times hardly differ."""

    ORDERS = ["as mail.send DataStep", "sleep 30", "as mail.read DataStep", "sleep 50",
              "as health.check AiStep", "failed 40", "as health.check DataStep", "sleep 60"]
    # command, step, failed, how long
    TRUTH = [("mail.send", "DataStep", False, 30), ("mail.read", "DataStep", False, 50),
             ("health.check", "AiStep", True, 40), ("health.check", "DataStep", False, 60)]

    def times(self, *filters, orders=ORDERS, **options):
        """Milliseconds asleep by command and step, from the profile."""
        with Runner(target("profiled")) as runner:
            profiler = Profiler("-p", str(runner.pid), *SLEEPS, *filters, **options)
            for words in orders:
                runner.do(words)
            status = profiler.end(signal.SIGINT)
        if status:
            self.assertIn("no stack was found", profiler.said())
            return {}
        found = {}
        for row in Profile(profiler.read()).rows:
            if row.state == "sleep":
                key = row.command, row.path[1]
                found[key] = found.get(key, 0) + row.us / 1000
        return found

    def check(self, expected, *filters, **options):
        found = self.times(*filters, **options)
        self.assertEqual(set(found), {(command, step) for command, step, _, _ in expected})
        for command, step, _, ms in expected:
            time_ms = found[command, step]
            self.assertGreaterEqual(time_ms, ms * 0.9)
            self.assertLess(time_ms, ms + 25, "more than one of the steps is in it")

    def where(self, condition):
        return [row for row in self.TRUTH if condition(*row)]

    def test_all(self):
        self.check(self.TRUTH)

    def test_command(self):
        self.check(self.where(lambda command, *_: command.startswith("mail.")), "--command",
                   "mail.*")
        self.check(self.where(lambda command, *_: command == "health.check"), "--command",
                   "!mail.*")

    def test_step_type(self):
        self.check(self.where(lambda _, step, *__: step == "AiStep"), "--step-type", "Ai*")

    def test_failed(self):
        self.check(self.where(lambda _, __, failed, ___: failed), "--failed")

    def test_min_duration(self):
        """Those that are shorter are shorter by 10 ms and more: only a busy machine makes them
        longer, and never shorter."""
        found = self.times("--min-duration", "45ms")
        self.assertLessEqual({("mail.read", "DataStep"), ("health.check", "DataStep")}, set(found))
        self.assertEqual(self.times("--min-duration", "1h"), {})

    def test_together(self):
        self.check(self.where(lambda command, step, *_: step == "DataStep" and "mail" in command),
                   "--command", "mail.*", "--step-type", "Data*")
        self.assertEqual(self.times("--command", "mail.*", "--failed"), {})

    def test_processes(self):
        """In the kernel, by the process."""
        uid = str(os.getuid())
        self.check(self.TRUTH, "--uid", uid, "--comm", "profiled")
        self.assertEqual(self.times("--uid", "54321"), {})
        self.assertEqual(self.times("--comm", "other*"), {})

    def test_cgroup(self):
        with open("/proc/self/cgroup", encoding="ascii") as file:
            own = next((line.strip().split(":")[2] for line in file if line.startswith("0::")), "")
        folder = next((path for path in ("/sys/fs/cgroup" + own, "/sys/fs/cgroup/unified" + own)
                       if os.path.exists(os.path.join(path, "cgroup.procs"))), None)
        if folder is None:
            self.skipTest("no cgroup v2 is mounted")
        self.check(self.TRUTH, "--cgroup", folder)

    def test_execution(self):
        """Its id is one that a recorder has seen."""
        with Runner(target("profiled")) as runner:
            recorder = Tracer("-p", str(runner.pid))
            runner.do("open")
            event = json.loads(recorder.written("command.execution.started"))
            profiler = Profiler("-p", str(runner.pid), *SLEEPS, "--execution",
                                event["execution_id"])
            runner.do("close 20")
            runner.do("sleep 30")
            profile = profiler.stop()
        self.assertGreaterEqual(slept(profile, "do_close", *CALLERS, "sleep_here"), 19000)
        self.assertEqual(profile.of("do_kind"), [])

    def test_sample(self):
        """Of each execution all samples, or none."""
        orders = ["sleep 5"] * 40
        with Runner(target("profiled")) as runner:
            recorder = Tracer("-p", str(runner.pid), "--sample", "4")
            profiler = Profiler("-p", str(runner.pid), *SLEEPS, "--sample", "4")
            for words in orders:
                runner.do(words)
            sampled = len(steps(recorder.stop()))
            status = profiler.end(signal.SIGINT)
        if not sampled:  # one of 100,000 runs
            self.assertEqual(status, 1)
            return
        self.assertEqual(status, 0)
        found = slept(Profile(profiler.read()), *CALLERS, "sleep_here")
        self.assertGreaterEqual(found, sampled * 4900)
        self.assertLess(found, (sampled + 1) * 5000 + sampled * 2000)
