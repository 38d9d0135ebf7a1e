# SPDX-License-Identifier: BSD-2-Clause
"""record --overdue: an event for what has been open for too long, while it is still open."""
import json
import os
import shutil
import signal
import subprocess
import time
import unittest

import needs
from harness import (PATIENCE_S, STEPTRACE, EndToEnd, Runner, Scenario, Tracer, check_books,
                     completed, overdue, run, started, target, wait_until, with_newer_tags)

MS = 1000000


def hanging():
    return Runner(target("hanging"))


def is_alone(event):
    """No tracer of the whole machine was attached when the command began."""
    return event["execution_id"] is None


def reached(events):
    """What was reported, each for itself: the step may reach its time a look later than the
    command."""
    return sorted((event["source"]["pid"], event["threshold_ms"], what)
                  for event in overdue(events) for what in event["overdue"])


def all_reached(tracer, times, *pids):
    """Waits until a command and its step in each process were reported for each time."""
    wanted = sorted((pid, threshold, what) for pid in pids for threshold in times
                    for what in ("command", "step"))
    wait_until(lambda: set(wanted) <= set(reached(so_far(tracer))), "all are overdue")
    return wanted


def tid_of(answers):
    return int(answers[0].split()[1])


def names(event):
    return event["command_slug"], event["step"] and event["step"]["step_type"]


def so_far(tracer):
    """The events that are written."""
    return [json.loads(line) for line in tracer.text().splitlines(keepends=True)
            if line.endswith("\n")]


def text_at_the_end(tracer):
    """For an output that is not of whole events."""
    tracer.process.send_signal(signal.SIGINT)
    assert tracer.wait() == 0, tracer.words
    return tracer.text()


def wait_of(pid):
    """The function of the kernel in which the process waits."""
    with open("/proc/%d/wchan" % pid, encoding="ascii") as file:
        return file.read()


def child_of(tracer):
    """The process that looks."""
    def find():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % pid, encoding="utf-8", errors="replace") as file:
                    name, rest = file.read().rsplit(")", 1)
            except OSError:
                continue
            if name.endswith("(steptrace-look") and int(rest.split()[1]) == tracer.process.pid:
                found.append(int(pid))
        return found
    found = []
    wait_until(find, "the process that looks")
    return found[0]


class Overdue(EndToEnd):
    def test_what_began_before_the_recording(self):
        """Nobody was attached when it began, and it never comes back."""
        with hanging() as runner:
            began_ns = time.monotonic_ns()
            tid = tid_of(runner.do("stack futex"))
            tracer = Tracer("-p", str(runner.pid), "--overdue", "300ms,600ms")
            wanted = all_reached(tracer, (300, 600), runner.pid)
            events = tracer.stop()
        self.assertEqual(reached(events), wanted)
        for event in overdue(events):
            self.assertEqual(names(event), ("hang.stack", "WaitStep"))
            if is_alone(event):
                self.assertEqual((event["age_ms"], event["step"]["age_ms"]), (None, None))
            self.assertGreaterEqual(event["age_at_least_ms"], event["threshold_ms"])
            self.assertLessEqual(event["age_at_least_ms"], (event["monotonic_ns"] - began_ns) / MS)
            self.assertEqual(event["thread"]["tid"], tid)
            self.assertEqual(event["source"], {"pid": runner.pid, "uid": os.getuid(),
                                               "comm": "hanging"})
            self.assertEqual((event["correlation_id"], event["user_id"]),
                             ("request-4711", "user-7"))
        check_books(self, events)

    def test_what_began_during_the_recording(self):
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "200ms")
            before_ns = time.monotonic_ns()
            runner.do("stack futex")
            after_ns = time.monotonic_ns()
            wanted = all_reached(tracer, (200,), runner.pid)
            events = tracer.stop()
        self.assertEqual(reached(events), wanted)
        event = overdue(events)[0]
        for age in (event["age_ms"], event["step"]["age_ms"]):
            self.assertLessEqual(before_ns, event["monotonic_ns"] - age * MS + 1)
            self.assertLessEqual(event["monotonic_ns"] - age * MS, after_ns + 1)
        self.assertEqual(event["execution_id"], started(events)[0]["execution_id"])
        check_books(self, events)

    def test_a_thread_that_runs(self):
        """It began before the recording, and its thread does not wait: it is as old as the first
        look that saw it."""
        with hanging() as runner:
            runner.do("stack spin")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "250ms")
            wanted = all_reached(tracer, (250,), runner.pid)
            events = tracer.stop()
        self.assertEqual(reached(events), wanted)
        event = overdue(events)[0]
        if is_alone(event):
            self.assertIsNone(event["age_ms"])
        self.assertGreaterEqual(event["age_at_least_ms"], 250)

    def test_the_heap_and_coroutines(self):
        with hanging() as runner:
            runner.do("heap")
            runner.do("coroutines 1000")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "100ms")
            wait_until(lambda: len(reached(so_far(tracer))) == 2002, "all are overdue")
            events = tracer.stop()
        found = overdue(events)
        self.assertEqual(sorted(set(map(names, found))),
                         [("hang.coroutine", "YieldStep"), ("hang.heap", "HeapStep")])
        self.assertEqual(len(reached(events)), 2002)
        self.assertEqual({event["thread"] for event in found}, {None})
        check_books(self, events)

    def test_no_step_is_open(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "150ms")
            runner.do("open")
            tracer.written('"overdue":["command"]')
            runner.do("close")
            events = tracer.stop()
        event, = overdue(events)
        self.assertIsNone(event["step"])
        self.assertEqual(event["execution_id"], completed(events)[0]["execution_id"])

    def test_parallel_steps(self):
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "150ms")
            runner.do("parallel 3")
            wait_until(lambda: sum("step" in event["overdue"]
                                   for event in overdue(so_far(tracer))) == 3,
                       "three steps are overdue")
            found = overdue(tracer.stop())
        self.assertEqual(sum("command" in event["overdue"] for event in found), 1)
        self.assertEqual(len({event["thread"]["tid"] for event in found
                              if "step" in event["overdue"]}), 3)

    def test_a_copy_in_a_forked_child(self):
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "150ms")
            child = int(runner.do("fork")[0].split()[1])
            try:
                all_reached(tracer, (150,), runner.pid)
                runner.do("end")  # in the parent: from now on it is the child's
                wanted = all_reached(tracer, (150,), runner.pid, child)
                events = tracer.stop()
            finally:
                os.kill(child, signal.SIGKILL)  # it has the output of the runner open
        self.assertEqual(reached(events), wanted)


class Targets(Scenario):
    def test_a_command_and_its_children(self):
        path = target("hanging")
        tracer = Tracer("--overdue", "150ms", "--", "sh", "-c", "%s >/dev/null; true" % path,
                        stdin=subprocess.PIPE)
        tracer.process.stdin.write(b"stack futex\n")
        tracer.process.stdin.flush()
        tracer.written("command.execution.overdue")
        tracer.process.stdin.close()
        self.assertEqual(tracer.wait(), 0)
        self.assertEqual({names(event) for event in overdue(tracer.events())},
                         {("hang.stack", "WaitStep")})

    def test_processes_that_are_no_target(self):
        with hanging() as other, hanging() as runner:
            other.do("stack futex")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "150ms")
            runner.do("stack futex")
            wanted = all_reached(tracer, (150,), runner.pid)
            self.assertEqual(reached(tracer.stop()), wanted)

    def test_a_binary(self):
        path = target("hanging")
        with Runner(target("dlopener")) as other, Runner(path) as runner:
            other.do("-1")
            tracer = Tracer("-x", path, "--overdue", "150ms")
            runner.do("stack futex")
            wanted = all_reached(tracer, (150,), runner.pid)
            self.assertEqual(reached(tracer.stop()), wanted)

    def check_filter(self, runners, arguments, wanted):
        """The others are open as well. At the second time, several looks have seen them."""
        tracer = Tracer("-p", ",".join(str(runner.pid) for runner in runners), "--overdue",
                        "1ms,200ms", *arguments)
        tracer.written('"threshold_ms":200')
        found = {(event["source"]["pid"], event["command_slug"])
                 for event in overdue(tracer.stop())}
        self.assertEqual(found, wanted, arguments)

    def test_filters(self):
        renamed = os.path.join(self.directory, "renamed")
        shutil.copy(target("hanging"), renamed)
        with hanging() as one, Runner(renamed) as other:
            for runner in (one, other):
                runner.do("heap")
            one.do("nested")
            for arguments, wanted in (
                    (("--command", "*.nested"), {(one.pid, "hang.nested")}),
                    (("--command", "!*.heap"), {(one.pid, "hang.nested")}),
                    (("--comm", "ren*"), {(other.pid, "hang.heap")})):
                self.check_filter((one, other), arguments, wanted)

    def test_users(self):
        needs.other_users()
        user = {"user": 12345, "group": 12345, "extra_groups": []}
        with hanging() as one, Runner(target("hanging"), **user) as other:
            for runner in (one, other):
                runner.do("heap")
            self.check_filter((one, other), ("--uid", "12345"), {(other.pid, "hang.heap")})

    def test_a_cgroup(self):
        path = os.path.join(needs.cgroup2(), "steptrace-overdue-%d" % os.getpid())
        os.mkdir(path)
        self.addCleanup(os.rmdir, path)
        with hanging() as inside, hanging() as outside:
            with open(os.path.join(path, "cgroup.procs"), "w", encoding="ascii") as file:
                file.write(str(inside.pid))
            for runner in (inside, outside):
                runner.do("heap")
            self.check_filter((inside, outside), ("--cgroup", path), {(inside.pid, "hang.heap")})

    def test_an_older_header(self):
        needs.program("objcopy")
        path = target("hanging")
        subprocess.run(["objcopy", "--remove-section=.note.steptrace", path], check=True)
        with Runner(path) as runner:
            runner.do("stack futex")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms")
            tracer.lines.until("1 runners were built with an older steptrace.h")
            self.assertEqual(overdue(tracer.stop()), [])

    def test_a_newer_header(self):
        with Runner(with_newer_tags(target("hanging"))) as runner:
            runner.do("stack futex")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms")
            tracer.lines.until("1 runners were built with a steptrace.h that is newer than this "
                               "steptrace")
            self.assertEqual(overdue(tracer.stop()), [])


class Output(Scenario):
    def test_as_text(self):
        with hanging() as runner:
            tid_of(runner.do("stack futex"))
            tracer = Tracer("-p", str(runner.pid), "--overdue", "250ms", "--format", "compact")
            tracer.written("overdue in WaitStep")
            line = [line for line in text_at_the_end(tracer).splitlines() if "overdue" in line][0]
        self.assertRegex(line, r"^\d\d:\d\d:\d\d\.\d+ +%d +[0-9a-f]{8} +hang.stack +overdue in "
                         r"WaitStep only-one +>?[\d.]+ m?s  over 250 ms  sleeping in futex$"
                         % runner.pid)

    def test_whole_ids(self):
        with hanging() as runner:
            tid = tid_of(runner.do("stack futex"))
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms", "--format", "compact",
                            "--ids")
            tracer.written("overdue in WaitStep")
            line = [line for line in text_at_the_end(tracer).splitlines() if "overdue" in line][0]
        self.assertRegex(line, r"  execution [0-9a-f-]{36}  req request-4711  thread %d$" % tid)

    def test_hostile_text(self):
        with hanging() as runner:
            runner.do("hostile")
            for form in ("json", "compact"):
                tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms", "--format", form)
                tracer.written("overdue")
                text = text_at_the_end(tracer)
                self.assertNotRegex(text.replace("\n", ""), r"[\x00-\x1f\x7f]")

    def test_forms_of_the_line(self):
        basic = {"event", "correlation_id", "execution_id", "command_slug", "user_id",
                 "threshold_ms", "overdue"}
        with hanging() as runner:
            runner.do("stack futex")
            for arguments, members in (
                    (("--fields", "seed"), basic),
                    (("--fields", "step.step_type,age_at_least_ms"),
                     {"event", "execution_id", "step", "age_at_least_ms"}),
                    (("--label", "team=notes", "--labels-everywhere", "--fields", "user_id"),
                     {"event", "execution_id", "user_id", "labels"})):
                tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms", *arguments)
                tracer.written("command.execution.overdue")
                text = text_at_the_end(tracer)
                event, = overdue([json.loads(line) for line in text.splitlines()])
                self.assertEqual(set(event), members)

    def test_pseudonyms(self):
        fields = "user_id,correlation_id,command_slug,request_source,step_name,comm"
        with hanging() as runner:
            runner.do("nested")
            runner.do("heap")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms", "--pseudonymize", fields)
            wait_until(lambda: len(overdue(so_far(tracer))) == 2, "both")
            events = tracer.stop()
        text = json.dumps(overdue(events))
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms", "--pseudonymize", fields)
            runner.do("heap")
            tracer.written("command.execution.overdue")
            both = tracer.stop()
        begun, late = started(both)[0], overdue(both)[0]
        for member in ("command_slug", "user_id", "correlation_id", "request_source"):
            self.assertEqual(late[member], begun[member], "the same in all events")
        self.assertEqual(late["source"]["comm"], begun["source"]["comm"])
        for secret in ("hang.", "user-7", "queue", "request-4711", "only-one", '"hanging"'):
            self.assertNotIn(secret, text)
        self.assertIn('"step_type": "InnerStep"', text)

    def test_beside_whole(self):
        """It is written at once, although the execution is not decided yet."""
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "150ms", "--whole", "failed")
            runner.do("heap")
            wanted = all_reached(tracer, (150,), runner.pid)
            self.assertEqual(started(so_far(tracer)), [])
            runner.do("end")
            events = tracer.stop()
        self.assertEqual((completed(events), reached(events)), ([], wanted))
        check_books(self, events)

    def test_count_does_not_concern_it(self):
        with hanging() as runner:
            runner.do("heap")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms", "--count", "2")
            tracer.written("command.execution.overdue")
            runner.do("stack futex")
            runner.do("heap")
            self.assertEqual(tracer.wait(), 0)
            events = tracer.events()
        self.assertEqual(len(started(events)), 2)

    def test_the_end_of_a_recording(self):
        """What the child has sent by then is written."""
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "100ms")
            child = child_of(tracer)
            tracer.freeze()
            runner.do("coroutines 100")
            wait_until(lambda: "unix_wait_for_peer" in wait_of(child) or "sock" in wait_of(child),
                       "it waits until the tracer reads")
            tracer.process.send_signal(signal.SIGINT)
            tracer.thaw()
            events = tracer.ended()
        self.assertGreater(len(overdue(events)), 0)
        check_books(self, events)


class Load(EndToEnd):
    def test_books_under_load(self):
        with Runner([target("load"), "1000"]) as busy, hanging() as runner:
            runner.do("coroutines 200")
            tracer = Tracer("-p", "%d,%d" % (runner.pid, busy.pid), "--overdue", "20ms,40ms",
                            "--sample", "1000")
            wait_until(lambda: len(overdue(so_far(tracer))) >= 400, "all are overdue")
            runner.do("churn")
            events = tracer.stop()
        self.assertEqual(len([event for event in overdue(events)
                              if event["command_slug"] == "hang.coroutine"]), 400)
        check_books(self, events)


class TheChild(EndToEnd):
    def test_what_it_keeps(self):
        with hanging() as runner:
            runner.do("stack futex")
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1ms")
            tracer.written("command.execution.overdue")
            with open("/proc/%d/status" % child_of(tracer), encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
            tracer.stop()
        kept = int(status["CapEff"], 16)
        # SYS_PTRACE, DAC_READ_SEARCH, CHECKPOINT_RESTORE, BPF
        allowed = 1 << 19 | 1 << 2 | 1 << 40 | 1 << 39
        self.assertEqual(kept & ~allowed, 0)
        self.assertNotIn("0", status["Uid"].split())
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))

    def test_a_signal_for_all_processes_of_a_service(self):
        """As a service manager sends it: to the child as well."""
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1h")
            child = child_of(tracer)
            tracer.freeze()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                os.kill(child, number)
            tracer.thaw()
            tracer.stop()

    def test_many_at_the_end_of_the_setup(self):
        """The child sends more than the socket holds, and the recording ends at once."""
        with hanging() as runner:
            runner.do("coroutines 200")
            for _ in range(5):
                status, _, words = run("record", "-p", str(runner.pid), "--overdue", "1ms",
                                       "--duration", "1ms", "-o", "/dev/null")
                self.assertEqual(status, 0, words)

    def test_it_is_killed(self):
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1h")
            os.kill(child_of(tracer), signal.SIGKILL)
            tracer.lines.until("'steptrace-look' has ended: --overdue reports nothing any more")
            tracer.process.send_signal(signal.SIGINT)
            self.assertEqual(tracer.wait(), 1)

    def test_the_tracer_is_killed(self):
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid), "--overdue", "1h")
            child = child_of(tracer)
            tracer.process.kill()
            tracer.wait()
            wait_until(lambda: not os.path.exists("/proc/%d" % child), "it has ended as well")

    def test_an_ordinary_user(self):
        """Who may not record may not look, either: the setup says why, and nothing hangs."""
        needs.other_users()
        with hanging() as runner:
            directory = os.path.dirname(target("hanging"))
            shutil.copy(STEPTRACE, directory)
            done = subprocess.run([os.path.join(directory, "steptrace"), "record", "--overdue",
                                   "1s", "-p", str(runner.pid)], capture_output=True, text=True,
                                  timeout=PATIENCE_S, user=12345, group=12345, extra_groups=[],
                                  cwd=directory)
        self.assertEqual(done.returncode, 1)
        self.assertIn("CAP_BPF", done.stderr)


class CommandLine(EndToEnd):
    def test_wrong_usage(self):
        for value in ("", "0", "soon", "1s,", "1,2,3,4,5,6,7,8,9"):
            status, output, words = run("record", "--overdue", value)
            self.assertEqual((status, output), (2, ""), value)
            self.assertIn("--overdue", words)

    def test_help(self):
        _, output, _ = run("record", "--help")
        self.assertIn("--overdue TIME[,TIME...]", output)
        self.assertLessEqual(max(map(len, output.splitlines())), 80)


if __name__ == "__main__":
    unittest.main()
