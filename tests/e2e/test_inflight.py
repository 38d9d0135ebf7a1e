# SPDX-License-Identifier: BSD-2-Clause
"""steptrace inflight: what runners have open, also what began before the tracer was started."""
import contextlib
import ctypes
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time
import unittest

import needs
import validate
from harness import (STEPTRACE, EndToEnd, Lines, PATIENCE_S, Runner, Scenario, Tracer, built,
                     copy_of, run, target, wait_until, with_newer_tags)

MS = 1000000


def parse(output):
    lines = output.splitlines(keepends=True)
    problems = validate.validate_lines(lines)
    assert not problems, "\n".join(str(problem) for problem in problems[:10])
    events = [json.loads(line) for line in lines]
    assert events[-1]["event"] == "inflight.summary"
    return events[:-1], events[-1]


def inflight(*arguments, status=0, **options):
    """The rows, and the summary."""
    code, output, words = run("inflight", "--json", *arguments, **options)
    assert code == status, (code, words)
    rows, summary = parse(output)
    assert summary["rows"] == len(rows)
    return rows, summary


def of(runner, *arguments, **options):
    return inflight("-p", str(runner.pid), *arguments, **options)


def names(rows):
    return sorted((row["command_slug"], row["step"] and row["step"]["step_type"]) for row in rows)


def is_observed(row):
    """A tracer of the whole machine was attached when the command began."""
    return row["age_ms"] is not None


def hanging():
    return Runner(target("hanging"))


def tid_of(answers):
    return int(answers[0].split()[1])


def refuse_iterators():
    """In this process and its children, bpf(BPF_ITER_CREATE) fails with EPERM."""
    bpf_call = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    steps = ((0x20, 0, 0, 0), (0x15, 0, 3, bpf_call),  # the number of the call
             (0x20, 0, 0, 16), (0x15, 0, 1, 33),       # its first argument: BPF_ITER_CREATE
             (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000))  # errno 1, or allowed
    code = b"".join(struct.pack("<HBBI", *step) for step in steps)
    room = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("<HxxxxxxQ", len(steps), ctypes.addressof(room))
    libc = ctypes.CDLL(None, use_errno=True)
    prctl = [libc.prctl(38, 1, 0, 0, 0), libc.prctl(22, 2, program)]
    assert prctl == [0, 0], os.strerror(ctypes.get_errno())


class Hanging(EndToEnd):
    """No tracer was attached when the commands began."""

    def test_on_the_stack_of_a_thread(self):
        waits = {"futex": ("sleeping", ["futex"], "futex"),
                 "pipe": ("sleeping", ["read"], "pipe"),
                 "sleep": ("sleeping", ["clock_nanosleep", "nanosleep"], "nanosleep"),
                 "spin": ("running", [None], None)}
        with hanging() as runner:
            for how, (state, calls, waits_in) in waits.items():
                with self.subTest(how=how):
                    tid = tid_of(runner.do("stack " + how))
                    row = None

                    def is_there():
                        nonlocal row
                        found = [each for each in of(runner)[0]
                                 if each["thread"] and each["thread"]["tid"] == tid]
                        row = found[0] if found else None
                        return row and row["thread"]["syscall"] in calls
                    wait_until(is_there, "the thread waits in %s" % how)
                    self.assertEqual(row["thread"]["state"], state)
                    self.assertEqual((row["command_slug"], row["step"]["step_type"]),
                                     ("hang.stack", "WaitStep"))
                    if waits_in:
                        self.assertIn(waits_in, row["thread"]["wait_channel"])
                    else:
                        self.assertIsNone(row["thread"]["wait_channel"])
            rows, summary = of(runner)
        self.assertEqual(len(rows), 4)
        self.assertEqual((summary["invalid"], summary["left_out"], summary["partial"]), (0, 0, 0))

    def test_everything_that_a_row_says(self):
        with hanging() as runner:
            tid = tid_of(runner.do("stack futex"))
            row = of(runner)[0][0]
        self.assertEqual({name: row[name] for name in ("correlation_id", "user_id",
                                                       "request_source", "suspended",
                                                       "steps_executed", "outer_steps",
                                                       "threads", "threads_count")},
                         {"correlation_id": "request-4711",
                          "user_id": "user-7", "request_source": "queue", "suspended": False,
                          "steps_executed": 0, "outer_steps": [], "threads": [],
                          "threads_count": 2})
        self.assertEqual((row["step"]["name"], row["step"]["index"], row["step"]["suspended"]),
                         ("only-one", 3, False))
        if not is_observed(row):
            self.assertEqual((row["execution_id"], row["step"]["step_id"], row["step"]["age_ms"]),
                             (None, None, None))
        self.assertEqual((row["thread"]["tid"], row["thread"]["comm"]), (tid, "hanging"))
        self.assertEqual((row["source"]["pid"], row["source"]["uid"], row["source"]["comm"]),
                         (runner.pid, os.getuid(), "hanging"))

    def test_the_age_is_a_lower_bound(self):
        """The thread has not run since it began to wait. So the command is at least that old, and
        of course not older than the order to begin it."""
        with hanging() as runner:
            ordered_ns = time.monotonic_ns()
            tid = tid_of(runner.do("stack futex"))
            wait_until(lambda: self.state_of(tid) == "S", "the thread waits")
            waiting_ns = time.monotonic_ns()

            def is_exact():
                row = of(runner)[0][0]
                for age in (row["age_at_least_ms"], row["step"]["age_at_least_ms"]):
                    self.assertLessEqual(age, (row["monotonic_ns"] - ordered_ns) / MS)
                if not is_observed(row):
                    self.assertEqual(row["thread"]["off_cpu_ms"], row["step"]["age_at_least_ms"])
                return row["age_at_least_ms"] >= (row["monotonic_ns"] - waiting_ns) / MS - 20
            wait_until(is_exact, "a lower bound within 20 ms")

    def state_of(self, tid):
        with open("/proc/%d/stat" % tid, encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def test_in_the_heap(self):
        with hanging() as runner:
            runner.do("heap")
            row = of(runner)[0][0]
            self.assertEqual(names([row]), [("hang.heap", "HeapStep")])
            self.assertIsNone(row["thread"])
            self.assertIn(runner.pid, [thread["tid"] for thread in row["threads"]])
            runner.do("end")
            self.assertEqual(of(runner)[0], [])

    def test_ten_thousand_coroutines(self):
        """None of them is on the stack of a thread, although they have stacks."""
        with hanging() as runner:
            runner.do("coroutines 10000")
            rows, summary = of(runner)
        self.assertEqual(names(rows), [("hang.coroutine", "YieldStep")] * 10000)
        self.assertEqual({row["thread"] for row in rows}, {None})
        self.assertEqual(summary["left_out"], 0)

    def test_in_a_library(self):
        with Runner(target("dlopener")) as runner:
            runner.do("-1")
            rows, _ = of(runner)
        self.assertEqual(names(rows), [("from.a.library", "LibraryStep")])

    def test_in_other_namespaces(self):
        needs.namespaces("--mount", "--pid", "--fork")
        path = target("hanging")
        runner = Runner(["unshare", "--mount", "--pid", "--fork", "--kill-child", path])
        with contextlib.closing(runner):
            runner.do("stack futex")
            rows, _ = inflight("-x", path)
        self.assertEqual(names(rows), [("hang.stack", "WaitStep")])
        self.assertEqual(rows[0]["thread"]["syscall"], "futex")
        self.assertNotEqual(rows[0]["source"]["pid"], runner.pid)

    def test_nested_and_parallel_steps(self):
        with hanging() as runner:
            runner.do("nested")
            runner.do("parallel 3")
            rows, _ = of(runner)
        self.assertEqual(names(rows), [("hang.nested", "InnerStep")]
                         + [("hang.parallel", "ParallelStep")] * 3)
        nested = [row for row in rows if row["command_slug"] == "hang.nested"][0]
        self.assertEqual([step["step_type"] for step in nested["outer_steps"]],
                         ["MiddleStep", "OuterStep"])
        self.assertEqual(len({row["thread"]["tid"] for row in rows}), 4)

    def test_suspended(self):
        with hanging() as runner:
            runner.do("suspend")
            row = of(runner)[0][0]
        self.assertIs(row["suspended"], True)
        self.assertIs(row["step"]["suspended"], True)

    def test_the_oldest_is_the_first(self):
        """The lower bound of an age is how long the thread has slept: each begins to sleep before
        the next one exists."""
        with hanging() as runner:
            tids, rows = [], []

            def are_known():
                rows[:] = of(runner)[0]
                return all(row["age_at_least_ms"] for row in rows)
            for _ in range(4):
                tids.append(tid_of(runner.do("stack sleep")))
                wait_until(are_known, "all threads sleep")
        self.assertEqual([row["thread"]["tid"] for row in rows], tids)


class Forks(EndToEnd):
    def test_the_copy_is_the_parents(self):
        with hanging() as runner:
            child = int(runner.do("fork")[0].split()[1])
            rows, summary = of(runner)
            self.assertEqual([(row["source"]["pid"], *names([row])[0]) for row in rows],
                             [(runner.pid, "hang.fork", "ForkStep")])
            self.assertEqual(summary["copies"], 1)
            runner.do("end")  # in the parent: what the child has is its own now
            rows, _ = of(runner)
            self.assertEqual([row["source"]["pid"] for row in rows], [child])
            os.kill(child, signal.SIGKILL)

    def test_a_step_of_the_child(self):
        """The child has a step in the command of its parent."""
        with hanging() as runner:
            child = int(runner.do("fork-step")[0].split()[1])
            rows, _ = of(runner)
            self.assertEqual(sorted((row["source"]["pid"], *names([row])[0]) for row in rows),
                             [(runner.pid, "hang.fork", None), (child, "hang.fork", "ChildStep")])
            only, _ = of(runner, "--no-children")
            self.assertEqual([row["source"]["pid"] for row in only], [runner.pid])
            os.kill(child, signal.SIGKILL)


class WithATracer(EndToEnd):
    def test_exact_ages_and_ids(self):
        with hanging() as runner:
            tracer = Tracer("-p", str(runner.pid))
            before_ns = time.monotonic_ns()
            runner.do("stack futex")
            after_ns = time.monotonic_ns()
            row = of(runner)[0][0]
            tracer.written("command.execution.started")
            events = tracer.stop()
        for age in (row["age_ms"], row["step"]["age_ms"]):
            began_ns = row["monotonic_ns"] - age * MS
            self.assertLessEqual(before_ns, began_ns + 1)
            self.assertLessEqual(began_ns, after_ns + 1)
        self.assertEqual(row["age_at_least_ms"], row["age_ms"])
        started = [event for event in events if event["event"] == "command.execution.started"][0]
        self.assertEqual(row["execution_id"], started["execution_id"])
        self.assertRegex(row["step"]["step_id"], r"^[0-9a-f-]{36}$")

    def test_attached_in_the_middle(self):
        """A later call fills in the id; the begin remains unknown."""
        with Runner() as runner:
            runner.do("open")
            before = of(runner)[0][0]
            tracer = Tracer("-p", str(runner.pid))
            runner.do("step 0")
            row = of(runner)[0][0]
            runner.do("close")
            events = tracer.stop()
        self.assertEqual(is_observed(row), is_observed(before))
        self.assertEqual(row["steps_executed"], 1)
        self.assertEqual({row["execution_id"]}, {event["execution_id"] for event in events
                                                 if "execution_id" in event})


class Foreign(EndToEnd):
    def test_forged_tags(self):
        """Memory full of tags, and structs with pointers to nowhere and with cycles."""
        with hanging() as runner:
            runner.do("forge 1000000")
            tid = tid_of(runner.do("stack futex"))
            rows, summary = of(runner)
        self.assertGreater(summary["invalid"], 100000)
        self.assertGreater(summary["left_out"], 500000)
        self.assertIn(tid, [row["thread"]["tid"] for row in rows if row["thread"]])
        self.assertLessEqual({row["command_slug"] for row in rows},
                             {"forged", "unnamed", "hang.stack"})

    def test_it_begins_and_ends_meanwhile(self):
        """What is shown was open at some moment, whole."""
        seen = 0
        with hanging() as runner:
            runner.do("churn")
            for _ in range(30):
                rows, summary = of(runner)
                seen += len(rows)
                for row in rows:
                    self.assertIn(names([row])[0], [("churn", "ChurnStep"), ("churn", None)])
                    self.assertEqual(row["user_id"], "user-7")
                self.assertEqual(summary["invalid"], 0)
        self.assertGreater(seen, 0)

    def test_hostile_text_on_a_terminal(self):
        with hanging() as runner:
            runner.do("hostile")
            status, output, _ = run("inflight", "-p", str(runner.pid))
            of(runner)
        self.assertEqual(status, 0)
        self.assertEqual(output.count("\n"), 2)
        self.assertIn(r"\x1b]0;x\x07\nsteptrace: forged", output)
        self.assertNotRegex(output.replace("\n", ""), r"[\x00-\x1f\x7f]")

    def test_an_older_header(self):
        needs.program("objcopy")
        path = target("hanging")
        subprocess.run(["objcopy", "--remove-section=.note.steptrace", path], check=True)
        with Runner(path) as runner:
            runner.do("stack futex")
            status, output, words = run("inflight", "--json", "-p", str(runner.pid))
        rows, summary = parse(output)
        self.assertEqual((status, rows), (1, []))
        self.assertEqual(summary["older_headers"], 1)
        self.assertIn("1 of 1 runners were built with an older steptrace.h", words)
        self.assertIn("--attach 2s shows what they begin from now on", words)

    def test_a_newer_header(self):
        """The note says version 2 of the tags. This steptrace knows only version 1."""
        path = with_newer_tags(target("hanging"))
        with Runner(path) as runner:
            runner.do("stack futex")
            status, output, words = run("inflight", "--json", "-p", str(runner.pid))
        rows, summary = parse(output)
        self.assertEqual((status, rows), (1, []))
        self.assertEqual((summary["older_headers"], summary["newer_headers"]), (0, 1))
        self.assertIn("1 of 1 runners were built with a steptrace.h that is newer than this "
                      "steptrace", words)
        self.assertNotIn("no command is open", words)


class Unchanged(EndToEnd):
    def test_the_memory_of_the_process(self):
        """Neither resident memory nor page tables nor swap change, although the program has memory
        that it never touched, and texts that it never read."""
        def memory(pid):
            with open("/proc/%d/status" % pid, encoding="ascii") as file:
                return [line for line in file
                        if line.startswith(("VmRSS", "VmPTE", "VmSwap", "VmHWM"))]
        with hanging() as runner:
            runner.do("memory 64")
            runner.do("reserve 4096")
            runner.do("stack futex")
            before = memory(runner.pid)
            _, summary = of(runner)
            self.assertEqual(memory(runner.pid), before)
        self.assertGreater(summary["searched_bytes"], 64 << 20)
        self.assertLess(summary["searched_bytes"], 512 << 20)

    def test_a_limit(self):
        with hanging() as runner:
            runner.do("memory 64")
            runner.do("stack futex")
            rows, summary = of(runner, "--scan", "1M")
            status, _, words = run("inflight", "-p", str(runner.pid), "--scan", "1M")
        self.assertEqual(len(rows), 1, "stacks are searched first")
        self.assertEqual((summary["partial"], status), (1, 0))
        self.assertLess(summary["searched_bytes"], 4 << 20)
        self.assertIn("was not searched completely", words)


    def test_many_large_mappings(self):
        """Each of them is within the limit for all together."""
        with hanging() as runner:
            for _ in range(3):
                runner.do("reserve 100000")
            _, summary = of(runner)
            _, _, words = run("inflight", "-p", str(runner.pid))
        self.assertEqual(summary["partial"], 1)
        self.assertIn("was not searched completely: they map more than 256 GiB", words)
        self.assertNotIn("--scan", words)


class Rights(EndToEnd):
    def as_user(self, directory, *arguments):
        return subprocess.run([os.path.join(directory, "steptrace"), "inflight", *arguments],
                              capture_output=True, text=True, timeout=PATIENCE_S, user=12345,
                              group=12345, extra_groups=[], cwd=directory)

    @contextlib.contextmanager
    def programs(self, **options):
        needs.other_users()
        directory = os.path.dirname(target("hanging"))
        shutil.copy(STEPTRACE, directory)
        with Runner(target("hanging"), cwd=directory, **options) as runner:
            yield directory, runner

    def test_an_ordinary_user_and_an_own_process(self):
        needs.own_memory()
        user = {"user": 12345, "group": 12345, "extra_groups": []}
        with self.programs(**user) as (directory, runner):
            tid = tid_of(runner.do("stack futex"))
            done = self.as_user(directory, "--json", "-p", str(runner.pid))
        self.assertEqual(done.returncode, 0, done.stderr)
        row = parse(done.stdout)[0][0]
        self.assertEqual((row["thread"]["tid"], row["thread"]["syscall"]), (tid, "futex"))

    def test_a_process_of_another_user(self):
        with self.programs() as (directory, runner):
            runner.do("stack futex")
            named = self.as_user(directory, "-p", str(runner.pid))
            everything = self.as_user(directory)
        self.assertEqual(named.returncode, 1)
        self.assertIn("Permission denied", named.stderr)
        self.assertIn("run it as root", named.stderr)
        self.assertIn("processes could not be looked at: permission denied (CAP_SYS_PTRACE is "
                      "missing; run it as root to see all)", everything.stderr)

    def test_stacks_without_the_right(self):
        needs.own_memory()
        user = {"user": 12345, "group": 12345, "extra_groups": []}
        with self.programs(**user) as (directory, runner):
            done = self.as_user(directory, "--stack", "-p", str(runner.pid))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr.count("kernel stacks cannot be read: "), 1)
        self.assertIn("(needs CAP_SYS_ADMIN)", done.stderr)

    def test_what_it_keeps(self):
        """Of root's rights those that reading memory needs."""
        with hanging() as runner:
            runner.do("stack futex")
            process = subprocess.Popen([STEPTRACE, "inflight", "--watch", "1h", "-p",
                                        str(runner.pid)], stdout=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)
            Lines(process.stdout, "steptrace inflight").until("hang.stack")
            with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            process.stdout.close()
        kept = int(status["CapEff"], 16)
        allowed = 1 << 19 | 1 << 2 | 1 << 40  # SYS_PTRACE, DAC_READ_SEARCH, CHECKPOINT_RESTORE
        self.assertEqual(kept & ~allowed, 0)
        self.assertNotIn("0", status["Uid"].split())
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))


class CommandLine(Scenario):
    def test_older_than(self):
        with hanging() as runner:
            runner.do("stack futex")

            def is_old():
                return run("inflight", "-p", str(runner.pid), "--older-than", "100ms")[0] == 3
            wait_until(is_old, "something is older than 100 ms")
            rows, _ = of(runner, "--older-than", "100ms", status=3)
            self.assertEqual(len(rows), 1)
            status, output, words = run("inflight", "-p", str(runner.pid), "--older-than", "10h")
        self.assertEqual((status, output), (0, ""))
        self.assertIn("no command is open for 36000 s or longer", words)

    def test_older_than_what_could_not_be_looked_at(self):
        """No older command was found, but there may be one."""
        with hanging() as runner:
            runner.do("memory 64")
            status, output, words = run("inflight", "-p", str(runner.pid), "--older-than", "10h",
                                        "--scan", "1M")
            self.assertEqual((status, output), (1, ""))
            self.assertIn("was not searched completely", words)
            self.assertNotIn("no command is open", words)
            status, output, words = run("inflight", "-p", str(runner.pid), "--older-than", "10h")
            self.assertEqual((status, output), (0, ""), words)

    def test_the_kernel_lists_no_threads(self):
        """As before Linux 5.19 after CAP_BPF was given up."""
        with hanging() as runner:
            runner.do("stack futex")
            if is_observed(of(runner)[0][0]):
                self.skipTest("needs no other tracer: the age is known")
            for arguments, wanted in (((), 0), (("--older-than", "1ms"), 1)):
                done = subprocess.run([STEPTRACE, "inflight", "-p", str(runner.pid), *arguments],
                                      capture_output=True, text=True, timeout=PATIENCE_S,
                                      preexec_fn=refuse_iterators)
                self.assertEqual(done.returncode, wanted, done.stderr)
                self.assertIn("the kernel does not list the threads: Operation not permitted",
                              done.stderr)

    def test_command(self):
        with hanging() as runner:
            runner.do("stack futex")
            runner.do("heap")
            for pattern, wanted in (("hang.h*", ["hang.heap"]), ("!*.heap", ["hang.stack"]),
                                    ("none", [])):
                rows, _ = of(runner, "--command", pattern)
                self.assertEqual([row["command_slug"] for row in rows], wanted)

    def test_stacks_of_the_kernel(self):
        with hanging() as runner:
            runner.do("stack futex")
            wait_until(lambda: of(runner)[0][0]["thread"]["syscall"] == "futex", "it waits")
            rows, _ = of(runner, "--stack")
            _, output, _ = run("inflight", "-p", str(runner.pid), "--stack")
        if not rows[0]["thread"]["stack"]:
            self.skipTest("needs /proc/PID/stack: this kernel shows none")
        self.assertTrue(any("futex" in name for name in rows[0]["thread"]["stack"]))
        self.assertRegex(output, r"(?m)^ +\w*futex\w*$")

    def test_text(self):
        with hanging() as runner:
            tid = tid_of(runner.do("stack futex"))
            wait_until(lambda: of(runner)[0][0]["age_at_least_ms"], "an age")
            _, output, words = run("inflight", "-p", str(runner.pid))
        head, row = output.splitlines()
        self.assertEqual(head.split()[:5], ["AGE", "COMMAND", "STEP", "IN", "STEP"])
        self.assertRegex(row, r"^ *(> )?[\d.]+ .* hang.stack +WaitStep only-one +(> )?[\d.]+ .* "
                         r"%d +%d +sleeping +futex" % (runner.pid, tid))
        self.assertEqual(words, "")

    def test_a_narrow_terminal(self):
        with hanging() as runner:
            for order in ("stack futex", "nested", "heap", "parallel 2"):
                runner.do(order)
            for columns in (60, 80, 100, 200):
                done = subprocess.run(
                    ["script", "-qec", "stty cols %d; '%s' inflight -p %d"
                     % (columns, STEPTRACE, runner.pid), "/dev/null"],
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S,
                    env={**os.environ, "NO_COLOR": "1", "TERM": "xterm"})
                lines = [line.rstrip("\r") for line in done.stdout.splitlines()]
                self.assertEqual(len(lines), 6, done.stdout)
                self.assertLessEqual(max(map(len, lines)), columns)
                self.assertIn("hang.", lines[1])

    def test_watch(self):
        with hanging() as runner:
            process = subprocess.Popen([STEPTRACE, "inflight", "--watch", "100ms", "--json", "-p",
                                        str(runner.pid)], stdout=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)
            lines = Lines(process.stdout, "steptrace inflight")
            lines.until("inflight.summary")
            runner.do("stack futex")
            lines.until("hang.stack")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            lines.rest()

    def watch(self, runner, *arguments):
        """The lines of standard output and standard error, as they come."""
        process = subprocess.Popen([STEPTRACE, "inflight", "--watch", "100ms", "-p",
                                    str(runner.pid), *arguments], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, bufsize=0)
        Tracer.running.append(process)
        return (process, Lines(process.stdout, "steptrace inflight"),
                Lines(process.stderr, "steptrace inflight"))

    def test_watch_a_process_with_much_memory(self):
        """It is not searched wholly each time. What is on a stack is found nevertheless, and what
        was found before; of the rest it is said."""
        with hanging() as runner:
            runner.do("memory 64")
            runner.do("heap")
            process, rows, words = self.watch(runner)
            words.until("only the stacks of the threads were searched")
            runner.do("stack futex")
            rows.until("hang.stack")
            for _ in range(3):
                rows.until("hang.heap")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            rows.rest()
            words.rest()

    def test_watch_what_a_search_leaves_out(self):
        """Looks that read less are not complete either, and that is what the exit status says."""
        with hanging() as runner:
            runner.do("memory 64")
            process, rows, words = self.watch(runner, "--older-than", "1h", "--scan", "1M",
                                              "--json")
            summaries = [json.loads(rows.until("inflight.summary")[-1]) for _ in range(5)]
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), 1)
            rows.rest()
            words.rest()
        self.assertEqual([summary["partial"] for summary in summaries], [1] * 5)

    def test_watch_a_fork(self):
        """The child is a new process and is searched wholly, its parent is not. What is a copy in
        the child is the parent's nevertheless."""
        with hanging() as runner:
            runner.do("memory 64")
            process, rows, words = self.watch(runner, "--json")
            words.until("only the stacks of the threads were searched")
            child = int(runner.do("fork")[0].split()[1])
            found = [json.loads(line) for line in rows.until("hang.fork")
                     + rows.until("inflight.summary") + rows.until("inflight.summary")]
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            rows.rest()
            words.rest()
            os.kill(child, signal.SIGKILL)
        self.assertEqual({row["source"]["pid"] for row in found if row["event"] == "inflight.row"},
                         {runner.pid})

    def test_watch_for_what_is_older(self):
        """Every look finds what is older than 100 ms, also in the heap: it searches all memory."""
        with hanging() as runner:
            runner.do("memory 64")
            process, rows, words = self.watch(runner, "--older-than", "100ms", "--json")
            rows.until("inflight.summary")
            runner.do("stack futex")
            summaries = [json.loads(rows.until("inflight.summary")[-1]) for _ in range(5)]
            process.send_signal(signal.SIGINT)
            self.assertIn(process.wait(PATIENCE_S), (0, 3))
            rows.rest()
            words.rest()
        self.assertEqual([summary["revisited"] for summary in summaries], [0] * 5)

    def test_watch_ends_with_the_last_status(self):
        with hanging() as runner:
            runner.do("stack futex")
            wait_until(lambda: run("inflight", "-p", str(runner.pid), "--older-than", "50ms")[0]
                       == 3, "it is old enough")
            process = subprocess.Popen([STEPTRACE, "inflight", "--watch", "1h", "-p",
                                        str(runner.pid), "--older-than", "50ms"],
                                       stdout=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)
            Lines(process.stdout, "steptrace inflight").until("hang.stack")
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE_S), 3)
            process.stdout.close()

    def test_watch_ends_although_nothing_reads(self):
        with hanging() as runner:
            runner.do("coroutines 1000")
            process = subprocess.Popen([STEPTRACE, "inflight", "--watch", "1h", "--json", "-p",
                                        str(runner.pid)], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)

            def is_writing():
                with open("/proc/%d/wchan" % process.pid, encoding="ascii") as file:
                    return "pipe" in file.read()
            wait_until(is_writing, "the pipe is full")
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(PATIENCE_S), 0)
            self.assertEqual(process.stderr.read(), b"")
            process.stdout.close()
            process.stderr.close()

    def test_the_watched_process_ends(self):
        with hanging() as runner:
            process = subprocess.Popen([STEPTRACE, "inflight", "--watch", "100ms", "-p",
                                        str(runner.pid)], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, bufsize=0)
            Tracer.running.append(process)
            runner.do("stack futex")
            Lines(process.stdout, "steptrace inflight").until("hang.stack")
            runner.process.kill()
            words = process.stderr.read().decode()
            self.assertEqual(process.wait(PATIENCE_S), 1)
            process.stdout.close()
            process.stderr.close()
        self.assertIn("there is no process %d" % runner.pid, words)

    def test_everything_on_the_machine(self):
        path = copy_of(self.directory, "hanging")
        with Runner(path) as runner:
            runner.do("stack futex")
            rows, summary = inflight()
        mine = [row for row in rows if row["source"]["pid"] == runner.pid]
        self.assertEqual(names(mine), [("hang.stack", "WaitStep")])
        self.assertGreaterEqual(summary["runners"], 1)

    def test_nothing_is_open(self):
        with hanging() as runner:
            runner.do("end")
            status, output, words = run("inflight", "-p", str(runner.pid))
        self.assertEqual((status, output), (0, ""))
        self.assertRegex(words, r"no command is open \(runners: 1, searched memory: [\d.]+ MiB\)")

    def test_wrong_usage(self):
        for arguments, words in ((("-p", "1", "-a"), "exclude each other"),
                                 (("--no-children",), "needs -p PID"),
                                 (("--", "true"), "unexpected argument 'true'"),
                                 (("--older-than", "x"), "a time"),
                                 (("--scan", "1K"), "a size of 1M or more"),
                                 (("--watch", "1ms"), "a time of 100ms or more"),
                                 (("--command", "["), "["),
                                 (("--nonesuch",), "nonesuch")):
            status, output, said = run("inflight", *arguments)
            self.assertEqual((status, output), (2, ""), arguments)
            self.assertIn(words, said)

    def test_targets_that_are_none(self):
        for arguments, words in ((("-p", "4194000"), "there is no process 4194000"),
                                 (("-p", str(os.getpid()), "--no-children"),
                                  "process %d runs nothing with steptrace probes" % os.getpid()),
                                 (("-x", "/nonesuch"), "cannot open '/nonesuch'"),
                                 (("-x", "/bin/ls"), "no steptrace probes in '/bin/ls'")):
            status, output, said = run("inflight", *arguments)
            self.assertEqual((status, output), (1, ""), arguments)
            self.assertIn(words, said)
        status, output, said = run("inflight", "-x", built("hanging"))
        self.assertEqual((status, output), (0, ""))

    def test_a_full_disk(self):
        with hanging() as runner, open("/dev/full", "w", encoding="ascii") as full:
            runner.do("stack futex")
            done = subprocess.run([STEPTRACE, "inflight", "-p", str(runner.pid)], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("No space left on device", done.stderr)

    def test_help(self):
        status, output, words = run("inflight", "--help")
        self.assertEqual((status, words), (0, ""))
        self.assertLessEqual(max(map(len, output.splitlines())), 80)
        for option in ("--older-than", "--watch", "--scan", "--stack", "--json", "--command"):
            self.assertIn(option, output)
        self.assertTrue(re.search(r"3 a command is\s+older", output))


if __name__ == "__main__":
    unittest.main()
