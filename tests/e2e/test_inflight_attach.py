# SPDX-License-Identifier: BSD-2-Clause
"""steptrace inflight --attach: runners whose memory cannot be searched."""
import os
import shutil
import signal
import subprocess
import threading
import time
import unittest

import needs
from harness import (STEPTRACE, EndToEnd, Lines, PATIENCE_S, Runner, Scenario, Tracer, copy_of, run,
                     target, wait_until, with_newer_tags)
from test_inflight import names, parse

HOUR = "1h"


def older(**options):
    """A runner with a header that stores no tags."""
    needs.program("objcopy")
    path = target("hanging")
    subprocess.run(["objcopy", "--remove-section=.note.steptrace", path], check=True)
    return Runner(path, **options)


class Attached:
    """A running `steptrace inflight --attach`, attached when the constructor returns."""

    def __init__(self, *arguments):
        self.process = subprocess.Popen(
            [STEPTRACE, "inflight", "--json", *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0)
        Tracer.running.append(self.process)
        self.errors = Lines(self.process.stderr, "steptrace")
        self.words = self.errors.until("attached to")

    def look(self, stopped_child=None):
        """Ends the waiting: the rows, the summary, the words and the exit status. A child that is
        stopped keeps its standard error open."""
        self.process.send_signal(signal.SIGINT)
        output = self.process.stdout.read().decode()
        status = self.process.wait(PATIENCE_S)
        if stopped_child:
            os.kill(stopped_child, signal.SIGKILL)
        return (*parse(output), "\n".join(self.errors.rest()), status)


class AnotherHeader(Scenario):

    def test_what_began_since(self):
        with older() as runner:
            runner.do("heap")
            before = time.monotonic_ns()
            attached = Attached("--attach", HOUR, "-p", str(runner.pid))
            runner.do("stack sleep")
            runner.do("nested")
            begun = time.monotonic_ns()
            rows, summary, words, status = attached.look()
            after = time.monotonic_ns()
        self.assertEqual(status, 0)
        self.assertEqual(names(rows), [("hang.nested", "InnerStep"), ("hang.stack", "WaitStep")])
        for row in rows:
            self.assertEqual(row["found_in"], "events")
            self.assertGreaterEqual(row["age_ms"] * 1e6, summary["monotonic_ns"] - begun)
            self.assertLessEqual(row["step"]["age_ms"] * 1e6, after - before)
            self.assertEqual(row["source"]["pid"], runner.pid)
            self.assertIsNotNone(row["execution_id"])
            self.assertGreaterEqual(len(row["threads"]), 3)
        nested = [row for row in rows if row["command_slug"] == "hang.nested"][0]
        self.assertEqual([step["step_type"] for step in nested["outer_steps"]],
                         ["MiddleStep", "OuterStep"])
        self.assertEqual((summary["older_headers"], summary["attached"]), (1, 1))
        self.assertGreater(summary["attached_ms"], 0)
        self.assertIn("steptrace attached to 1 of these runners", words)
        self.assertIn("only commands that began or executed a step since then", words)

    def test_what_began_before_and_goes_on(self):
        """The command of `heap` has an open step: its end is not seen. The step after it is."""
        with older() as runner:
            runner.do("heap")
            attached = Attached("--attach", HOUR, "-p", str(runner.pid))
            runner.do("step")
            stepped = time.monotonic_ns()
            rows, summary, _, status = attached.look()
        self.assertEqual(status, 0)
        self.assertEqual(names(rows), [("hang.heap", None)])
        self.assertEqual(rows[0]["steps_executed"], 1)
        self.assertGreaterEqual(rows[0]["age_at_least_ms"] * 1e6,
                                summary["monotonic_ns"] - stepped)

    def test_what_has_ended_is_not_shown(self):
        with older() as runner:
            attached = Attached("--attach", HOUR, "-p", str(runner.pid))
            runner.do("heap")
            runner.do("end")
            rows, _, words, status = attached.look()
        self.assertEqual((status, rows), (0, []))
        self.assertIn("no open command was found", words)

    def test_whether_something_is_older_is_not_known(self):
        with older() as runner:
            attached = Attached("--attach", HOUR, "--older-than", "1h", "-p", str(runner.pid))
            runner.do("heap")
            rows, _, words, status = attached.look()
        self.assertEqual((status, rows), (1, []))
        self.assertNotIn("no open command", words)

    def test_beside_a_runner_with_tags(self):
        with older() as runner, Runner(copy_of(self.directory, "hanging")) as other:
            other.do("heap")
            pids = "%d,%d" % (runner.pid, other.pid)
            attached = Attached("--attach", HOUR, "-p", pids)
            runner.do("heap")
            rows, summary, _, status = attached.look()
        self.assertEqual(status, 0)
        self.assertEqual(sorted((row["source"]["pid"], row["found_in"]) for row in rows),
                         sorted([(runner.pid, "events"), (other.pid, "memory")]))
        self.assertEqual((summary["runners"], summary["attached"]), (2, 1))

    def test_a_newer_header(self):
        with Runner(with_newer_tags(target("hanging"))) as runner:
            attached = Attached("--attach", HOUR, "-p", str(runner.pid))
            runner.do("heap")
            rows, summary, _, status = attached.look()
        self.assertEqual((status, names(rows)), (0, [("hang.heap", "HeapStep")]))
        self.assertEqual((summary["newer_headers"], summary["attached"]), (1, 1))

    def test_forked_children(self):
        with older() as runner:
            attached = Attached("--attach", HOUR, "-p", str(runner.pid))
            child = int(runner.do("fork-step")[0].split()[1])
            rows, summary, _, status = attached.look()
            os.kill(child, signal.SIGKILL)
        self.assertEqual(status, 0)
        self.assertEqual(sorted((row["source"]["pid"], *names([row])[0]) for row in rows),
                         [(runner.pid, "hang.fork", None), (child, "hang.fork", "ChildStep")])
        self.assertEqual((summary["older_headers"], summary["attached"]), (2, 2))

    def test_again_and_again(self):
        with older() as runner:
            attached = Attached("--attach", "1ms", "--watch", "100ms", "-p", str(runner.pid))
            output = Lines(attached.process.stdout, "the rows")
            output.until("inflight.summary")
            runner.do("heap")
            self.assertIn("hang.heap", "".join(output.until("HeapStep")))
            runner.do("end")
            output.until('"rows":0')
            attached.process.send_signal(signal.SIGINT)
            output.rest()
            self.assertEqual(attached.process.wait(PATIENCE_S), 0)

    def test_a_runner_that_ends(self):
        with older() as runner:
            attached = Attached("--attach", "1ms", "--watch", "100ms", "-x",
                                "/proc/%d/exe" % runner.pid)
            output = Lines(attached.process.stdout, "the rows")
            runner.do("heap")
            output.until("HeapStep")
            runner.process.kill()
            runner.process.wait()
            output.until('"runners":0')
            output.until('"runners":0')
            attached.process.send_signal(signal.SIGINT)
            output.rest()
            self.assertEqual(attached.process.wait(PATIENCE_S), 0)

    def test_nothing_to_attach_to(self):
        with Runner(target("hanging")) as runner:
            runner.do("heap")
            status, output, words = run("inflight", "--json", "--attach", HOUR, "-p",
                                        str(runner.pid))
        rows, summary = parse(output)
        self.assertEqual((status, names(rows)), (0, [("hang.heap", "HeapStep")]))
        self.assertEqual((rows[0]["found_in"], summary["attached_ms"]), ("memory", None))
        self.assertIn("no runner has an older or newer steptrace.h", words)

    def test_an_ordinary_user(self):
        needs.other_users()
        user = {"user": 12345, "group": 12345, "extra_groups": []}
        with older(**user) as runner:
            program = shutil.copy(STEPTRACE, os.path.dirname(target("hanging")))
            done = subprocess.run(
                [program, "inflight", "--attach", HOUR, "-p", str(runner.pid)],
                capture_output=True, text=True, timeout=PATIENCE_S, check=False, **user)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("missing: CAP_BPF and CAP_PERFMON", done.stderr)

    def child(self, attached):
        path = "/proc/{0}/task/{0}/children".format(attached.process.pid)
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[0])

    def without_its_tracer(self, number, words):
        """What the memory says is shown nevertheless."""
        with older() as runner, Runner(copy_of(self.directory, "hanging")) as other:
            attached = Attached("--attach", HOUR, "-p", "%d,%d" % (runner.pid, other.pid))
            runner.do("heap")
            other.do("heap")
            child = self.child(attached)
            os.kill(child, number)
            stopped = child if number == signal.SIGSTOP else None
            rows, summary, said, status = attached.look(stopped)
        self.assertEqual(status, 1)
        self.assertEqual([(row["source"]["pid"], row["found_in"]) for row in rows],
                         [(other.pid, "memory")])
        self.assertEqual((summary["attached"], summary["attached_ms"]), (0, None))
        self.assertIn("--attach: the process 'steptrace-seen' " + words, said)

    def test_the_child_is_killed(self):
        self.without_its_tracer(signal.SIGKILL, "has ended")

    def test_the_child_is_stopped(self):
        self.without_its_tracer(signal.SIGSTOP, "does not answer")

    def test_the_child_gets_no_signals(self):
        with older() as runner:
            attached = Attached("--attach", HOUR, "-p", str(runner.pid))
            runner.do("heap")
            for number in signal.SIGTERM, signal.SIGINT, signal.SIGHUP:
                os.kill(self.child(attached), number)
            rows, _, _, status = attached.look()
        self.assertEqual((status, names(rows)), (0, [("hang.heap", "HeapStep")]))

    def test_runners_that_end_meanwhile(self):
        """They are passed over, and the others are shown."""
        def begin_and_end(path, is_asked_to_end):
            while not is_asked_to_end.is_set():
                subprocess.run([path], stdin=subprocess.DEVNULL, check=False)

        with older() as runner:
            path = os.readlink("/proc/%d/exe" % runner.pid)
            is_asked_to_end = threading.Event()
            threads = [threading.Thread(target=begin_and_end, args=(path, is_asked_to_end))
                       for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(5):
                attached = Attached("--attach", HOUR, "-x", path)
                runner.do("heap")
                rows, _, words, status = attached.look()
                self.assertEqual((status, names(rows)), (0, [("hang.heap", "HeapStep")]), words)
                runner.do("end")
            is_asked_to_end.set()
            for thread in threads:
                thread.join()

    def test_without_descendants(self):
        with older() as runner:
            child = int(runner.do("fork-step")[0].split()[1])
            attached = Attached("--attach", HOUR, "--no-children", "-p", str(runner.pid))
            runner.do("heap")
            rows, summary, _, status = attached.look()
            os.kill(child, signal.SIGKILL)
        self.assertEqual((status, names(rows)), (0, [("hang.heap", "HeapStep")]))
        self.assertEqual((summary["runners"], summary["attached"]), (1, 1))

    def test_detached_at_the_end(self):
        with older() as runner:
            attached = Attached("--attach", HOUR, "-p", str(runner.pid))
            child = self.child(attached)
            _, _, _, status = attached.look()
            self.assertEqual(status, 0)
            wait_until(lambda: not os.path.exists("/proc/%d" % child), "the child has ended")


if __name__ == "__main__":
    unittest.main()
