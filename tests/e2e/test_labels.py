# SPDX-License-Identifier: BSD-2-Clause
"""What a recording says about where it was made: its labels, and the containers of processes."""
import contextlib
import json
import os
import unittest

import needs
from harness import (EndToEnd, Runner, Scenario, Tracer, completed, of_kind, read_events, record,
                     run, runner_events, started, target)

CONTAINER = "0123456789abcdef" * 4
POD = "8a5e0c7c-1a0d-4f6a-9e0c-0123456789ab"


class Labels(Scenario):
    LABELS = {"env": "prod", "app.kubernetes.io/name": 'a="b" \u00e9\n'}

    def options(self):
        return [word for pair in self.LABELS.items() for word in ("--label", "%s=%s" % pair)]

    def test_in_the_first_line(self):
        events, _ = record(["go 1"], *self.options())
        self.assertEqual([event.get("labels") for event in events],
                         [self.LABELS] + [None] * (len(events) - 1))

    def test_in_every_event(self):
        """With what the tracer says about itself, and although other fields were chosen."""
        for arguments in ((), ("--fields", "outcome"), ("--fields", "seed")):
            with self.subTest(arguments=arguments), Runner() as runner:
                tracer = Tracer("-p", str(runner.pid), *self.options(), "--labels-everywhere",
                                *arguments)
                runner.do("go 1")
                runner.do("reject")
                runner.do("tool")
                tracer.process.terminate()
                self.assertEqual(tracer.wait(), 0)
                events = self.lines_of(tracer.path, validated=not arguments)
                self.assertGreater(len(runner_events(events)), 10)
                self.assertEqual({event["event"] for event in events if not event.get("labels")},
                                 set())
                self.assertTrue(all(event["labels"] == self.LABELS for event in events))

    @staticmethod
    def lines_of(path, validated):
        if validated:
            return read_events(path)
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_in_losses(self):
        with Runner() as runner:
            tracer = Tracer("-p", str(runner.pid), *self.options(), "--labels-everywhere",
                            "--buffer", "64K")
            tracer.freeze()
            runner.do("threads 300")
            tracer.thaw()
            tracer.written("trace.lost")
            events = tracer.stop()
        self.assertTrue(of_kind(events, "trace.lost"))
        self.assertTrue(all(event["labels"] == self.LABELS for event in events))

    def test_in_each_part(self):
        needs.other_users()
        os.chown(self.directory, 65534, 65534)  # the user that the tracer becomes
        path = os.path.join(self.directory, "part")
        status, _, words = run("record", "-o", path, "--rotate-size", "16K", *self.options(), "--",
                               target("spans"), input="go 30\n")
        self.assertEqual(status, 0, words)
        parts = [name for name in os.listdir(self.directory) if name.startswith("part")]
        self.assertGreater(len(parts), 2)
        for name in parts:
            first = read_events(os.path.join(self.directory, name))[0]
            self.assertEqual((first["event"], first["labels"]), ("trace.started", self.LABELS))

    def test_wrong_use(self):
        for arguments, words in ((("--label", "env"), "KEY=VALUE"),
                                 (("--label", "a b=c"), "KEY=VALUE"),
                                 (("--label", "a=1", "--label", "a=2"), "given twice"),
                                 (("--labels-everywhere",), "needs --label"),
                                 (("--label", "a=b", "--format", "compact"), "--format json")):
            status, output, said = run("record", "-x", target("spans"), *arguments)
            self.assertEqual((status, output), (2, ""), arguments)
            self.assertIn(words, said)


class Containers(EndToEnd):
    @contextlib.contextmanager
    def cgroup(self, *names):
        """Makes a cgroup below one of this test, and gives its path below the mount point."""
        root = needs.cgroup2().rstrip("/")
        path = os.path.join(root, "steptrace-test-%d" % os.getpid(), *names)
        os.makedirs(path)
        try:
            yield path, path[len(root):]
        finally:
            while path != root:
                os.rmdir(path)
                path = os.path.dirname(path)

    @staticmethod
    def move(pid, directory):
        with open(os.path.join(directory, "cgroup.procs"), "w", encoding="ascii") as file:
            file.write(str(pid))

    def recorded(self, directory):
        with Runner() as runner:
            self.move(runner.pid, directory)
            tracer = Tracer("-p", str(runner.pid))
            runner.do("go 2")
            events = tracer.stop()
        self.assertEqual(len(completed(events)), 2)
        self.assertFalse(any("container" in event for event in events
                             if event["event"] != "command.execution.started"))
        found = [event["container"] for event in started(events)]
        self.assertEqual(found[0], found[1])
        self.assertEqual({event["source"]["cgroup_id"] for event in runner_events(events)},
                         {os.stat(directory).st_ino})
        return found[0]

    def test_kubernetes(self):
        pod = "kubepods-pod%s.slice" % POD.replace("-", "_")
        with self.cgroup("kubepods.slice", pod,
                         "cri-containerd-%s.scope" % CONTAINER) as (directory, path):
            self.assertEqual(self.recorded(directory), {
                "cgroup_path": path, "container_id": CONTAINER, "pod_uid": POD})

    def test_no_container(self):
        with self.cgroup("runner.service") as (directory, path):
            self.assertEqual(self.recorded(directory), {
                "cgroup_path": path, "container_id": None, "pod_uid": None})

    def test_a_hostile_name(self):
        with self.cgroup('x"\x1b[2J\\') as (directory, path):
            self.assertEqual(self.recorded(directory)["cgroup_path"], path)

    def test_a_process_that_has_ended(self):
        """Its cgroup is still there, and is found by its id."""
        with self.cgroup("docker", CONTAINER) as (directory, path):
            with Runner() as runner:
                self.move(runner.pid, directory)
                tracer = Tracer("-x", target("spans"))
                tracer.freeze()
                runner.do("go 1")
                runner.close()
                tracer.thaw()
                tracer.written("command.execution.completed")
                events = tracer.stop()
            self.assertEqual([event["container"] for event in started(events)],
                             [{"cgroup_path": path, "container_id": CONTAINER, "pod_uid": None}])

    def test_only_if_it_is_asked_for(self):
        with self.cgroup("runner.service") as (directory, _), Runner() as runner:
            self.move(runner.pid, directory)
            tracer = Tracer("-p", str(runner.pid), "--fields", "seed")
            runner.do("go 1")
            self.assertNotIn("container", started(tracer.stop())[0])


if __name__ == "__main__":
    unittest.main()
