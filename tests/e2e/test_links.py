# SPDX-License-Identifier: BSD-2-Clause
"""The links to probes: who holds them, when they are released, and how many fit."""
import collections
import contextlib
import json
import os
import resource
import signal
import subprocess
import time

import needs
from harness import (PATIENCE_S, Runner, Scenario, Tracer, built, check_books, copy_of, everyone,
of_exe, of_process, run, runner_events, target, wait_until)

BOUNDARIES = 7  # that make an event in "go 1" of tests/targets/spans.c


def copies(directory, count):
    """That many binaries with probes, each a file of its own."""
    paths = []
    for number in range(count):
        folder = os.path.join(directory, str(number))
        os.mkdir(folder)
        paths.append(copy_of(folder, "spans"))
    return paths


def children_of(pid):
    with open("/proc/{0}/task/{0}/children".format(pid), encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def open_files(pid):
    """What the descriptors of the process lead to."""
    folder, links = "/proc/%d/fd" % pid, []
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(os.path.join(folder, fd)))
    return links


class Links(Scenario):
    def runner(self, path, **options):
        runner = Runner(path, **options)
        self.addCleanup(runner.close)
        return runner

    def told_twice(self, events):
        """Each boundary has one event: of an execution, or of one of its steps."""
        told = collections.Counter((event["event"], event["execution_id"], event.get("step_id"))
                                   for event in runner_events(events))
        return [key for key, times in told.items() if times > 1]


class Released(Links):
    def test_binaries_that_run_again_while_they_are_detached(self):
        """Twenty binaries are detached at the same time, because no process runs them any more.
        Each of them is executed again meanwhile."""
        paths = copies(self.directory, 20)
        tracer = Tracer(*everyone(), "--linger", "0")
        made = collections.Counter()
        for _ in range(3):
            runners = [self.runner(path) for path in paths]
            for runner in runners:
                self.go_until_written(runner, tracer, made)
            for runner in runners:
                runner.close()
            tracer.lines.until("detached from '" + self.directory)  # the others are about to be
        events = tracer.stop()
        check_books(self, events)
        self.assertEqual(self.told_twice(events), [])
        for pid, count in made.items():
            self.assertIn(len(of_process(events, pid)), range(BOUNDARIES, count + 1))

    def go_until_written(self, runner, tracer, made):
        """Until the probes are attached, its boundaries are not captured."""
        deadline = time.monotonic() + PATIENCE_S
        while not tracer.has_written('"pid":%d' % runner.pid, "completed"):
            self.assertLess(time.monotonic(), deadline, "never attached to %d" % runner.pid)
            runner.do("go 1")
            made[runner.pid] += BOUNDARIES

    def test_a_recording_that_ends_while_binaries_are_detached(self):
        paths = copies(self.directory, 20)
        tracer = Tracer(*everyone(), "--linger", "0")
        runners = [self.runner(path) for path in paths]
        for runner in runners:
            tracer.written("trace.attached", '"pids":[%d]' % runner.pid)
        for runner in runners:
            runner.close()
        tracer.written("trace.detached", self.directory)
        check_books(self, tracer.stop())


class Held(Links):
    """The processes that hold the links."""

    def test_they_end_with_the_tracer(self):
        runner = self.runner(copy_of(self.directory, "spans"))
        for how in (signal.SIGINT, signal.SIGKILL):
            tracer = Tracer("-p", str(runner.pid))
            holders = children_of(tracer.process.pid)
            self.assertGreater(len(holders), 1)
            tracer.process.send_signal(how)
            tracer.wait()
            wait_until(lambda: not any(os.path.exists("/proc/%d" % pid) for pid in holders),
                       "the holders have ended")

    def test_they_ignore_the_signals_of_the_terminal(self):
        """Ctrl-C and Ctrl-Z are for the tracer. It detaches, and counts everything."""
        runner = self.runner(target("spans"))
        tracer = Tracer("-p", str(runner.pid))
        holders = self.holders_of_links(tracer)
        self.assertTrue(holders)
        for holder in holders:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
                os.kill(holder, number)
        runner.do("go 1")
        events = tracer.stop()
        self.assertEqual(len(runner_events(events)), BOUNDARIES)
        check_books(self, events)

    def holders_of_links(self, tracer):
        """Other children, such as one that attaches, may end meanwhile."""
        holders = []
        for pid in children_of(tracer.process.pid):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if any("bpf" in link or "perf_event" in link for link in open_files(pid)):
                    holders.append(pid)
        return holders

    def holder_of_the_link(self, tracer):
        return self.holders_of_links(tracer)[0]

    def test_one_that_is_killed(self):
        """Its binary is attached again, through another one."""
        runner = self.runner(target("spans"))
        tracer = Tracer("-p", str(runner.pid))
        runner.do("go 1")
        for number in range(3):
            os.kill(self.holder_of_the_link(tracer), signal.SIGKILL)
            tracer.lines.until("was killed")
            tracer.lines.until("attached to '%s'" % target("spans"))
            runner.do("go %d" % (number + 2))
        events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), (1 + 2 + 3 + 4) * BOUNDARIES)
        self.assertEqual([event["event"] for event in of_exe(events, target("spans"))],
                         ["trace.attached"] + 3 * ["trace.detached", "trace.attached"])
        check_books(self, events)

    def test_no_descriptor_of_the_tracer_stays_open_in_them(self):
        """The reader of a pipe sees its end when the tracer closes it."""
        runner = self.runner(target("spans"))
        tracer = Tracer("-p", str(runner.pid))
        for holder in children_of(tracer.process.pid):
            self.assertEqual([link for link in open_files(holder)
                              if not link.startswith(("socket:", "anon_inode:", "pidfd:"))], [])
        tracer.stop()


class Alone(Links):
    """-p with --no-children: the probes are in the named processes alone, from Linux 6.6 on."""

    def test_a_process_beside_it_has_no_probes(self):
        """`stranger` runs another file. Its semaphore is 0, unless another tracer attaches to all
        processes of this machine; then it attaches to `other`, too."""
        one, other = self.runner(target("spans")), self.runner(target("spans"))
        stranger = self.runner(copy_of(self.directory, "spans"))
        tracer = Tracer("-p", str(one.pid), "--no-children")
        started = json.loads(tracer.written("trace.started"))
        if started["attach_method"] != "uprobe_multi":
            self.skipTest("this kernel has no uprobe_multi links")
        self.assertGreater(one.semaphore(), 0)
        wait_until(lambda: other.semaphore() == stranger.semaphore(),
                   "the other process has no probes of this tracer")
        one.do("go 3")
        other.do("go 3")
        events = tracer.stop()
        self.assertEqual(len(of_process(events, one.pid)), 3 * BOUNDARIES)
        self.assertEqual(len(runner_events(events)), 3 * BOUNDARIES)
        check_books(self, events)

    def test_two_processes(self):
        one, two = self.runner(target("spans")), self.runner(copy_of(self.directory, "spans"))
        tracer = Tracer("-p", "%d,%d" % (one.pid, two.pid), "--no-children")
        one.do("go 1")
        two.do("go 2")
        events = tracer.stop()
        self.assertEqual(len(of_process(events, one.pid)), BOUNDARIES)
        self.assertEqual(len(of_process(events, two.pid)), 2 * BOUNDARIES)
        check_books(self, events)


class Limits(Links):
    """Open files: the limit of the caller is not that of the tracer."""

    def limited(self, soft, hard):
        return {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))}

    def test_the_soft_limit_is_raised(self):
        """A hundred binaries with a soft limit of 64."""
        runners = [self.runner(path) for path in copies(self.directory, 100)]
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        tracer = Tracer("-p", ",".join(str(runner.pid) for runner in runners),
                        **self.limited(64, hard))
        for runner in runners:
            runner.do("go 1")
        events = tracer.stop()
        self.assertEqual(len(runner_events(events)), 100 * BOUNDARIES)
        self.assertNotIn("processes_untraced", check_books(self, events))

    def test_the_command_has_its_own(self):
        status, output, words = run("record", "-o", "/dev/null", "--", "sh", "-c", "ulimit -n",
                                    **self.limited(200, 400))
        self.assertEqual(output, "200\n", words)

    def test_more_binaries_than_fit(self):
        """The recording goes on, says what it leaves out, and fails. When there is room again it
        attaches to what it left out. The runners are children of this process: the few descriptors
        must not go to binaries of other tests."""
        runners = [self.runner(path) for path in copies(self.directory, 60)]
        tracer = Tracer("-p", str(os.getpid()), "--linger", "0", **self.limited(100, 100))
        left_out = [line for line in tracer.words if "too many binaries" in line]
        self.assertIn("100 open files", left_out[0])
        self.assertIn("LimitNOFILE", left_out[0])
        attached = self.attached_exes(tracer)
        out = [runner for runner in runners if runner.process.args[0] not in attached]
        self.assertGreater(len(out), 0)
        self.assertGreater(len(attached), 0)
        for runner in runners:
            runner.do("go 1")
        for runner in runners:
            if runner not in out:
                runner.close()
        paths = {runner.process.args[0]: runner for runner in out}
        wait_until(lambda: paths.keys() & self.attached_exes(tracer), "one is attached later")
        later = paths[min(paths.keys() & self.attached_exes(tracer))]
        later.do("go 1")
        tracer.process.send_signal(signal.SIGINT)
        status = tracer.wait()
        if paths.keys() - self.attached_exes(tracer):
            self.assertEqual(status, 1)
        events = tracer.events()
        self.assertEqual(len(of_process(events, later.pid)), BOUNDARIES)
        check_books(self, events)

    def attached_exes(self, tracer):
        return {event["exe"] for event in self.attached(tracer)}

    def attached(self, tracer):
        tracer.written("trace.attached", self.directory)
        with open(tracer.path, encoding="utf-8") as file:
            lines = [line for line in file if line.endswith("\n") and "trace.attached" in line]
        return of_exe([json.loads(line) for line in lines], self.directory)

    def test_a_limit_that_permits_nothing(self):
        """Exit status 1, and not 0 with nothing seen."""
        runner = self.runner(target("spans"))
        for arguments in (("-p", str(runner.pid)), ("-x", target("spans"))):
            status, _, words = run("record", "-o", "/dev/null", *arguments,
                                   **self.limited(40, 40))
            self.assertEqual(status, 1, words)
            self.assertIn("open files", words)
            self.assertNotIn("writing to the file", words)

    def test_a_limit_that_permits_no_binary(self):
        """The reason is not that there are no probes."""
        with Runner(copy_of(self.directory, "spans")) as runner:
            tracer = Tracer("-p", str(runner.pid))
            needed = len(open_files(tracer.process.pid))
            tracer.stop()
            for target_pid in (runner.pid, os.getpid()):
                status, _, words = run("record", "-o", "/dev/null", "-p", str(target_pid),
                                       **self.limited(needed + 5, needed + 5))
                self.assertEqual(status, 1, words)
                self.assertIn("too many binaries", words)
                self.assertIn("no binary of process %d or its children could be attached"
                              % target_pid, words)


class LetGo(Links):
    """Files that no process runs are not held: their file system can be unmounted."""

    def setUp(self):
        super().setUp()
        needs.mounts()
        self.mount = os.path.join(self.directory, "mount")
        os.mkdir(self.mount)
        subprocess.run(["mount", "-t", "tmpfs", "none", self.mount], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.mount], stderr=subprocess.DEVNULL)
        self.program = copy_of(self.mount, "spans")

    def umount(self):
        return subprocess.run(["umount", self.mount], stderr=subprocess.DEVNULL).returncode == 0

    def await_umount(self):
        """Other tracers of the machine may have the file attached for a minute more."""
        wait_until(self.umount, "the file system is not busy any more")

    def run_once(self, tracer, word):
        with Runner(self.program) as runner:
            tracer.written(word, self.program)
            runner.do("go 1")

    def test_after_a_while(self):
        tracer = Tracer(*everyone(), "--linger", "10ms")
        self.run_once(tracer, "trace.attached")
        tracer.written("trace.detached", self.program)
        self.await_umount()
        tracer.stop()

    def check_hangup(self, *arguments):
        tracer = Tracer(*arguments)
        self.run_once(tracer, "trace.attached")
        tracer.written('"fragment.update"', "completed")
        self.assertFalse(self.umount())
        tracer.process.send_signal(signal.SIGHUP)
        tracer.written("trace.detached", self.program)
        return tracer

    def test_on_a_hangup(self):
        tracer = self.check_hangup(*everyone(), "--linger", "1h")
        self.await_umount()
        tracer.stop()

    def test_on_a_hangup_also_a_file_that_was_named(self):
        """It is attached again when a process executes it."""
        tracer = self.check_hangup("-x", self.program)
        with Runner(self.program) as runner:
            tracer.written("trace.attached", '"pids":[%d]' % runner.pid)
            runner.do("go 1")
            tracer.process.send_signal(signal.SIGHUP)  # it is in use now
            runner.do("go 1")
        events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 2 * BOUNDARIES)
        check_books(self, events)


class Replaced(Links):
    """-x names a path, and the file there is replaced."""

    def test_by_a_file_without_probes_and_back(self):
        program = copy_of(self.directory, "spans")
        tracer = Tracer("-x", program)
        self.replace(program, "/bin/true")
        tracer.lines.until("no steptrace probes in '%s'" % program)
        self.replace(program, "/bin/false")
        tracer.lines.until("no steptrace probes in '%s'" % program)
        self.replace(program, built("spans"))
        attached = tracer.lines.until("attached to '%s'" % program)
        self.assertEqual([line for line in attached if "no steptrace probes" in line], [])
        with Runner(program) as runner:
            runner.do("go 1")
        events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), BOUNDARIES)
        check_books(self, events)

    def replace(self, program, by):
        new = program + ".new"
        subprocess.run(["cp", by, new], check=True)
        os.rename(new, program)


if __name__ == "__main__":
    import unittest
    unittest.main()
