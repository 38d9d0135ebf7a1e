# SPDX-License-Identifier: BSD-2-Clause
"""Runners and tracers in pid and mount namespaces of their own, on overlays and in chroots."""
import json
import os
import signal
import subprocess

import needs
from harness import (PATIENCE_S, STEPTRACE, Runner, Scenario, Tracer, check_books, compiled,
                     completed, copy_of, everyone, named, of_exe, of_kind, of_process, read_events,
                     runner_events, started, target)

UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def child_of(runner):
    """The child of unshare, which is process 1 in its namespace: its pid out here."""
    runner.do("go 0")
    with open("/proc/{0}/task/{0}/children".format(runner.pid), encoding="ascii") as file:
        return int(file.read().split()[0])


class WithoutProc(Scenario):
    """Every command says what is missing. A tracer that sees no process has nothing to say of
    them."""

    PLACES = (("umount --lazy /proc", "/proc is not mounted, and steptrace needs it"),
              # the process file system of a namespace that has ended
              ("unshare --pid --fork mount -t proc proc /proc",
               "/proc is that of a pid namespace that steptrace is not in"))

    def setUp(self):
        super().setUp()
        needs.namespaces("--mount", "--pid", "--fork")

    def test_what_commands_say(self):
        path, program = os.path.join(self.directory, "events"), target("spans")
        commands = (["record", "-o", path, "-p", str(os.getpid())], ["record", "-o", path, "-a"],
                    ["record", "-o", path, "-x", program], ["record", "-o", path, "--", program],
                    ["list"], ["doctor"], ["doctor", "-p", str(os.getpid())])
        for change, words in self.PLACES:
            for command in commands:
                with self.subTest(change=change, command=command):
                    done = subprocess.run(
                        ["unshare", "--mount", "sh", "-c", change + ' && exec "$@"', "sh",
                         STEPTRACE, *command], capture_output=True, text=True, check=False,
                        stdin=subprocess.DEVNULL, timeout=PATIENCE_S)
                    said = " ".join((done.stdout + done.stderr).split())
                    self.assertEqual(done.returncode, 1, said)
                    self.assertIn(words, said)
                    self.assertIn("mount -t proc proc /proc", said)
                    self.assertNotIn("no process", said)
                    self.assertNotIn("no running process", said)
        self.assertFalse(os.path.exists(path))


class Contained(Scenario):
    """A runner that is process 1 of its own namespace."""

    def setUp(self):
        super().setUp()
        needs.namespaces(*UNSHARE[1:])

    def runner(self, *command):
        runner = Runner([*UNSHARE, *command], stderr=subprocess.DEVNULL)
        self.addCleanup(runner.close)
        return runner, child_of(runner)

    def check_numbers(self, events, pid):
        mine = of_process(events, pid)
        self.assertEqual(len(mine), 63)
        self.assertEqual({event["source"]["inner_pid"] for event in mine}, {1})
        self.assertEqual(len({event["source"]["tid"] for event in completed(mine)}), 9)
        self.assertIn(pid, {event["source"]["tid"] for event in mine})

    def check(self, runner, pid, *arguments):
        tracer = Tracer(*arguments)
        runner.do("go 1")
        runner.do("threads 1")
        inner = int(runner.do("fork")[0].split()[1])
        events = tracer.stop()
        self.check_numbers(events, pid)
        children = [start["source"] for start in started(events)
                    if start["source"].get("inner_pid") == inner]
        self.assertEqual(len(children), 1)
        self.assertNotEqual(children[0]["pid"], pid)
        check_books(self, events)
        return events

    def test_by_pid(self):
        runner, pid = self.runner(target("spans"))
        self.check(runner, pid, "-p", str(pid))

    def test_by_binary(self):
        spans = copy_of(self.directory, "spans")
        runner, pid = self.runner(spans)
        self.check(runner, pid, "-x", spans)

    def test_among_all(self):
        spans = copy_of(self.directory, "spans")
        runner, pid = self.runner(spans)
        events = self.check(runner, pid, *everyone())
        attached = of_kind(of_exe(events, spans), "trace.attached")
        self.assertEqual([event["pids"] for event in attached], [[pid]])

    def test_started_later(self):
        spans = copy_of(self.directory, "spans")
        tracer = Tracer(*everyone())
        runner, pid = self.runner(spans)
        tracer.written("trace.attached", spans)
        runner.do("go 1")
        runner.do("threads 1")
        events = tracer.stop()
        self.check_numbers(events, pid)

    def test_dies(self):
        spans = copy_of(self.directory, "spans")
        runner, pid = self.runner(spans)
        tracer = Tracer(*everyone())
        runner.order("die hang")
        runner.lines.until("hanging")
        os.kill(pid, signal.SIGKILL)
        done = json.loads(tracer.written("command.execution.completed", '"aborted"', '"doomed"'))
        tracer.stop()
        self.assertEqual((done["source"]["pid"], done["aborted"]["signal"]), (pid, 9))


class Nested(Scenario):
    """A tracer that has a pid namespace, and a /proc, of its own."""

    def setUp(self):
        super().setUp()
        needs.namespaces(*UNSHARE[1:])
        self.path = os.path.join(self.directory, "events")

    def shell(self, script, **options):
        """Runs the script as process 1 of a namespace; `$T` records."""
        environment = dict(os.environ, T="%s record -o %s" % (STEPTRACE, self.path),
                           ALL=" ".join(everyone()), **options)
        done = subprocess.run([*UNSHARE, "sh", "-ec", script], env=environment, check=False,
                              capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        events = read_events(self.path)
        check_books(self, events)
        return events, done.stderr

    # Orders come from a pipe whose writer waits for what the tracer writes.
    RUNS = """mkfifo $D/in; $SPANS <$D/in >/dev/null & runner=$!; exec 3>$D/in; echo go 0 >&3
wait_for() { until grep -q "$1" "$E" 2>/dev/null; do sleep 0.01; done; }
%s
"""

    def runs(self, script):
        spans = copy_of(self.directory, "spans")
        return self.shell("set -f; " + self.RUNS % script, D=self.directory, SPANS=spans,
                          E=self.path, NEW=os.path.join(self.directory, named("new")))

    def check(self, events):
        pids = {event["source"]["pid"] for event in runner_events(events)}
        self.assertLess(max(pids), 100)
        for event in runner_events(events):
            self.assertNotIn("inner_pid", event["source"])  # it is the same

    def test_by_pid(self):
        events, _ = self.runs("""$T -p $runner & tracer=$!; wait_for trace.attached
echo go 2 >&3; echo fork >&3; echo quit >&3; wait $runner; wait $tracer""")
        self.check(events)
        self.assertEqual(len(runner_events(events)), 21)
        self.assertEqual(events[-1]["reason"], "target_exited")

    def test_all(self):
        events, _ = self.runs("""$T $ALL & tracer=$!; wait_for "$SPANS"
echo go 2 >&3; echo quit >&3; wait $runner; kill -INT $tracer; wait $tracer""")
        self.check(events)
        self.assertEqual(len(runner_events(events)), 14)

    def test_started_later(self):
        events, _ = self.runs("""$T $ALL & tracer=$!; wait_for "$SPANS"
cp $SPANS $NEW; mkfifo $D/in2; $NEW <$D/in2 >/dev/null & new=$!; exec 4>$D/in2
wait_for $NEW
echo go 3 >&4; echo quit >&4; wait $new; kill -INT $tracer; wait $tracer""")
        self.check(events)
        self.assertEqual(len(runner_events(events)), 21)
        self.assertEqual(len(of_kind(of_exe(events, self.directory), "trace.attached")), 2)


class Overlays(Scenario):
    """What two containers are to the kernel: overlays over the same layer, in mount namespaces of
    their own, each with a chroot. The program has three inodes, one of which is mapped."""

    SCRIPT = """cd {0}; mount -t tmpfs none run-{1}; cd run-{1}; mkdir upper work root
mount -t overlay overlay -o lowerdir={0}/lower,upperdir=upper,workdir=work root; {2}
exec chroot root /{3}"""

    def setUp(self):
        super().setUp()
        needs.namespaces(*UNSHARE[1:])
        needs.overlays()
        lower = os.path.join(self.directory, "lower")
        os.mkdir(lower)
        compiled(os.path.join(lower, named("spans")), "-static")

    def container(self, number, before="true"):
        os.mkdir(os.path.join(self.directory, "run-%d" % number))
        script = self.SCRIPT.format(self.directory, number, before, named("spans"))
        runner = Runner([*UNSHARE, "sh", "-ec", script])
        self.addCleanup(runner.close)
        return runner

    def test_one_file_under_several(self):
        """Each boundary is counted once, and the file attached once."""
        one, two = self.container(1), self.container(2)
        pids = [child_of(one), child_of(two)]
        tracer = Tracer(*everyone())
        three = self.container(3)
        pids.append(child_of(three))
        for count, runner in enumerate((one, two, three), 1):
            runner.do("go %d" % count)
        events = tracer.stop()
        self.assertEqual([len(of_process(events, pid)) for pid in pids], [7, 14, 21])
        self.assertEqual(len(of_kind(of_exe(events, self.directory), "trace.attached")), 1)
        stopped = check_books(self, events)
        self.assertEqual(stopped["lost"], 0)

    def test_the_first_starts_later(self):
        tracer = Tracer(*everyone())
        one = self.container(1)
        attached = json.loads(tracer.written("trace.attached", self.directory))
        two = self.container(2)
        one.do("go 1")
        two.do("go 2")
        events = tracer.stop()
        self.assertEqual(attached["pids"], [child_of(one)])
        self.assertEqual(len(of_process(events, child_of(one))), 7)
        self.assertEqual(len(of_process(events, child_of(two))), 14)
        self.assertEqual(len(of_kind(of_exe(events, self.directory), "trace.attached")), 1)

    def test_a_copy_of_its_own(self):
        """One of the two has written to its file, which is another file from then on."""
        tracer = Tracer(*everyone())
        one = self.container(1)
        first = json.loads(tracer.written("trace.attached", self.directory))
        two = self.container(2, "touch root/" + named("spans"))
        tracer.written("trace.attached", self.directory, '"pids":[%d]' % child_of(two))
        one.do("go 1")
        two.do("go 2")
        events = tracer.stop()
        self.assertEqual(len(of_process(events, child_of(one))), 7)
        self.assertEqual(len(of_process(events, child_of(two))), 14)
        attached = of_kind(of_exe(events, self.directory), "trace.attached")
        self.assertEqual(len(attached), 2)
        self.assertNotEqual(attached[1]["inode"], first["inode"])


if __name__ == "__main__":
    import unittest
    unittest.main()
