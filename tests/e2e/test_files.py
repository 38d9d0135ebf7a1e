# SPDX-License-Identifier: BSD-2-Clause
"""Files that are attached to: of every kind, and replaced, removed or overwritten meanwhile."""
import json
import os
import shutil
import subprocess
import time

import needs
from harness import (Runner, Scenario, Tracer, check_books, compiled, copy_of, everyone, named,
                     of_exe, of_kind, of_process, overwrite, runner_events, target)


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], capture_output=True, text=True, check=True)
    return notes.stdout.split("Build ID: ")[1].split()[0]


def names(events):
    return [event["event"] for event in events]


class Kinds(Scenario):
    def check(self, program, **options):
        with Runner(program, **options) as runner:
            runner.do("go 1")
            tracer = Tracer("-p", str(runner.pid))
            runner.do("go 1")
            runner.do("threads 1")
            runner.do("fork")
            events = tracer.stop()
        self.assertEqual(len(of_process(events, runner.pid)), 63)
        self.assertEqual(len(runner_events(events)), 70)
        check_books(self, events)
        return of_kind(events, "trace.attached")

    def check_type(self, path, elf_type):
        header = subprocess.run(["readelf", "-h", path], capture_output=True, text=True, check=True)
        self.assertRegex(header.stdout, r"Type: +%s " % elf_type)
        attached = self.check(path)
        self.assertEqual([event["exe"] for event in attached], [path])
        self.assertEqual(attached[0]["build_id"], build_id(path))

    def path(self, name):
        return os.path.join(self.directory, name)

    def test_static(self):
        self.check_type(compiled(self.path("static"), "-static", "-Wl,--build-id"), "EXEC")

    def test_static_pie(self):
        self.check_type(compiled(self.path("static-pie"), "-static-pie", "-Wl,--build-id"), "DYN")

    def test_position_dependent(self):
        self.check_type(compiled(self.path("no-pie"), "-no-pie", "-Wl,--build-id"), "EXEC")

    def test_position_independent(self):
        self.check_type(compiled(self.path("pie"), "-pie", "-fPIE", "-Wl,--build-id"), "DYN")

    def test_stripped_and_without_a_build_id(self):
        path = compiled(self.path("stripped"), "-s", "-Wl,--build-id=none")
        self.assertIsNone(self.check(path)[0]["build_id"])

    def test_a_symbolic_link(self):
        link = self.path("link")
        os.symlink(target("spans"), link)
        self.assertEqual(self.check(link)[0]["exe"], target("spans"))

    def test_a_link_that_is_named(self):
        spans, link = copy_of(self.directory, "spans"), self.path("link")
        os.symlink(spans, link)
        with Runner(link) as early:
            tracer = Tracer("-x", link)
            with Runner(spans) as late:
                early.do("go 1")
                late.do("go 1")
                events = tracer.stop()
        self.assertEqual(len(of_process(events, early.pid, late.pid)), 14)

    def test_no_file_at_all(self):
        """A program in memory that has no name, executed by its descriptor."""
        with open(target("spans"), "rb") as file:
            program = file.read()
        memory = os.memfd_create("nameless")
        os.write(memory, program)
        attached = self.check(["/proc/self/fd/%d" % memory], pass_fds=[memory])
        self.assertIn("/memfd:nameless", attached[0]["exe"])
        os.close(memory)

    def test_a_mount_that_only_the_runner_sees(self):
        place = self.path("private")
        os.mkdir(place)
        script = "mount -t tmpfs none {0} && cp {1} {0}/{2} && exec {0}/{2}"
        needs.namespaces("--mount")
        runner = Runner(["unshare", "-m", "sh", "-c",
                         script.format(place, target("spans"), named("spans"))])
        self.addCleanup(runner.close)
        runner.do("go 1")
        self.assertEqual(os.listdir(place), [])
        for arguments in (["-p", str(runner.pid)], everyone()):
            tracer = Tracer(*arguments)
            runner.do("go 1")
            events = tracer.stop()
            self.assertEqual(len(of_process(events, runner.pid)), 7)
            self.assertEqual(len(of_exe(events, place)), 1)


class Replaced(Scenario):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.directory, named("runner"))
        shutil.copy(target("spans"), self.path)

    def variant(self, *flags):
        """The same program, its probes elsewhere."""
        path = compiled(os.path.join(self.directory, "variant"), "-O0", *flags)
        self.assertNotEqual(build_id(path), build_id(self.path))
        return path

    def test_deleted_before(self):
        with Runner(self.path) as runner:
            runner.do("go 1")
            os.unlink(self.path)
            for arguments in (["-p", str(runner.pid)], everyone()):
                tracer = Tracer(*arguments)
                runner.do("go 1")
                events = tracer.stop()
                self.assertEqual(len(of_process(events, runner.pid)), 7)
                self.assertEqual(names(of_exe(events, self.path)), ["trace.attached"])
                check_books(self, events)

    def check_while_attached(self, change, arguments):
        """A change of its name or its inode must not cost or double a boundary."""
        with Runner(self.path) as runner:
            tracer = Tracer(*arguments(runner))
            runner.do("go 10")
            change()
            for _ in range(60):
                runner.do("go 1")
                time.sleep(0.01)  # the tracer looks around meanwhile
            events = tracer.stop()
            self.assertEqual(len(of_process(events, runner.pid)), 70 * 7)
            self.assertEqual(names(of_exe(events, self.path)), ["trace.attached"])
            check_books(self, events)

    def test_deleted_while_attached(self):
        self.check_while_attached(lambda: os.unlink(self.path), lambda _: everyone())

    def test_linked_while_attached(self):
        self.check_while_attached(lambda: os.link(self.path, self.path + "-2"),
                                  lambda _: ["-x", self.path])

    def test_chmod_while_attached(self):
        self.check_while_attached(lambda: os.chmod(self.path, 0o700),
                                  lambda runner: ["-p", str(runner.pid)])

    def check_successors(self, events, former, runners):
        """Attached twice, as two files; each runner seen from where it was attached."""
        attached = of_kind(of_exe(events, self.path), "trace.attached")
        self.assertEqual([event["build_id"] for event in attached], [former, build_id(self.path)])
        for runner, count in runners:
            self.assertEqual(len(of_process(events, runner.pid)), count * 7)
        stopped = check_books(self, events)
        self.assertEqual(stopped["lost"], 0)
        return attached

    def check_renamed_over(self, *arguments):
        former = build_id(self.path)
        variant = self.variant()
        with Runner(self.path) as old:
            tracer = Tracer(*arguments)
            old.do("go 1")
            os.rename(variant, self.path)
            with Runner(self.path) as new:
                tracer.written("trace.attached", build_id(self.path), self.path)
                old.do("go 2")
                new.do("go 3")
                old.close()
                tracer.written("trace.detached", former, self.path)
                new.do("go 4")
                with Runner(self.path) as newer:
                    newer.do("go 5")
                    events = tracer.stop()
        attached = self.check_successors(events, former, ((old, 3), (new, 7), (newer, 5)))
        # a file that is named may be found before anybody runs it
        self.assertIn(attached[1]["pids"], ([new.pid], []) if "-x" in arguments else ([new.pid],))
        self.assertNotEqual(attached[0]["inode"], attached[1]["inode"])
        detached = of_kind(of_exe(events, self.path), "trace.detached")
        self.assertEqual([event["inode"] for event in detached], [attached[0]["inode"]])

    def test_renamed_over_while_it_runs(self):
        self.check_renamed_over(*everyone())

    def test_renamed_over_while_it_is_named(self):
        self.check_renamed_over("-x", self.path)

    def check_overwritten(self, *arguments):
        """The old probes must not stay: they would lie in the middle of other instructions."""
        former = build_id(self.path)
        variant = self.variant()
        tracer = Tracer(*arguments)
        with Runner(self.path) as old:
            tracer.written("trace.attached", former, self.path)
            old.do("go 2")
        overwrite(self.path, variant)
        tracer.written("trace.detached", former, self.path)
        with Runner(self.path) as new:
            tracer.written("trace.attached", build_id(self.path), self.path)
            new.do("go 3")
            new.do("threads 2")
            events = tracer.stop()
        attached = self.check_successors(events, former, ((old, 2), (new, 19)))
        self.assertEqual(attached[0]["inode"], attached[1]["inode"])
        self.assertEqual(len(of_kind(of_exe(events, self.path), "trace.detached")), 1)

    def test_overwritten_in_place(self):
        self.check_overwritten(*everyone())

    def test_overwritten_in_place_while_it_is_named(self):
        self.check_overwritten("-x", self.path)

    def test_overwritten_with_the_same(self):
        """What will be written is not known when the program that writes has to wait."""
        same = copy_of(self.directory, "spans")
        with Runner(self.path) as old:
            tracer = Tracer(*everyone())
            old.do("go 1")
        overwrite(self.path, same)
        with Runner(self.path) as new:
            tracer.written("trace.attached", '"pids":[%d]' % new.pid)
            new.do("go 2")
            events = tracer.stop()
        self.assertEqual(len(of_process(events, old.pid)), 7)
        self.assertEqual(len(of_process(events, new.pid)), 14)
        self.assertEqual(names(of_exe(events, self.path)),
                         ["trace.attached", "trace.detached", "trace.attached"])
        check_books(self, events)

    def take_inode_number(self, path):
        """A file without probes runs, and another one gets its inode number: on some file systems
        because it is free again, on the others because its content is replaced."""
        for _ in range(50):
            shutil.copy("/bin/true", path)
            number = os.stat(path).st_ino
            subprocess.run([path], check=True)
            os.unlink(path)
            shutil.copy(target("spans"), path)
            if os.stat(path).st_ino == number:
                return number
            os.unlink(path)
        shutil.copy("/bin/true", path)
        subprocess.run([path], check=True)
        overwrite(path, target("spans"))
        return os.stat(path).st_ino

    def test_an_inode_number_of_somebody_else(self):
        """A file without probes is remembered; another one with its number is another one."""
        path = os.path.join(self.directory, named("thrown"))
        tracer = Tracer(*everyone())
        number = self.take_inode_number(path)
        with Runner(path) as runner:
            attached = json.loads(tracer.written("trace.attached", path))
            runner.do("go 1")
            events = tracer.stop()
        self.assertEqual(attached["inode"], number)
        self.assertEqual(len(of_process(events, runner.pid)), 7)
        check_books(self, events)


class Unused(Scenario):
    """A binary that no process executes any more."""

    def test_detached_after_a_while(self):
        spans = copy_of(self.directory, "spans")
        with Runner(spans) as runner:
            tracer = Tracer(*everyone(), "--linger", "200ms")
            runner.do("go 2")
            last_ns = time.monotonic_ns()
        detached = json.loads(tracer.written("trace.detached", spans))
        with Runner(spans) as again:
            tracer.written("trace.attached", '"pids":[%d]' % again.pid)
            again.do("go 2")
            events = tracer.stop()
        self.assertEqual(names(of_exe(events, spans)),
                         ["trace.attached", "trace.detached", "trace.attached"])
        self.assertGreater(detached["monotonic_ns"], last_ns)
        self.assertEqual(len(of_process(events, runner.pid, again.pid)), 28)
        check_books(self, events)

    def test_not_before_it_has_lingered(self):
        """Its next process is seen from its first boundary."""
        spans = copy_of(self.directory, "spans")
        other = os.path.join(self.directory, named("other"))
        shutil.copy(spans, other)
        with Runner(spans), Runner(other):
            tracer = Tracer(*everyone(), "--linger", "1h")
            os.unlink(other)
        tracer.written("trace.detached", other)  # it has looked around
        done = subprocess.Popen([spans], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        done.communicate(b"go 1\n")
        events = tracer.stop()
        self.assertEqual(names(of_exe(events, spans)), ["trace.attached"])
        self.assertEqual(len(of_process(events, done.pid)), 7)
        check_books(self, events)

    def test_not_while_a_process_runs_it(self):
        spans = copy_of(self.directory, "spans")
        with Runner(spans) as runner, Runner() as other:
            tracer = Tracer(*everyone(), "--linger", "1ms")
            other.close()
            tracer.written("trace.detached", target("spans"))  # it has looked around
            runner.do("go 1")
            events = tracer.stop()
        self.assertEqual(names(of_exe(events, spans)), ["trace.attached"])
        self.assertEqual(len(of_process(events, runner.pid)), 7)

    def test_not_while_short_ones_come_and_go(self):
        """There may be none of them when the tracer looks around, but there is always one within
        the time that it lingers."""
        spans = copy_of(self.directory, "spans")
        for linger_s in (0.3, 3, 30):
            tracer = Tracer(*everyone(), "--linger", "%dms" % (linger_s * 1000))
            longest_s = self.come_and_go(spans, 4 * linger_s)
            events = tracer.stop()
            if longest_s < linger_s / 2:
                break  # or else the machine is too busy for processes in such a time
        self.assertEqual(names(of_exe(events, spans)), ["trace.attached"])

    def come_and_go(self, program, seconds):
        """One short process after the other; returns the longest time between two of them."""
        begun, longest_s = time.monotonic(), 0
        before = begun
        while before < begun + seconds:
            subprocess.run([program], stdin=subprocess.DEVNULL, check=True)
            time.sleep(0.01)
            longest_s = max(longest_s, time.monotonic() - before)
            before = time.monotonic()
        return longest_s


if __name__ == "__main__":
    import unittest
    unittest.main()
