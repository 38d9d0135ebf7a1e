# SPDX-License-Identifier: BSD-2-Clause
"""Which processes are followed: those of -p and their children, every process of a binary (-x), all
(-a)."""
import os
import signal
import subprocess
import sys

import needs
from harness import (PATIENCE_S, ROOT, STEPTRACE, Runner, Scenario, Tracer, check_books, completed,
                     copy_of, everyone, named, of_exe, of_kind, of_process, read_events, run,
                     runner_events, started, target, wait_until)

CARRIER = [sys.executable, os.path.join(ROOT, "tests", "targets", "carrier.py")]


def pids_of(events):
    return sorted(event["source"]["pid"] for event in started(events))


class Follow(Scenario):
    def carrier(self):
        """A python3 with the library loaded."""
        runner = Runner(CARRIER)
        self.addCleanup(runner.close)
        runner.do("load " + copy_of(self.directory, "libcarrier.so"))
        return runner


class Forks(Follow):
    def test_children_and_grandchildren(self):
        with Runner() as stranger:
            runner = self.carrier()
            tracer = Tracer("-p", str(runner.pid))
            runner.do("fork 2")
            runner.do("go 1")
            stranger.do("go 1")
            events = tracer.stop()
        pids = pids_of(events)
        self.assertEqual(len(set(pids)), 3)
        self.assertEqual(sorted(pids.count(pid) for pid in set(pids)), [1, 2, 2])
        self.assertNotIn(stranger.pid, pids)
        self.assertEqual(len(runner_events(events)), 15)
        self.assertEqual(check_books(self, events)["hits"], 15)

    def check_server(self, hire_first):
        runner = self.carrier()
        workers = runner.do("workers 4") if hire_first else []
        pids = [str(runner.pid)] + [line.split()[1] for line in workers]
        tracer = Tracer("-p", ",".join(pids))
        workers = workers or runner.do("workers 4")
        runner.do("each 3")
        runner.do("hatch 2")
        runner.do("each 1")
        events = tracer.stop()
        pids = {int(line.split()[1]) for line in workers}
        self.assertEqual(len(of_process(events, *pids)), 4 * 4 * 3)
        self.assertEqual(len(runner_events(events)), 4 * 6 * 3)
        self.assertEqual(len(set(pids_of(events))), 8)
        check_books(self, events)

    def test_a_server_that_forks_its_workers_later(self):
        self.check_server(hire_first=False)

    def test_a_server_whose_workers_are_named(self):
        self.check_server(hire_first=True)

    def server(self):
        """A carrier, four children of it, and a grandchild."""
        runner = self.carrier()
        workers = [int(line.split()[1]) for line in runner.do("workers 4")]
        return runner, workers

    def test_children_that_exist_already(self):
        """They belong to the process that was named. So do their children."""
        runner, workers = self.server()
        tracer = Tracer("-p", str(runner.pid))
        runner.do("each 3")
        events = tracer.stop()
        self.assertEqual(sorted(set(pids_of(events))), sorted(workers))
        self.assertEqual(len(of_process(events, *workers)), 4 * 3 * 3)
        check_books(self, events)

    def test_descendants_of_a_process_without_probes(self):
        """A shell has none. The process below it has."""
        with Runner(["sh", "-c", "sh -c '%s; true'; true" % target("spans")]) as runner:
            runner.do("go 1")
            tracer = Tracer("-p", str(runner.pid))
            runner.do("go 2")
            events = tracer.stop()
        self.assertEqual(len(runner_events(events)), 14)
        self.assertNotIn(runner.pid, pids_of(events))

    def test_a_process_without_probes_and_without_children(self):
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as cat:
            status, _, words = run("record", "-p", str(cat.pid), "--duration", "1ms")
        self.assertEqual(status, 1)
        self.assertIn("runs nothing with steptrace probes, nor do its children", words)

    def test_the_recording_ends_with_the_last_of_them(self):
        """A child that existed before the recording goes on after its parent."""
        pipe_in, pipe_out = os.pipe()
        shell = Runner(["sh", "-c", "%s </dev/fd/%d & read word" % (target("spans"), pipe_in)],
                       pass_fds=[pipe_in])
        os.close(pipe_in)
        os.write(pipe_out, b"go 1\n")
        shell.lines.until("ok")
        tracer = Tracer("-p", str(shell.pid))
        shell.order("end")
        shell.process.wait(PATIENCE_S)
        os.write(pipe_out, b"go 2\nquit\n")
        os.close(pipe_out)
        self.assertEqual(tracer.wait(), 0)
        shell.close()
        events = tracer.events()
        self.assertEqual(len(runner_events(events)), 14)
        self.assertEqual(events[-1]["reason"], "target_exited")
        check_books(self, events)

    def test_without_children(self):
        """Neither those that exist nor those that are forked later. The recording ends with the
        process itself."""
        runner, workers = self.server()
        tracer = Tracer("-p", str(runner.pid), "--no-children")
        runner.do("each 3")
        runner.do("fork 2")
        runner.do("go 2")
        runner.order("orphan 4")
        runner.process.wait(PATIENCE_S)
        events = tracer.ended()
        self.assertEqual(set(pids_of(events)), {runner.pid})
        check_books(self, events)

    def test_a_child_that_runs_another_runner(self):
        """No process has executed that binary before: its boundaries count from the moment when it
        is attached."""
        other = copy_of(self.directory, "spans")
        with Runner(["sh", "-c", "exec " + target("spans")]) as runner:
            tracer = Tracer("-p", str(runner.pid))
            runner.order("run " + other)
            child = int(runner.lines.until("child")[-1].split()[1])
            attached = tracer.written("trace.attached", other)
            runner.order("go 2")  # the child reads the same pipe
            runner.lines.until("ok")
            runner.order("quit")
            runner.lines.until("ok")
            events = tracer.stop()
        self.assertIn('"pids":[%d]' % child, attached.replace(" ", ""))
        self.assertEqual(len(of_process(events, child)), 14)
        check_books(self, events)

    def test_threads(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            runner.do("threads 10")
            events = tracer.stop()
        self.assertEqual(len(completed(events)), 80)
        self.assertEqual({event["source"]["pid"] for event in runner_events(events)}, {runner.pid})
        self.assertEqual(len({event["source"]["tid"] for event in completed(events)}), 8)
        self.assertTrue(all(done["complete"] for done in completed(events)))
        check_books(self, events)

    def test_a_process_whose_first_thread_is_over(self):
        """The process looks like a zombie, while its other threads work."""
        runner = Runner(CARRIER[:1] + ["-c", LEADERLESS, target("libcarrier.so")])
        self.addCleanup(runner.close)
        runner.lines.until("alone")
        tracer = Tracer("-p", str(runner.pid))
        runner.do("go")
        _, listed, _ = run("list")
        status, found, _ = run("doctor", "-p", str(runner.pid))
        events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 3)
        check_books(self, events)
        rows = [line.split() for line in listed.splitlines()]
        self.assertEqual([row[-1] for row in rows if row[0] == str(runner.pid)],
                         [target("libcarrier.so")])
        self.assertEqual(status, 0, found)
        self.assertIn(target("libcarrier.so"), found)
        self.assertIn("a tracer is attached", found)
        self.assertIn("pid namespace", found)

    def test_children_that_outlive_their_parent(self):
        """The recording ends with the last of them."""
        runner = self.carrier()
        tracer = Tracer("-p", str(runner.pid))
        runner.order("orphan 4")
        child = int(runner.lines.until("orphan")[-1].split()[1])
        runner.process.wait(PATIENCE_S)
        events = tracer.ended()
        self.assertEqual(pids_of(events), [child] * 4)
        self.assertEqual(len(of_process(events, child)), 12)
        self.assertEqual(events[-1]["reason"], "target_exited")
        check_books(self, events)


# The main thread ends by itself; python would wait for the others.
LEADERLESS = """
import ctypes, os, sys, threading, time
library, libc = ctypes.CDLL(sys.argv[1]), ctypes.CDLL(None)
def work():
    status = "/proc/self/status"
    while "State:\\tZ" not in open("/proc/%d/status" % os.getpid()).read():
        time.sleep(0.002)
    os.write(1, b"alone\\n")
    for line in sys.stdin:
        library.carrier_run(1)
        os.write(1, b"ok\\n")
    os._exit(0)
threading.Thread(target=work).start()
libc.syscall(60, 0)
"""


class Commands(Follow):
    def test_a_shell_that_runs_runners(self):
        """The shell has no probes. The first process of a new binary is attached while it runs,
        later ones are recorded from their first boundary."""
        spans = copy_of(self.directory, "spans")
        script = "{0}; {0}; echo 'go 3' | {0}; exit 5".format(spans)
        with Runner(spans) as stranger:
            tracer = Tracer("--", "sh", "-c", script, stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)
            tracer.written("trace.attached", spans)
            tracer.process.stdin.write(b"go 1\nquit\n")
            tracer.written("command.execution.completed", '"fragment.update"')
            tracer.process.stdin.write(b"go 2\n")
            tracer.process.stdin.close()
            stranger.do("go 1")
            self.assertEqual(tracer.wait(), 5)
            events = tracer.events()
        pids = pids_of(events)
        self.assertEqual(sorted(pids.count(pid) for pid in set(pids)), [1, 2, 3])
        self.assertNotIn(stranger.pid, pids)
        self.assertEqual(len(runner_events(events)), 42)
        self.assertEqual(len(of_kind(events, "trace.attached")), 1)
        self.assertEqual(events[-1]["reason"], "target_exited")
        check_books(self, events)

    def test_a_command_without_any_probes(self):
        path = os.path.join(self.directory, "events")
        status, output, words = run("record", "-o", path, "--", "sh", "-c", "echo out; kill -9 $$")
        events = read_events(path)
        self.assertEqual((status, output), (137, "out\n"), words)
        self.assertEqual(runner_events(events), [])
        check_books(self, events)

    def test_what_is_left_behind_is_not_waited_for(self):
        """The recording ends with the command, not with its children."""
        pipe_in, pipe_out = os.pipe()
        script = "%s </dev/fd/%d 2>/dev/null & read word" % (target("spans"), pipe_in)
        tracer = Tracer("--", "sh", "-c", script, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                        pass_fds=[pipe_in])
        tracer.written("trace.attached")
        os.write(pipe_out, b"open\n")
        tracer.written("command.execution.started")
        tracer.process.stdin.close()
        self.assertEqual(tracer.wait(), 1)  # of `read`
        os.close(pipe_out)
        os.close(pipe_in)
        events = tracer.events()
        self.assertEqual(events[-1]["reason"], "target_exited")
        self.assertEqual(len(runner_events(events)), 1)
        check_books(self, events)


class Binaries(Follow):
    def test_processes_from_before_and_after(self):
        spans = copy_of(self.directory, "spans")
        with Runner(spans) as early, Runner() as stranger:
            tracer = Tracer("-x", spans)
            other = os.path.join(self.directory, "other")
            subprocess.run(["cp", spans, other], check=True)
            with Runner(spans) as late, Runner(other) as late_stranger:
                for runner in (early, late, stranger, late_stranger):
                    runner.do("go 1")
                events = tracer.stop()
        self.assertEqual(pids_of(events), sorted([early.pid, late.pid]))
        self.assertEqual(len(of_kind(events, "trace.attached")), 1)
        check_books(self, events)

    def test_nobody_runs_it_yet(self):
        spans = copy_of(self.directory, "spans")
        tracer = Tracer("-x", spans, "--linger", "1ms")
        with Runner(spans) as late:
            late.do("go 1")
            events = tracer.stop()
        self.assertEqual(len(of_process(events, late.pid)), 7)
        self.assertEqual(of_kind(events, "trace.detached"), [])  # it was named

    def test_two_binaries(self):
        spans = copy_of(self.directory, "spans")
        with Runner() as one, Runner(spans) as two:
            tracer = Tracer("-x", spans, "-x", target("spans"))
            for runner in (one, two):
                runner.do("go 1")
            events = tracer.stop()
        self.assertEqual(len(of_process(events, one.pid, two.pid)), 14)
        self.assertEqual(len(of_kind(events, "trace.attached")), 2)

    def test_a_library(self):
        """In every process that loads it, whatever its program is."""
        dlopener = copy_of(self.directory, "dlopener", "libcarrier.so")
        library = os.path.join(self.directory, "libcarrier.so")
        with Runner(dlopener) as one:
            one.do("0")
            tracer = Tracer("-x", library)
            with Runner(CARRIER) as two:
                two.do("load " + library)
                one.do("1")
                two.do("go 2")
                events = tracer.stop()
        self.assertEqual(len(of_process(events, one.pid)), 3)
        self.assertEqual(len(of_process(events, two.pid)), 6)
        check_books(self, events)


class Libraries(Follow):
    def test_loaded_long_after_the_attachment(self):
        runner = self.carrier()
        late = os.path.join(self.directory, "late.so")
        subprocess.run(["cp", target("libcarrier.so"), late], check=True)
        tracer = Tracer("-p", str(runner.pid))
        runner.do("go 1")
        runner.do("load " + late)
        attached = tracer.written("trace.attached", late)
        runner.do("go 2")
        events = tracer.stop()
        self.assertIn('"pids":[%d]' % runner.pid, attached.replace(" ", ""))
        self.assertEqual(len(runner_events(events)), 9)
        self.assertEqual(len(of_kind(events, "trace.attached")), 2)
        check_books(self, events)

    def test_of_everybody(self):
        """Loaded before, in a program that starts later, and in one that runs already."""
        dlopener = copy_of(self.directory, "dlopener", "libcarrier.so")
        library = os.path.join(self.directory, "libcarrier.so")
        python3 = os.path.join(self.directory, named("python3"))
        os.symlink(sys.executable, python3)
        with Runner(dlopener) as before, Runner([python3, *CARRIER[1:]]) as python:
            before.do("0")
            tracer = Tracer(*everyone())
            before.do("1")
            late = os.path.join(self.directory, "late.so")
            subprocess.run(["cp", library, late], check=True)
            python.do("load " + late)
            tracer.written("trace.attached", late)
            python.do("go 2")
            with Runner(dlopener) as after:
                after.do("3")
                events = tracer.stop()
        for pid, count in ((before.pid, 3), (python.pid, 6), (after.pid, 9)):
            self.assertEqual(len(of_process(events, pid)), count)
        self.assertEqual([event["event"] for event in of_exe(events, self.directory)],
                         ["trace.attached"] * 2)


class All(Follow):
    def test_runners_from_before_and_after(self):
        known, new = copy_of(self.directory, "spans"), os.path.join(self.directory, named("new"))
        subprocess.run(["cp", known, new], check=True)
        with Runner(known) as early:
            tracer = Tracer(*everyone()[1:])  # all is the default
            with Runner(known) as late, Runner(new) as fresh:
                tracer.written("trace.attached", new)
                for runner in (early, late, fresh):
                    runner.do("go 1")
                events = tracer.stop()
        for runner in (early, late, fresh):
            self.assertEqual(len(of_process(events, runner.pid)), 7)
        attached = of_kind(of_exe(events, self.directory), "trace.attached")
        self.assertEqual([event["exe"] for event in attached], [known, new])
        self.assertEqual([event["pids"] for event in attached], [[early.pid], [fresh.pid]])
        self.assertEqual(events[0]["targets"], ["all"])
        check_books(self, events)

    def test_a_runner_that_becomes_another_program(self):
        """It executes another program before the tracer can look at it. What the tracer finds then
        says nothing about the binary of the runner."""
        spans = copy_of(self.directory, "spans")
        tracer = Tracer(*everyone())
        tracer.freeze()
        with Runner(spans) as quick:
            quick.order("become /bin/cat")
            wait_until(lambda: os.readlink("/proc/%d/exe" % quick.pid) != spans, "an exec")
            tracer.thaw()
            self.look_at_another(tracer)
            with Runner(spans) as runner:
                tracer.written("trace.attached", spans)
                runner.do("go 1")
                events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 7)
        check_books(self, events)

    def look_at_another(self, tracer):
        """Records are read in their order: once this process is attached the earlier records have
        been read."""
        other = os.path.join(self.directory, named("other"))
        subprocess.run(["cp", target("spans"), other], check=True)
        with Runner(other):
            tracer.written("trace.attached", other)

    def test_two_tracers(self):
        with Runner(copy_of(self.directory, "spans")) as runner:
            first, second = Tracer(*everyone()), Tracer(*everyone())
            runner.do("go 3")
            events = [first.stop(), second.stop()]
        seen = [[event["execution_id"] for event in of_process(stream, runner.pid)]
                for stream in events]
        self.assertEqual(len(seen[0]), 21)
        self.assertEqual(seen[0], seen[1])
        for stream in events:
            check_books(self, stream)

    def test_nothing_runs(self):
        """In a pid namespace of its own it sees no other process, nor one that starts later."""
        needs.namespaces("--mount", "--pid", "--fork", "--mount-proc")
        path = os.path.join(self.directory, "events")
        tracer = subprocess.Popen(["unshare", "-pf", "--mount-proc", "--kill-child",
                                   STEPTRACE, "record", "-o", path],
                                  stderr=subprocess.PIPE, text=True)
        words = tracer.stderr.readline()
        for number in range(20):
            folder = os.path.join(self.directory, str(number))
            os.mkdir(folder)
            with Runner(copy_of(folder, "spans")) as runner:
                runner.do("go 1")
        with open("/proc/%d/task/%d/children" % (tracer.pid, tracer.pid), encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGINT)
        words += tracer.communicate(timeout=PATIENCE_S)[1]
        self.assertEqual(tracer.returncode, 0, words)
        self.assertIn("attached to 0 binaries", words)
        self.assertIn("0 events, 0 lost (interrupted)", words)
        events = read_events(path)
        self.assertEqual([event["event"] for event in events], ["trace.started", "trace.stopped"])
        check_books(self, events)


if __name__ == "__main__":
    import unittest
    unittest.main()
