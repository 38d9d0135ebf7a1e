# SPDX-License-Identifier: BSD-2-Clause
"""Attaching by pid, by binary and by command; in the middle of a command; again and again under
load."""
import os
import signal
import subprocess
import tempfile
import unittest

import needs
from harness import (PATIENCE_S, EndToEnd, Lines, Runner, STEPTRACE, Tracer, check_books, completed,
                     read_events, run, runner_events, started, steps, target, wait_until)


class Attach(EndToEnd):
    def test_in_the_middle_of_a_command(self):
        """Its duration is known only if another recorder was attached when it began."""
        with Runner() as runner:
            is_stamped = runner.do("open") == ["stamped 1"]
            runner.do("step 0")
            runner.do("step 1")
            tracer = Tracer("-p", str(runner.pid))
            runner.do("step 2")
            runner.do("close")
            runner.do("go 1")
            events = tracer.stop()
        held = [event for event in runner_events(events) if event["command_slug"] == "held"]
        self.assertEqual([event["event"] for event in held],
                         ["dsl.step.executed", "command.execution.completed"])
        step, done = held
        self.assertEqual(step["user_id"], "tester")
        self.assertIsNotNone(step["duration_ms"])
        self.assertEqual(done["total_duration_ms"] is not None, is_stamped)
        self.assertIs(done["complete"], False)
        self.assertEqual(done["steps_executed"], 3)
        self.assertEqual(done["steps_lost"], 2)
        self.assertIs(completed(events)[1]["complete"], True)
        check_books(self, events)

    def test_detached_in_the_middle_and_attached_again(self):
        with Runner() as runner:
            first = Tracer("-p", str(runner.pid))
            runner.do("open")
            runner.do("step 0")
            before = first.stop()
            runner.do("step 1")
            second = Tracer("-p", str(runner.pid))
            runner.do("step 2")
            runner.do("close")
            after = second.stop()
        self.assertEqual(len(started(before)), 1)
        self.assertEqual(len(completed(before)), 0)
        self.assertEqual(started(before)[0]["execution_id"], steps(after)[0]["execution_id"])
        done = completed(after)[0]
        self.assertIsNotNone(done["total_duration_ms"])
        self.assertEqual((done["steps_executed"], done["steps_lost"], done["complete"]),
                         (3, 2, False))

    def test_two_tracers_see_the_same(self):
        with Runner() as runner:
            first = Tracer("-p", str(runner.pid))
            second = Tracer("-p", str(runner.pid))
            runner.do("go 2")
            events = [first.stop(), second.stop()]
        for stream in events:
            check_books(self, stream)
        self.assertEqual([event["execution_id"] for event in runner_events(events[0])],
                         [event["execution_id"] for event in runner_events(events[1])])
        self.assertEqual(len(runner_events(events[0])), 14)

    def test_ten_times_under_load(self):
        expected = subprocess.run([target("load"), "300000"], capture_output=True, check=True)
        runner = subprocess.Popen([target("load"), "300000"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        hits = 0
        for _ in range(10):
            tracer = Tracer("-p", str(runner.pid), "--count", "1500")
            status = tracer.wait()
            self.assertEqual(status, 0)
            events = tracer.events()
            stopped = check_books(self, events)
            self.assertEqual(stopped["events"], 1500)
            reasons = stopped["lost_by_reason"]
            self.assertEqual([reasons[why] for why in ("unreadable", "invalid", "unattributed")],
                             [0, 0, 0])
            hits += stopped["hits"]
        output, _ = runner.communicate(b"end\n")
        self.assertEqual(runner.returncode, 0)
        self.assertEqual(output, expected.stdout)
        self.assertGreaterEqual(hits, 15000)

    def semaphores_are_equal(self, runner, other):
        wait_until(lambda: runner.semaphore() == other.semaphore(),
                   "the semaphore of the runner has the value of one that we never attached to")

    def test_semaphores_return_to_zero(self):
        """`other` executes the same file and is not traced by us. Its semaphore is 0, unless
        another recorder on this machine attaches to every process. The kernel raises a semaphore
        once for a probe, no matter how many tracers use it."""
        with Runner() as runner, Runner() as other:
            self.semaphores_are_equal(runner, other)
            tracer = Tracer("-p", str(runner.pid))
            self.assertGreater(runner.semaphore(), 0)
            tracer.stop()
            self.semaphores_are_equal(runner, other)
            tracer = Tracer("-p", str(runner.pid))
            self.assertGreater(runner.semaphore(), 0)
            tracer.process.kill()
            tracer.wait()
            self.semaphores_are_equal(runner, other)
            self.assertEqual(runner.do("go 1"), [])

    def test_a_tiny_buffer_loses_and_says_so(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--buffer", "64K", "--flush", "60s")
            tracer.freeze()
            runner.do("go 2000")
            tracer.thaw()
            tracer.written("trace.lost")
            runner.do("go 1")
            events = tracer.stop()
        stopped = check_books(self, events)
        self.assertEqual(stopped["hits"], 14007)
        self.assertGreater(stopped["lost_by_reason"]["buffer_full"], 10000)
        said = sum(event["lost"] for event in events if event["event"] == "trace.lost")
        self.assertEqual(said, stopped["lost"])
        self.assertTrue(completed(events)[-1]["complete"])
        for done in completed(events):
            execution = [step for step in steps(events)
                         if step["execution_id"] == done["execution_id"]]
            self.assertEqual(done["steps_lost"], 5 - len(execution))
            begun = any(start["execution_id"] == done["execution_id"] for start in started(events))
            self.assertEqual(done["complete"], begun and len(execution) == 5)

    def test_several_pids(self):
        with Runner() as one, Runner() as two, Runner() as three:
            tracer = Tracer("-p", "%d,%d" % (one.pid, two.pid))
            for runner in (one, two, three):
                runner.do("go 1")
            events = tracer.stop()
            pids = {event["source"]["pid"] for event in runner_events(events)}
            self.assertEqual(pids, {one.pid, two.pid})
            self.assertEqual(len(runner_events(events)), 14)

    def test_a_binary_and_its_later_processes(self):
        with Runner() as early:
            tracer = Tracer("-x", target("spans"))
            with Runner() as late:
                early.do("go 1")
                late.do("go 1")
                events = tracer.stop()
                self.assertEqual({event["source"]["pid"] for event in runner_events(events)},
                                 {early.pid, late.pid})

    def test_a_command_from_its_first_boundary(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events")
            status, output, words = run("record", "-o", path, "--", target("spans"),
                                        input="go 2\nquit\n")
            events = read_events(path)
        self.assertEqual((status, output), (0, "ok\n"))
        self.assertEqual(len(runner_events(events)), 14)
        self.assertEqual(events[-1]["reason"], "target_exited")
        self.assertIn("14 events, 0 lost", words)

    def test_the_command_decides_the_exit_status(self):
        status, _, _ = run("record", "--", target("load"), "bad-number")
        self.assertEqual(status, 3)

    def test_the_end_of_the_process_ends_the_trace(self):
        runner = Runner()
        tracer = Tracer("-p", str(runner.pid))
        runner.do("go 1")
        runner.close()
        events = tracer.ended()
        self.assertEqual(events[-1]["reason"], "target_exited")
        self.assertEqual(len(runner_events(events)), 7)

    def test_duration_ends_the_trace(self):
        """Also when the next flush is far away."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--duration", "200ms", "--flush", "60s")
            runner.do("go 1")
            events = tracer.ended()
        self.assertEqual(events[-1]["reason"], "duration")
        self.assertEqual(len(runner_events(events)), 7)

    def test_a_fork_lives_on(self):
        """The runner has reached its probes before the fork: the kernel may have replaced the
        instructions there."""
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid))
            runner.do("go 3")
            ends = [runner.do("fork")[0].split()[2] for _ in range(3)]
            runner.do("open")
            runner.do("continue")
            events = tracer.stop()
        self.assertEqual(ends, ["0"] * 3)
        self.assertEqual(len(completed(events)), 7)
        check_books(self, events)

    def test_a_fork_lives_on_while_other_tracers_start(self):
        """Each tracer tries the probe sites on itself before it attaches. Several that do so at the
        same moment must not choose a site that harms a fork."""
        with Runner() as runner:
            for _ in range(6):
                tracers = [subprocess.Popen(
                    [STEPTRACE, "record", "-p", str(runner.pid), "-o", "/dev/null"],
                    stderr=subprocess.PIPE, bufsize=0) for _ in range(4)]
                words = [Lines(tracer.stderr, "steptrace") for tracer in tracers]
                for said in words:
                    said.until("attached to")
                runner.do("go 3")
                ends = [runner.do("fork")[0].split()[2] for _ in range(3)]
                for tracer, said in zip(tracers, words):
                    tracer.send_signal(signal.SIGINT)
                    said.rest()
                    self.assertEqual(tracer.wait(PATIENCE_S), 0)
                self.assertEqual(ends, ["0"] * 3)

    def test_fork_has_its_own_ids(self):
        with Runner() as runner:
            tracer = Tracer("-x", target("spans"))
            child = int(runner.do("fork")[0].split()[1])
            runner.do("go 1")
            events = tracer.stop()
        self.assertEqual([start["source"]["pid"] for start in started(events)],
                         [child, runner.pid])
        self.assertEqual(len({event["execution_id"] for event in started(events)}), 2)

    def test_a_command_that_goes_on_in_a_child(self):
        with Runner() as runner:
            tracer = Tracer("-x", target("spans"))
            runner.do("open")
            runner.do("continue")
            events = tracer.stop()
        self.assertEqual([event["event"] for event in runner_events(events)],
                         ["command.execution.started", "dsl.step.executed",
                          "command.execution.completed"])
        self.assertEqual(len({event["execution_id"] for event in runner_events(events)}), 1)
        self.assertEqual(check_books(self, events)["lost_by_reason"]["unattributed"], 0)

    def test_in_a_pid_namespace_of_its_own(self):
        needs.namespaces("--pid", "--fork")
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "events")
            done = subprocess.run(["unshare", "-pf", STEPTRACE, "record", "-o", path,
                                   "--", target("spans")], input="go 2\n", text=True,
                                  capture_output=True)
            events = read_events(path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(runner_events(events)), 14)
        self.assertLess(max(event["source"]["pid"] for event in runner_events(events)), 20)

    def test_the_command_still_gets_its_signals(self):
        """The recording ends early, by --count. The command goes on, and a SIGTERM for the tracer
        is passed to it."""
        tracer = subprocess.Popen([STEPTRACE, "record", "-o", "/dev/null", "--count", "1", "--",
                                   target("load"), "1000"], stdin=subprocess.PIPE,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, bufsize=0)
        said = Lines(tracer.stderr, "steptrace")
        said.until("1 event, 0 lost")
        tracer.send_signal(signal.SIGTERM)
        self.assertEqual(tracer.wait(PATIENCE_S), 128 + signal.SIGTERM)
        tracer.stdin.close()
        said.rest()

    def test_a_deleted_binary(self):
        with tempfile.TemporaryDirectory() as directory:
            copy = os.path.join(directory, "moved")
            subprocess.run(["cp", target("spans"), copy], check=True)
            with Runner(copy) as runner:
                runner.do("go 1")
                os.unlink(copy)
                tracer = Tracer("-p", str(runner.pid))
                runner.do("go 1")
                self.assertEqual(len(runner_events(tracer.stop())), 7)

    def test_a_shared_library(self):
        with Runner(target("dlopener")) as runner:
            runner.do("0")
            tracer = Tracer("-p", str(runner.pid))
            runner.do("3")
            events = tracer.stop()
        self.assertEqual(len(runner_events(events)), 9)
        self.assertEqual({event["command_slug"] for event in runner_events(events)},
                         {"from.a.library"})


class Listing(EndToEnd):
    def test_a_binary(self):
        status, output, _ = run("list", target("spans"))
        self.assertEqual(status, 0)
        self.assertIn("8/8", output)
        self.assertIn(target("spans"), output)

    def test_running_processes(self):
        with Runner() as runner:
            runner.do("go 0")
            status, output, _ = run("list")
        rows = [line.split() for line in output.splitlines()[1:]]
        self.assertEqual(status, 0)
        self.assertEqual([row[1] for row in rows if row[0] == str(runner.pid)], ["spans"])

    def test_a_binary_without_probes(self):
        status, output, words = run("list", "/bin/ls")
        self.assertEqual((status, output), (1, ""))
        self.assertIn("no steptrace probes in '/bin/ls'", words)

    def test_the_tracer_carries_none_itself(self):
        status, _, _ = run("list", STEPTRACE)
        self.assertEqual(status, 1)


if __name__ == "__main__":
    unittest.main()
